/* test_purge_pages.c - pages of used pools that go back to the system, and come back.
 *
 * A pool of each size is partly filled and partly freed, so that pages of free blocks lie between
 * used ones, at the edge of what was ever handed out too, and blocks reach over the ends of pages.
 * After arn_trim every block must come out once, and only once. By itself a heap looks into its
 * pools a few at a time; every class must have its turn.
 */
#include "support.h"

#include "unit.h"

#include <stdlib.h>

enum { MOST = 6000 };

static void *blocks[MOST];

static int by_address(const void *a, const void *b) {
  uintptr_t left = (uintptr_t) * (void *const *)a, right = (uintptr_t) * (void *const *)b;
  return (left > right) - (left < right);
}

/* No two of the count blocks overlap. */
static void assert_apart(int count, size_t size) {
  static void *sorted[MOST];
  for (int i = 0; i < count; i++)
    sorted[i] = blocks[i];
  qsort(sorted, (size_t)count, sizeof *sorted, by_address);
  for (int i = 1; i < count; i++)
    if ((uintptr_t)sorted[i] - (uintptr_t)sorted[i - 1] < size)
      fail_msg("blocks of %zu bytes at %p and %p overlap", size, sorted[i - 1], sorted[i]);
}

static void fill(int first, int count, size_t size) {
  for (int i = first; i < count; i++) {
    if (blocks[i] != NULL)
      continue;
    blocks[i] = arn_malloc(size);
    assert_non_null(blocks[i]);
    support_fill(blocks[i], size, (uint64_t)i);
  }
}

static void assert_contents(int count, size_t size) {
  for (int i = 0; i < count; i++)
    if (blocks[i] != NULL)
      assert_true(support_holds(blocks[i], size, size, (uint64_t)i));
}

static void empty(int first, int count, int step) {
  for (int i = first; i < count; i += step) {
    arn_free(blocks[i]);
    blocks[i] = NULL;
  }
}

/* touched: blocks handed out before the purge. kept: one of them that stays. */
static void one_pool(arn_runtime *runtime, size_t size, int touched, int kept) {
  int count = touched + (int)(2 * arn_geometry_get().pool_size / size) + 2;
  count = count < MOST ? count : MOST;
  fill(0, touched, size);
  void *keeper = blocks[kept];
  blocks[kept] = NULL;
  empty(0, touched, 1);
  blocks[kept] = keeper;
  arn_trim(runtime, 0);
  support_check(runtime);
  fill(0, count, size);
  assert_apart(count, size);
  assert_contents(count, size);
  support_check(runtime);
  /* And once more, with every page half free, and with all but a few free. */
  empty(0, count, 2);
  arn_trim(runtime, 0);
  support_check(runtime);
  empty(1, count, 6);
  empty(3, count, 6);
  arn_trim(runtime, 0);
  support_check(runtime);
  assert_contents(count, size);
  fill(0, count, size);
  assert_apart(count, size);
  assert_contents(count, size);
  support_check(runtime);
  empty(0, count, 1);
}

static void partly_filled(arn_mode mode) {
  arn_config config = support_config(mode);
  config.purge_delay_ms = -1; /* only arn_trim purges */
  arn_runtime *runtime = support_start_with(&config);
  uint64_t random = support_seed();
  for (uint32_t class = 0; class < arn_class_count(); class ++) {
    size_t size = arn_class_size(class);
    int page = (int)(4096 / size) + 1, most = (int)(3 * arn_geometry_get().pool_size / size) + 1;
    most = most < MOST / 3 ? most : MOST / 3;
    /* All but one block of the second page are free; then any number, and any block. */
    one_pool(runtime, size, 2 * page, page + page / 2);
    for (int i = 0; i < 3; i++) {
      int touched = 1 + (int)support_below(&random, (size_t)most);
      one_pool(runtime, size, touched, (int)support_below(&random, (size_t)touched));
    }
  }
  assert_int_equal(support_stats(runtime).live_bytes, 0);
  support_end(runtime);
}

static void free_threaded(void **state) {
  (void)state;
  partly_filled(ARN_MODE_FREE_THREADED);
}

static void under_the_gil(void **state) {
  (void)state;
  partly_filled(ARN_MODE_GIL);
}

/* One class has many used pools and nothing to purge; another has pages that wait. What the heap
 * does on the way, a few pools at a time, must come to the second all the same. */
static void every_class_has_its_turn(void **state) {
  (void)state;
  if (support_is_classic())
    skip();
  enum { MANY_POOLS = 40, WAITING_POOLS = 200, BUSY = 64, WAITING = 512, WORK = 600 };
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.purge_delay_ms = 5;
  arn_runtime *runtime = support_start_with(&config);
  size_t pool = arn_geometry_get().pool_size;
  size_t busy_count = MANY_POOLS * pool / BUSY, waiting_count = WAITING_POOLS * pool / WAITING;
  void **busy = malloc(busy_count * sizeof *busy), *work[WORK];
  void **waiting = malloc(waiting_count * sizeof *waiting);
  for (size_t i = 0; i < busy_count; i++)
    busy[i] = arn_malloc(BUSY);
  for (size_t i = 0; i < busy_count; i += 2)
    arn_free(busy[i]);
  for (size_t i = 0; i < waiting_count; i++) {
    waiting[i] = arn_malloc(WAITING);
    support_fill(waiting[i], WAITING, i);
  }
  size_t kept = pool / WAITING; /* one block in a pool */
  for (size_t i = 0; i < waiting_count; i++)
    if (i % kept != 0)
      arn_free(waiting[i]);
  uint32_t class = 0;
  while (arn_class_size(class) != WAITING)
    class ++;
  /* A trickle of work in a third class, until most of it is purged; or too long. */
  uint64_t purged = 0, until = support_now_ns() + 10 * UINT64_C(1000000000);
  while (purged < waiting_count / 2 && support_now_ns() < until) {
    for (int round = 0; round < 20; round++) {
      for (int i = 0; i < WORK; i++)
        work[i] = arn_malloc(128);
      for (int i = 0; i < WORK; i++)
        arn_free(work[i]);
    }
    purged = support_stats(runtime).classes[class].blocks_purged;
  }
  assert_true(purged >= waiting_count / 2);
  for (size_t i = 0; i < waiting_count; i += kept) {
    assert_true(support_holds(waiting[i], WAITING, WAITING, i));
    arn_free(waiting[i]);
  }
  for (size_t i = 1; i < busy_count; i += 2)
    arn_free(busy[i]);
  free(busy);
  free(waiting);
  support_end(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(free_threaded),
      cmocka_unit_test(under_the_gil),
      cmocka_unit_test(every_class_has_its_turn),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
