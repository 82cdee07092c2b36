/* test_property.c - random operations against a model of what is live (tests/support/live.h).
 *
 * Sizes from 1 byte to 4 MiB, most of them small; every block's contents are verified when it is
 * resized or freed, and now and then all of them, with no overlap; the whole heap is checked after
 * each phase. Repeat a failure with ARENITE_TEST_SEED.
 */
#include "support.h"

#include "live.h"
#include "unit.h"

enum { LARGEST = 4 * 1024 * 1024, PHASES = 12, CAPACITY = 8000 };

static void add(struct live *live, uint64_t *random, size_t largest) {
  size_t size = support_size(random, largest);
  uint64_t kind = support_below(random, 8), seed = support_random(random);
  void *block;
  if (kind == 0) {
    block = arn_calloc(1, size);
    assert_non_null(block);
    assert_true(support_is_zero(block, size));
  } else if (kind == 1) {
    size_t alignment = (size_t)1 << support_below(random, 15);
    block = arn_aligned_alloc(alignment, size);
    assert_int_equal((uintptr_t)block % alignment, 0);
  } else {
    block = arn_malloc(size);
  }
  assert_non_null(block);
  assert_true(arn_usable_size(block) >= size);
  if (!live_add(live, block, size, seed))
    arn_free(block);
}

static void resize(struct live *live, uint64_t *random, size_t largest) {
  struct live_block old = live_take(live, support_below(random, live->count));
  size_t size = support_below(random, 3) == 0 ? old.size + support_below(random, 1 + old.size / 4)
                                              : support_size(random, largest);
  void *block = arn_realloc(old.at, size);
  assert_non_null(block);
  assert_true(support_holds(block, old.size, old.size < size ? old.size : size, old.seed));
  assert_true(live_add(live, block, size, support_random(random)));
}

static void drop(struct live *live, uint64_t *random) {
  struct live_block old = live_take(live, support_below(random, live->count));
  if (support_below(random, 4) == 0)
    arn_free_sized(old.at, old.size);
  else
    arn_free(old.at);
}

static void run(arn_mode mode, bool private_arenas, int purge_delay) {
  arn_config config = support_config(mode);
  config.private_arenas = private_arenas;
  config.purge_delay_ms = purge_delay;
  arn_runtime *runtime = support_start_with(&config);
  uint64_t random = support_seed();
  struct live live;
  live_open(&live, CAPACITY);
  size_t operations = support_scaled(120000);
  for (int phase = 0; phase < PHASES; phase++) {
    /* Grow, shrink, hold; small blocks alone, or all sizes. */
    size_t grow = phase % 3 == 0 ? 70 : phase % 3 == 1 ? 30 : 50;
    size_t largest = phase % 4 == 3 ? 400 : LARGEST;
    for (size_t i = 0; i < operations / PHASES; i++) {
      size_t dice = support_below(&random, 100);
      if (live.count == 0 || dice < grow)
        add(&live, &random, largest);
      else if (dice >= 90)
        resize(&live, &random, largest);
      else
        drop(&live, &random);
    }
    live_verify(&live);
    support_check(runtime);
    if (phase % 5 == 4) {
      arn_trim(runtime, 0);
      live_verify(&live);
      support_check(runtime);
    }
  }
  while (live.count > 0)
    drop(&live, &random);
  live_close(&live);
  assert_int_equal(support_stats(runtime).live_bytes, 0);
  assert_int_equal(support_stats(runtime).huge_blocks, 0);
  support_end(runtime);
}

static void gil(void **state) {
  (void)state;
  run(ARN_MODE_GIL, false, 200);
}

static void free_threaded(void **state) {
  (void)state;
  run(ARN_MODE_FREE_THREADED, false, 1);
}

static void free_threaded_private_arenas(void **state) {
  (void)state;
  run(ARN_MODE_FREE_THREADED, true, 0);
}

static void gil_never_purged(void **state) {
  (void)state;
  run(ARN_MODE_GIL, true, -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gil),
      cmocka_unit_test(free_threaded),
      cmocka_unit_test(free_threaded_private_arenas),
      cmocka_unit_test(gil_never_purged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
