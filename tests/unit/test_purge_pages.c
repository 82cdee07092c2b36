/* test_purge_pages.c - pages of used pools that go back to the system, and come back.
 *
 * A pool of each size is partly filled and partly freed, so that pages of free blocks lie between
 * used ones, at the edge of what was ever handed out too, and blocks reach over the ends of pages.
 * After arn_trim every block must come out once, and only once.
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(free_threaded),
      cmocka_unit_test(under_the_gil),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
