// forms: static preloaded
/* malloc_information.c - what mallinfo(3), mallopt(3), malloc_info(3), malloc_stats(3) and
 * malloc_trim(3) say and do: the numbers follow what the program allocates.
 */
#include "served.h"

#include "unit.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { COUNT = 20000, SIZE = 1000, HUGE = 100 << 20, UNTOUCHED = 4711 };

static void *blocks[COUNT];

static void take(void) {
  for (int i = 0; i < COUNT; i++) {
    blocks[i] = malloc(SIZE);
    assert_non_null(blocks[i]);
    memset(blocks[i], 1, SIZE);
  }
}

static void give(void) {
  for (int i = 0; i < COUNT; i++)
    free(blocks[i]);
}

static bool near(size_t number, size_t expected) {
  size_t slack = (size_t)1 << 20;
  return number + slack >= expected && number <= expected + slack;
}

static void mallinfo2_follows(void **state) {
  (void)state;
  struct mallinfo2 before = mallinfo2();
  take();
  void *huge = malloc(HUGE);
  struct mallinfo2 with = mallinfo2();
  assert_true(with.uordblks >= before.uordblks + (size_t)COUNT * SIZE);
  assert_true(with.uordblks <= before.uordblks + (size_t)COUNT * SIZE * 2);
  assert_int_equal(with.hblks, before.hblks + 1);
  assert_true(near(with.hblkhd, before.hblkhd + HUGE));
  assert_true(with.arena >= with.uordblks);
  assert_int_equal(with.arena, with.uordblks + with.fordblks);
  give();
  free(huge);
  struct mallinfo2 after = mallinfo2();
  assert_true(near(after.uordblks, before.uordblks));
  assert_int_equal(after.hblks, before.hblks);
  assert_int_equal(after.hblkhd, before.hblkhd);
}

static void mallinfo_is_mallinfo2_in_ints(void **state) {
  (void)state;
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  void *huge = malloc(HUGE), *more = malloc((size_t)3 << 30);
  struct mallinfo2 wide = mallinfo2();
  struct mallinfo narrow = mallinfo();
  assert_int_equal(narrow.hblks, wide.hblks);
  assert_true(narrow.uordblks > 0 && near((size_t)narrow.uordblks, wide.uordblks));
  assert_true(narrow.hblkhd > 0); /* it does not fit, and is not a negative number */
  assert_non_null(more);
  free(more);
  free(huge);
}

static void mallopt_knows_glibcs_parameters(void **state) {
  (void)state;
  static const int known[] = {M_MXFAST,   M_TRIM_THRESHOLD, M_TOP_PAD,    M_MMAP_THRESHOLD,
                              M_MMAP_MAX, M_CHECK_ACTION,   M_ARENA_TEST, M_ARENA_MAX};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    assert_int_equal(mallopt(known[i], 1), 1);
  assert_int_equal(mallopt(4711, 1), 0);
  assert_int_equal(mallopt(-4711, 1), 0);
}

static void malloc_trim_gives_back(void **state) {
  (void)state;
  while (malloc_trim(0)) {
  }
  size_t empty = support_rss();
  take();
  size_t full = support_rss();
  assert_true(full >= empty + (size_t)COUNT * SIZE / 10 * 9);
  give();
  assert_int_equal(malloc_trim(0), 1);
  size_t after = support_rss();
  assert_true(after <= empty + (2 << 20));
  assert_int_equal(malloc_trim(0), 0);
}

/* What stays when asked to keep something is about that much. */
static void malloc_trim_keeps(void **state) {
  (void)state;
  enum { KEEP = 8 << 20 };
  while (malloc_trim(0)) {
  }
  size_t empty = support_rss();
  take();
  give();
  malloc_trim(KEEP);
  assert_true(support_rss() <= empty + KEEP + (2 << 20));
  malloc_trim(0);
}

/* --- In words -------------------------------------------------------------------------------- */

static char *text_of(int file) {
  static char text[1 << 16];
  ssize_t length = pread(file, text, sizeof text - 1, 0);
  assert_true(length >= 0);
  text[length] = '\0';
  return text;
}

static void malloc_stats_writes_on_standard_error(void **state) {
  (void)state;
  int kept = dup(STDERR_FILENO), file = memfd_create("stats", 0);
  assert_true(kept >= 0 && file >= 0);
  fflush(stderr);
  dup2(file, STDERR_FILENO);
  malloc_stats();
  fflush(stderr);
  dup2(kept, STDERR_FILENO);
  close(kept);
  const char *text = text_of(file);
  assert_non_null(strstr(text, served_gil() ? "arenite gil" : "arenite free-threaded"));
  assert_non_null(strstr(text, "live_bytes"));
  close(file);
}

/* Every element that opens closes: enough of XML for what malloc_info writes. */
static void assert_well_formed(const char *text) {
  int depth = 0;
  for (const char *at = strchr(text, '<'); at; at = strchr(at + 1, '<')) {
    const char *end = strchr(at, '>');
    assert_non_null(end);
    if (at[1] == '/')
      depth--;
    else if (end[-1] != '/')
      depth++;
    assert_true(depth >= 0);
  }
  assert_int_equal(depth, 0);
}

static void malloc_info_writes_xml(void **state) {
  (void)state;
  int file = memfd_create("info", 0);
  FILE *stream = fdopen(file, "w");
  assert_non_null(stream);
  void *huge = malloc(HUGE);
  take();
  assert_int_equal(malloc_info(0, stream), 0);
  assert_int_equal(fflush(stream), 0);
  const char *text = text_of(file);
  assert_int_equal(strncmp(text, "<malloc version=\"", 17), 0);
  assert_non_null(strstr(text, "</malloc>\n"));
  assert_well_formed(text);
  unsigned long long live = 0;
  const char *total = strstr(text, "<total type=\"live\" size=\"");
  assert_non_null(total);
  assert_int_equal(sscanf(total, "<total type=\"live\" size=\"%llu\"", &live), 1);
  assert_true(live >= (unsigned long long)COUNT * SIZE);
  assert_non_null(strstr(text, "<total type=\"mmap\" count=\"1\" size=\"104857600\"/>"));
  give();
  free(huge);
  errno = UNTOUCHED;
  assert_int_equal(malloc_info(1, stream), -1);
  assert_int_equal(errno, EINVAL);
  fclose(stream);
}

/* --- Elsewhere ------------------------------------------------------------------------------- */

/* As a thread's first calls, and on the smallest stack that there is. */
static void *asks(void *context) {
  (void)context;
  REQUIRE(mallinfo2().uordblks > 0);
  malloc_trim(0);
  REQUIRE(mallopt(M_ARENA_MAX, 1) == 1);
  void *block = malloc(100);
  REQUIRE(block != NULL);
  free(block);
  return NULL;
}

static void small_stacks_suffice(void **state) {
  (void)state;
  pthread_attr_t attributes;
  pthread_t thread;
  assert_int_equal(pthread_attr_init(&attributes), 0);
  assert_int_equal(pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN)),
                   0);
  assert_int_equal(pthread_create(&thread, &attributes, asks, NULL), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  pthread_attr_destroy(&attributes);
}

static _Atomic bool end;

static void *churns(void *context) {
  uint64_t random = (uint64_t)(uintptr_t)context;
  while (!end) {
    void *kept[200];
    for (int i = 0; i < 200; i++)
      kept[i] = malloc(support_size(&random, 100000));
    for (int i = 0; i < 200; i++)
      free(kept[i]);
  }
  return NULL;
}

/* They may be asked at any moment, whatever other threads do. */
static void beside_busy_threads(void **state) {
  (void)state;
  enum { THREADS = 3 };
  pthread_t threads[THREADS];
  FILE *null = fopen("/dev/null", "w");
  assert_non_null(null);
  end = false;
  for (uintptr_t i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, churns, (void *)(i + 1)), 0);
  uint64_t until = support_now_ns() + support_scaled(600) * 1000000;
  while (support_now_ns() < until) {
    struct mallinfo2 now = mallinfo2();
    assert_int_equal(now.arena, now.uordblks + now.fordblks);
    assert_true(now.fordblks <= now.arena); /* and not a negative number */
    assert_int_equal(malloc_info(0, null), 0);
    malloc_trim(0);
  }
  end = true;
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  fclose(null);
  served_check();
}

int main(void) {
  support_seed();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mallinfo2_follows),
      cmocka_unit_test(mallinfo_is_mallinfo2_in_ints),
      cmocka_unit_test(mallopt_knows_glibcs_parameters),
      cmocka_unit_test(malloc_trim_gives_back),
      cmocka_unit_test(malloc_trim_keeps),
      cmocka_unit_test(malloc_stats_writes_on_standard_error),
      cmocka_unit_test(malloc_info_writes_xml),
      cmocka_unit_test(small_stacks_suffice),
      cmocka_unit_test(beside_busy_threads),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  served_check();
  return failed;
}
