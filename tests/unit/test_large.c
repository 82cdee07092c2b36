/* test_large.c - blocks above the classes: spans of pools, runs of arenas, mappings of their own.
 *
 * In classic all of these are libc's; what is promised of contents holds there too, what is said of
 * the statistics does not.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "hardened.h"
#include "os.h"
#include "unit.h"

enum { MIB = 1024 * 1024 };

static int begin(void **state) {
  *state = support_start(ARN_MODE_FREE_THREADED);
  return 0;
}

static int end(void **state) {
  support_end(*state);
  return 0;
}

/* Blocks of every size from below a pool to several arenas, all live at once, freed in an order
 * that leaves holes to be filled again. */
static void spans_and_runs_hold_their_contents(void **state) {
  enum { COUNT = 200 };
  void *blocks[COUNT];
  size_t sizes[COUNT];
  arn_geometry geometry = arn_geometry_get();
  uint64_t random = support_seed();
  for (int i = 0; i < COUNT; i++) {
    size_t most = i % 10 == 0 ? 3 * geometry.arena_size : geometry.arena_size / 2;
    sizes[i] = geometry.pool_size / 2 + support_below(&random, most);
    blocks[i] = arn_malloc(sizes[i]);
    assert_non_null(blocks[i]);
    support_fill(blocks[i], sizes[i], (uint64_t)i);
  }
  support_check(*state);
  for (int round = 0; round < 3; round++) {
    for (int i = round % 2; i < COUNT; i += 2) {
      assert_true(support_holds(blocks[i], sizes[i], sizes[i], (uint64_t)i));
      arn_free(blocks[i]);
      sizes[i] = geometry.pool_size / 2 + support_below(&random, geometry.arena_size / 2);
      blocks[i] = arn_malloc(sizes[i]);
      assert_non_null(blocks[i]);
      support_fill(blocks[i], sizes[i], (uint64_t)i);
    }
    support_check(*state);
  }
  for (int i = 0; i < COUNT; i++) {
    assert_true(support_holds(blocks[i], sizes[i], sizes[i], (uint64_t)i));
    arn_free(blocks[i]);
  }
  assert_int_equal(support_stats(*state).large_blocks, 0);
  assert_int_equal(support_stats(*state).live_bytes, 0);
}

static struct moves { int calls, error; } moves;

static int count_moves(void *context, const char *call) {
  struct moves *m = context;
  if (strcmp(call, "mremap") != 0)
    return 0;
  m->calls++;
  return m->error;
}

/* A run that cannot grow where it is gets a larger one, and its pages move there: nothing is copied,
 * unless the system refuses. */
static void the_pages_of_a_run_move(void **state) {
  if (support_is_classic())
    skip();
  enum { SIZE = 8 * MIB, LARGER = 20 * MIB };
  arn_os_hooks.before = count_moves;
  arn_os_hooks.context = &moves;
  size_t at_first = 0;
  for (int round = 0; round < 10; round++) {
    int refused = round % 2;
    moves = (struct moves){.error = refused ? ENOMEM : 0};
    void *block = arn_malloc(SIZE), *wall = arn_realloc(arn_malloc(SIZE), SIZE + 1);
    support_fill(block, SIZE, 5);
    support_fill(wall, SIZE, 6);
    void *moved = arn_realloc(block, LARGER);
    assert_non_null(moved);
    assert_true(support_holds(moved, SIZE, SIZE, 5));
    support_fill(moved, LARGER, 7);
    support_check(*state);
#ifndef ARENITE_HARDENED /* there it has a guard behind it */
    size_t arenas = SIZE / arn_geometry_get().arena_size;
    if (moved != block && refused)
      assert_in_range(moves.calls, 1, arenas + 4); /* each arena, and a few free ones */
    else if (moved != block)
      assert_int_equal(moves.calls, arenas);
#endif
    /* What it leaves is free, and reads as zero when it is taken again as such. */
    unsigned char *again = arn_calloc(1, SIZE);
    assert_non_null(again);
    for (size_t i = 0; i < SIZE; i += 512)
      assert_int_equal(again[i], 0);
    assert_true(support_holds(moved, LARGER, LARGER, 7));
    assert_true(support_holds(wall, SIZE, SIZE, 6));
    arn_free(again);
    arn_free(moved);
    arn_free(wall);
    arn_trim(*state, 0);
    support_check(*state);
    if (round == 0)
      at_first = support_mappings();
    assert_in_range(support_mappings(), 0,
                    at_first + 4); /* moved arenas become one mapping with others again */
  }
  arn_os_hooks.before = NULL;
}

static long faults(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

/* A run that lies where no pages are gets those of arenas that are free: it takes no new ones, and what is
 * resident does not grow. Whoever wants zeros gets zeros. */
static void free_pages_go_where_a_run_is(void **state) {
  if (support_is_classic() || arn_os_strict)
    skip();
  enum { SIZE = 8 * MIB, MOST = 24 * MIB };
  void *holes[3], *walls[3];
  for (int i = 0; i < 3; i++) {
    support_fill(holes[i] = arn_malloc(SIZE), SIZE, 1);
    support_fill(walls[i] = arn_malloc(SIZE), SIZE, 2);
  }
  unsigned char *zeros = arn_calloc(1, MOST);
  for (int refused = 1; refused >= 0; refused--) {
    for (int i = 0; i < 3; i++)
      arn_free(holes[i]);
    moves = (struct moves){.error = refused ? ENOMEM : 0};
    arn_os_hooks.before = count_moves;
    arn_os_hooks.context = &moves;
    size_t resident = support_rss();
    long before = faults();
    unsigned char *block = arn_malloc(MOST); /* larger than any hole */
    assert_non_null(block);
    support_fill(block, MOST, 3);
    arn_os_hooks.before = NULL;
    assert_true(moves.calls > 0);
    if (!refused && !ARN_HARDENED) { /* there a guard may have split the mapping */
      assert_in_range(faults() - before, 0, MOST / 4096 / 8);
      assert_true(support_rss() < resident + MOST / 8);
    }
    support_check(*state);
    assert_true(support_holds(block, MOST, MOST, 3));
    /* Not in place of the block, where they would lie side by side. */
    for (int i = 0; i < 3; i++)
      support_fill(holes[i] = arn_malloc(SIZE), SIZE, 1);
    arn_free(block);
    zeros = arn_realloc(zeros, MOST);
    for (size_t i = 0; i < MOST; i += 512)
      assert_int_equal(zeros[i], 0);
    unsigned char *others = arn_calloc(1, SIZE);
    for (size_t i = 0; i < SIZE; i += 512)
      assert_int_equal(others[i], 0);
    arn_free(others);
    for (int i = 0; i < 3; i++)
      assert_true(support_holds(walls[i], SIZE, SIZE, 2));
    arn_trim(*state, 0); /* so that the next block finds no room of its own with pages */
    support_check(*state);
  }
  for (int i = 0; i < 3; i++) {
    arn_free(holes[i]);
    arn_free(walls[i]);
  }
  arn_free(zeros);
}

/* Again and again, each time with pages from several places; also when a program has told the system
 * something about a part of a block, which keeps its arena where it is. */
static void pages_move_more_than_once(void **state) {
  if (support_is_classic() || arn_os_strict)
    skip();
  for (int split = 0; split < 2; split++) {
    size_t size = 3 * MIB;
    unsigned char *block = arn_malloc(size), *walls[8];
    support_fill(block, size, 4);
    for (int i = 0; i < 8; i++) {
      void *hole = arn_malloc(5 * MIB);
      support_fill(hole, 5 * MIB, 1);
      support_fill(walls[i] = arn_realloc(arn_malloc(2 * MIB), 2 * MIB + 1), 2 * MIB, 2);
      if (split)
        assert_int_equal(madvise(block + 8192, 4096, MADV_HUGEPAGE), 0);
      arn_free(hole);
      moves = (struct moves){0};
      arn_os_hooks.before = count_moves;
      arn_os_hooks.context = &moves;
      long before = faults();
      unsigned char *moved = arn_realloc(block, size + 2 * MIB);
      arn_os_hooks.before = NULL;
      assert_non_null(moved);
#ifndef ARENITE_HARDENED
      if (moved != block && !split) /* not copied: what is touched first is new */
        assert_in_range(faults() - before, 0, 64);
#else
      (void)before;
#endif
      block = moved;
      assert_true(support_holds(block, size, size, 4));
      support_fill(block, size += 2 * MIB, 4);
      support_check(*state);
    }
    for (int i = 0; i < 8; i++) {
      assert_true(support_holds(walls[i], 2 * MIB, 2 * MIB, 2));
      arn_free(walls[i]);
    }
    arn_free(block);
    unsigned char *zeros = arn_calloc(1, 16 * MIB);
    for (size_t i = 0; i < 16 * MIB; i += 512)
      assert_int_equal(zeros[i], 0);
    arn_free(zeros);
    arn_trim(*state, 0);
    support_check(*state);
  }
}

static size_t locked(void) {
  char line[256];
  size_t kib = 0;
  FILE *status = fopen("/proc/self/status", "r");
  assert_non_null(status);
  while (fgets(line, sizeof line, status))
    if (sscanf(line, "VmLck: %zu kB", &kib) == 1)
      break;
  fclose(status);
  return kib * 1024;
}

/* Memory that the program has locked (mlock(2)) stays so. */
static void locked_pages_stay(void **state) {
  if (support_is_classic() || arn_os_strict)
    skip();
  enum { SIZE = 5 * MIB };
  unsigned char *block = arn_malloc(SIZE), *wall = arn_malloc(SIZE);
  support_fill(block, SIZE, 1);
  if (mlock(block, SIZE) != 0 || locked() == 0) { /* RLIMIT_MEMLOCK; sanitizers let nobody lock */
    arn_free(block);
    arn_free(wall);
    skip();
  }
  size_t before = locked();
  assert_in_range(before, SIZE, SIZE + MIB);
  arn_free(block);
  unsigned char *larger = arn_malloc(3 * SIZE);
  support_fill(larger, 3 * SIZE, 2);
  assert_int_equal(locked(), before);
  wall = arn_realloc(wall, 4 * SIZE);
  assert_int_equal(locked(), before);
  support_check(*state);
  munlockall();
  arn_free(wall);
  arn_free(larger);
}

static void every_byte_is_counted(void **state) {
  if (support_is_classic())
    skip();
  static const size_t sizes[] = {100000, 300000, 3 * MIB, 100 * MIB};
  for (int i = 0; i < 4; i++) {
    void *block = arn_malloc(sizes[i]);
    arn_stats stats = support_stats(*state);
    assert_true(stats.large_bytes + stats.huge_bytes + stats.live_bytes >= sizes[i]);
    assert_int_equal(stats.large_blocks + stats.huge_blocks <= 1, 1);
    assert_true(stats.large_bytes <= stats.live_bytes);
    support_check(*state);
    arn_free(block);
  }
  arn_stats stats = support_stats(*state);
  assert_int_equal(stats.huge_bytes, 0);
  assert_int_equal(stats.large_bytes, 0);
}

static void huge_blocks_grow_and_shrink(void **state) {
  size_t size = 40 * MIB;
  void *block = arn_malloc(size);
  assert_non_null(block);
  support_fill(block, size, 5);
  for (int i = 0; i < 12; i++) {
    size_t next = i < 8 ? size + size / 3 + 12345 : size / 3;
    block = arn_realloc(block, next);
    assert_non_null(block);
    assert_true(arn_usable_size(block) >= next);
    assert_true(support_holds(block, size, size < next ? size : next, 5));
    size = next;
    support_fill(block, size, 5);
    support_check(*state);
  }
  arn_free(block);
}

/* A huge block that shrinks gives memory back, and one that is freed gives all of it back. */
static void huge_memory_returns(void **state) {
  (void)state;
  if (SUPPORT_SANITIZED && support_is_classic())
    skip(); /* the sanitizer's heap keeps it for a while */
  size_t before = support_rss();
  char *block = arn_malloc(64 * MIB);
  for (size_t i = 0; i < 64 * MIB; i += 4096)
    block[i] = 1;
  assert_true(support_rss() >= before + 60 * MIB);
  block = arn_realloc(block, 32 * MIB);
  assert_true(support_rss() <= before + 40 * MIB);
  arn_free(block);
  assert_true(support_rss() <= before + 8 * MIB);
}

static void fresh_calloc_touches_nothing(void **state) {
  (void)state;
  size_t before = support_rss();
  char *block = arn_calloc(1, 64 * MIB);
  assert_non_null(block);
  assert_true(support_rss() <= before + (SUPPORT_SANITIZED ? 16 : 2) * MIB);
  assert_int_equal(block[0] | block[32 * MIB] | block[64 * MIB - 1], 0);
  arn_free(block);
}

/* Spans too: a fresh one of a megabyte brings its pages only when they are written. */
static void fresh_spans_touch_nothing(void **state) {
  (void)state;
  if (support_is_classic())
    skip();
  void *blocks[64];
  size_t before = support_rss();
  for (int i = 0; i < 64; i++)
    blocks[i] = arn_calloc(1, 512 * 1024);
  assert_true(support_rss() <= before + 8 * MIB);
  for (int i = 0; i < 64; i++)
    arn_free(blocks[i]);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const struct CMUnitTest tests[] = {
      TEST(spans_and_runs_hold_their_contents),
      TEST(the_pages_of_a_run_move),
      TEST(free_pages_go_where_a_run_is),
      TEST(pages_move_more_than_once),
      TEST(locked_pages_stay),
      TEST(every_byte_is_counted),
      TEST(huge_blocks_grow_and_shrink),
      TEST(huge_memory_returns),
      TEST(fresh_calloc_touches_nothing),
      TEST(fresh_spans_touch_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
