/* test_bins.c - bins keep their books, whatever their size, and give away what is too much. */
#include "support.h"

#include "heap.h"
#include "unit.h"

enum { MOST = 3000 };

static void *blocks[MOST];

static int begin(void **state) {
  *state = support_start(ARN_MODE_FREE_THREADED);
  return 0;
}

static int end(void **state) {
  support_end(*state);
  return 0;
}

/* Waves of blocks of one size: each runs a bin empty, and then over. The size of a bin grows, and what is
 * in it is counted right before and after it did. */
static void waves(void **state) {
  static const size_t sizes[] = {16, 200, 1000, 3000, 5000, 9000, 20000, 32000};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    size_t count = 400000 / sizes[i] + 3;
    count = count < MOST ? count : MOST;
    for (int wave = 0; wave < 100; wave++) {
      for (size_t b = 0; b < count; b++)
        assert_non_null(blocks[b] = arn_malloc(sizes[i]));
      for (size_t b = 0; b < count; b++)
        arn_free(blocks[b]);
      support_check(*state); /* at once: the next wave would empty the bin and count anew */
    }
  }
  assert_int_equal(support_stats(*state).live_bytes, 0);
}

/* A bin gives away what is too much of it: of 4 MB that are freed at once, most leave the bins, also
 * after a program that has made these as large as they may be. */
static void what_is_too_much_leaves(void **state) {
  if (support_is_classic())
    skip();
  enum { SIZE = 8192, COUNT = 500 };
  for (int wave = 0; wave < 300; wave++) {
    for (int b = 0; b < COUNT; b++)
      assert_non_null(blocks[b] = arn_malloc(SIZE));
    for (int b = 0; b < COUNT; b++)
      arn_free(blocks[b]);
  }
  /* Whole pools are free, so their slots are the arenas', but for a bin and the kept runs. */
  uint64_t pools = 0;
  arn_stats stats = support_stats(*state);
  for (uint32_t i = 0; i < stats.class_count; i++)
    if (stats.classes[i].block_size == SIZE)
      pools = stats.classes[i].pools;
  assert_in_range(pools, 0, 32);
}

static int begin_unhurried(void **state) {
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.purge_delay_ms = -1; /* no bin begins anew because time has passed */
  *state = support_start_with(&config);
  return 0;
}

static void wave(size_t size, size_t count) {
  for (size_t b = 0; b < count; b++)
    assert_non_null(blocks[b] = arn_malloc(size));
  for (size_t b = 0; b < count; b++)
    arn_free(blocks[b]);
}

/* A bin that is too long and empty in turns may have more than one that only is too long; and both
 * begin anew when giving back comes to them. */
static void those_that_turn_have_most(void **state) {
  if (support_is_classic())
    skip();
  enum { SIZE = 8192 };
  uint32_t class = arn_class_of(SIZE);
  const arn_class *k = &arn_classes[class];
  const arn_bin *bin = &arn_self->bins[class];
  assert_true(k->binned < k->overfull && k->overfull < k->turning);
  for (int i = 0; i < 3; i++)
    wave(SIZE, 500); /* too long hundreds of times, empty three times */
  assert_in_range(bin->most, k->binned + 1, k->overfull);
  arn_trim(*state, 0);
  assert_int_equal(bin->most, arn_bin_first(class));
  for (int i = 0; i < 200; i++)
    wave(SIZE, k->overfull + 20u);
  assert_in_range(bin->most, k->overfull + 1, k->turning);
  support_check(*state);
  arn_trim(*state, 0);
  assert_int_equal(bin->most, arn_bin_first(class));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(waves, begin, end),
      cmocka_unit_test_setup_teardown(what_is_too_much_leaves, begin, end),
      cmocka_unit_test_setup_teardown(those_that_turn_have_most, begin_unhurried, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
