/* test_source.c - the arena source replaced, as PyObject_SetArenaAllocator does it.
 *
 * The source here keeps a book of which pages it has given and refuses on request, so that a test
 * can say: every commit has its decommit, nothing is purged that was not committed, and a refusal
 * is out of memory and nothing worse.
 */
#include "support.h"

#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Within every small limit there is: larger ones are libc's in classic. */
enum { SMALL = 256 };

struct book {
  int commits, decommits, purges;
  size_t committed, purged; /* bytes: held now; ever */
  int refuse_from;          /* number of the first commit that is refused; 0: none */
  size_t page;
};

static int commit(void *context, void *at, size_t size) {
  struct book *book = context;
  REQUIRE((uintptr_t)at % 4096 == 0 && size % 4096 == 0 && size > 0);
  book->commits++;
  if (book->refuse_from != 0 && book->commits >= book->refuse_from)
    return ENOMEM;
  if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at)
    return errno;
  book->committed += size;
  return 0;
}

static void decommit(void *context, void *at, size_t size) {
  struct book *book = context;
  REQUIRE(book->committed >= size);
  book->decommits++;
  book->committed -= size;
  REQUIRE(mmap(at, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
               0) == at);
}

static void purge(void *context, void *at, size_t size) {
  struct book *book = context;
  REQUIRE(book->committed >= size);
  book->purges++;
  book->purged += size;
  REQUIRE(madvise(at, size, MADV_DONTNEED) == 0);
}

static arn_runtime *start(arn_mode mode, struct book *book) {
  arn_config config = support_config(mode);
  config.source = (arn_arena_source){book, commit, decommit, purge};
  return support_start_with(&config);
}

static void source_gives_every_arena(void **state) {
  (void)state;
  for (int mode = 0; mode < 2; mode++) {
    struct book book = {.commits = 0};
    arn_runtime *runtime = start((arn_mode)mode, &book);
    enum { COUNT = 40000 };
    static void *blocks[COUNT];
    for (int i = 0; i < COUNT; i++) {
      blocks[i] = arn_calloc(1, 200);
      assert_true(support_is_zero(blocks[i], 200));
      memset(blocks[i], 0xff, 200);
    }
    assert_true(book.committed >= COUNT * 200);
    assert_true(book.committed >= support_stats(runtime).arena_bytes);
    for (int i = 0; i < COUNT; i++)
      arn_free(blocks[i]);
    arn_trim(runtime, 0);
    assert_true(book.purges + book.decommits > 0);
    for (int i = 0; i < COUNT; i++) { /* what was purged reads as zero */
      blocks[i] = arn_calloc(1, 200);
      assert_true(support_is_zero(blocks[i], 200));
    }
    support_end(runtime);
    assert_int_equal(book.committed, 0);
  }
}

static void refusal_is_out_of_memory(void **state) {
  (void)state;
  for (int n = 1; n < 6; n++) {
    struct book book = {.commits = 0, .refuse_from = n};
    arn_config config = support_config(ARN_MODE_FREE_THREADED);
    config.source = (arn_arena_source){&book, commit, decommit, purge};
    arn_runtime *runtime;
    int error = arn_runtime_create(&runtime, &config);
    if (error == 0)
      error = arn_thread_attach(runtime);
    assert_int_equal(error, 0);
    /* A chain of blocks until there are no more. */
    void **last = NULL, *block;
    size_t count = 0;
    errno = 0;
    while ((block = arn_malloc(SMALL)) != NULL) {
      *(void ***)block = last;
      last = block;
      count++;
      assert_true(count < 1000000);
    }
    assert_int_equal(errno, ENOMEM);
    assert_true(n == 1 ? count == 0 : count > 100);
    support_check(runtime);
    errno = 0;
    assert_null(arn_malloc(SMALL));
    assert_int_equal(errno, ENOMEM);
    for (void **next; last != NULL; last = next) {
      next = *last;
      arn_free(last);
    }
    support_check(runtime);
    book.refuse_from = 0; /* there is memory again */
    block = arn_malloc(SMALL);
    assert_non_null(block);
    void *more = arn_malloc(100000);
    assert_non_null(more);
    arn_free(block);
    arn_free(more);
    support_end(runtime);
    assert_int_equal(book.committed, 0);
  }
}

/* The same, with one refusal in the middle: the caller loses that call and no more. */
static void one_refusal_loses_one_call(void **state) {
  (void)state;
  struct book book = {.commits = 0};
  arn_runtime *runtime = start(ARN_MODE_GIL, &book);
  size_t failed = 0;
  void **last = NULL;
  for (int i = 0; i < 30000; i++) {
    book.refuse_from = i % 3000 == 0 ? book.commits + 1 : book.refuse_from;
    void **block = arn_malloc(SMALL);
    if (block == NULL) {
      failed++;
      book.refuse_from = 0;
      continue;
    }
    *block = last;
    last = block;
  }
  assert_true(failed > 0 && failed <= 10);
  book.refuse_from = 0;
  support_check(runtime);
  for (void **next; last != NULL; last = next) {
    next = *last;
    arn_free(last);
  }
  support_end(runtime);
  assert_int_equal(book.committed, 0);
}

/* What was refused does not count against the limit, and the addresses are free again. */
static void refusals_cost_nothing(void **state) {
  (void)state;
  struct book book = {.commits = 0};
  arn_config config = support_config(ARN_MODE_GIL);
  config.source = (arn_arena_source){&book, commit, decommit, purge};
  config.limit_bytes = 8 * arn_geometry_get().arena_size;
  config.purge_delay_ms = 0;
  arn_runtime *runtime = support_start_with(&config);
  void **last = NULL, **block = arn_malloc(SMALL);
  uintptr_t first = (uintptr_t)block;
  arn_free(block);
  arn_trim(runtime, 0);
  for (int i = 0; i < 100; i++) {
    book.refuse_from = 1;
    assert_null(arn_malloc(SMALL));
  }
  book.refuse_from = 0;
  size_t bytes = 0;
  for (; (block = arn_malloc(SMALL)) != NULL; bytes += SMALL) {
    *block = last;
    last = block;
  }
  assert_int_equal(bytes / arn_geometry_get().arena_size, 8);
  /* Nor does it cost addresses: the lowest arenas are taken, as before. */
  for (void **at = last; at != NULL; at = *at)
    assert_true((uintptr_t)at < first + 16 * arn_geometry_get().arena_size);
  for (void **next; last != NULL; last = next) {
    next = *last;
    arn_free(last);
  }
  support_end(runtime);
}

static void half_a_source_is_refused(void **state) {
  (void)state;
  struct book book = {.commits = 0};
  arn_config config = support_config(ARN_MODE_GIL);
  config.source = (arn_arena_source){&book, commit, NULL, purge};
  arn_runtime *runtime;
  assert_int_equal(arn_runtime_create(&runtime, &config), EINVAL);
}

/* Pages go back through the source as whole pools do: a source that keeps its own accounts, or
 * memory that madvise does not empty, would be bypassed otherwise. */
static void every_purge_is_the_sources(void **state) {
  (void)state;
  struct book book = {.commits = 0};
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.source = (arn_arena_source){&book, commit, decommit, purge};
  config.purge_delay_ms = -1; /* only arn_trim purges */
  arn_runtime *runtime = support_start_with(&config);
  enum { COUNT = 20000, SIZE = 64, STEP = 200 };
  static void *blocks[COUNT];
  for (int i = 0; i < COUNT; i++)
    blocks[i] = arn_malloc(SIZE);
  for (int i = 0; i < COUNT; i++)
    if (i % STEP != 0)
      arn_free(blocks[i]);
  /* No arena is wholly free, so none is given back by decommit instead. */
  size_t given = arn_trim(runtime, 0);
  assert_int_equal(book.purged, given);
  assert_int_equal(book.purges, support_stats(runtime).purges);
  if (!support_is_classic()) /* which purges neither pages nor pools */
    assert_true(given >= COUNT * SIZE / 4);
  for (int i = 0; i < COUNT; i += STEP)
    arn_free(blocks[i]);
  support_end(runtime);
  assert_int_equal(book.committed, 0);
}

/* Arenas stay committed when they go idle. A source that then takes such an arena over and fails
 * leaves no memory behind it; the next taker must not believe that there is some. */
static void refused_over_memory_of_another(void **state) {
  (void)state;
  enum { BYTES = 3 << 20 };
  struct book book = {.refuse_from = 1};
  arn_runtime *other = support_start(ARN_MODE_FREE_THREADED);
  void **last = NULL, **block;
  for (int i = 0; i < BYTES / SMALL; i++, last = block) {
    block = arn_malloc(SMALL);
    *block = last;
  }
  for (void **next; last != NULL; last = next) {
    next = *last;
    arn_free(last);
  }
  arn_trim(other, 0);
  arn_thread_detach();

  arn_runtime *runtime = start(ARN_MODE_FREE_THREADED, &book);
  assert_null(arn_malloc(SMALL));
  arn_free(arn_malloc(2 << 20)); /* tries two arenas at once, then gets a mapping of its own */
  assert_true(book.commits > 0);
  support_end(runtime);

  assert_int_equal(arn_thread_attach(other), 0);
  for (int i = 0; i < BYTES / SMALL; i++, last = block) {
    block = arn_malloc(SMALL);
    assert_non_null(block);
    *block = last;
    support_fill(block + 1, SMALL - sizeof *block, (uint64_t)i);
  }
  for (int i = BYTES / SMALL; i-- > 0; last = block) {
    block = *last;
    assert_true(support_holds(last + 1, SMALL - sizeof *block, SMALL - sizeof *block, (uint64_t)i));
    arn_free(last);
  }
  support_end(other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(source_gives_every_arena),
      cmocka_unit_test(refusal_is_out_of_memory),
      cmocka_unit_test(one_refusal_loses_one_call),
      cmocka_unit_test(refusals_cost_nothing),
      cmocka_unit_test(half_a_source_is_refused),
      cmocka_unit_test(every_purge_is_the_sources),
      cmocka_unit_test(refused_over_memory_of_another),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
