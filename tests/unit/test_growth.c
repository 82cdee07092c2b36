/* test_growth.c - before memory grows past its peak, what is free is used, or given back.
 *
 * In pieces that do not fit: those go back to the system (arn_give_for_growth). In bins: those are emptied
 * (gather.h).
 */
#include "support.h"

#include "heap.h"
#include "unit.h"

enum { MIB = 1024 * 1024 };

static int begin(void **state) {
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.purge_delay_ms = -1; /* nothing goes back but for growth */
  *state = support_start_with(&config);
  return 0;
}

static int end(void **state) {
  support_end(*state);
  return 0;
}

/* Half of the pools are free, one by one; then come spans that fit in no such hole. */
static void holes_pay_for_spans(void **state) {
  if (support_is_classic())
    skip();
  size_t pool = arn_geometry_get().pool_size, span = 16 * pool;
  enum { HELD = 64 * MIB, GROWTH = 8 * MIB, LEAST = 4096 };
  static void *pieces[HELD / LEAST], *spans[GROWTH / LEAST];
  size_t count = HELD / (2 * pool), growth = GROWTH / span;
  for (size_t i = 0; i < count; i++)
    support_fill(pieces[i] = arn_malloc(2 * pool + 1), 2 * pool, 1); /* a span of three pools */
  size_t at_peak = support_rss();
  for (size_t i = 0; i < count; i += 2)
    arn_free(pieces[i]);
  for (size_t i = 0; i < growth; i++)
    support_fill(spans[i] = arn_malloc(span), span, 2);
  assert_in_range(support_rss(), 0, at_peak + GROWTH / 2);
  support_check(*state);
  for (size_t i = 0; i < growth; i++) {
    assert_true(support_holds(spans[i], span, span, 2));
    arn_free(spans[i]);
  }
  for (size_t i = 1; i < count; i += 2) {
    assert_true(support_holds(pieces[i], 2 * pool, 2 * pool, 1));
    arn_free(pieces[i]);
  }
}

/* Blocks of many sizes come and go, and lie in bins; then memory grows by blocks of one size. */
static void bins_are_emptied_for_growth(void **state) {
  if (support_is_classic())
    skip();
  enum { SIZES = 64, BYTES = MIB / 4, LEAST = 16 };
  static void *blocks[BYTES / LEAST];
  size_t step = 32;
  for (int round = 0; round < 4; round++) /* bins grow when they are found empty */
    for (size_t i = 1; i <= SIZES; i++) {
      size_t count = BYTES / (i * step);
      for (size_t b = 0; b < count; b++)
        blocks[b] = arn_malloc(i * step);
      for (size_t b = 0; b < count; b++)
        arn_free(blocks[b]);
    }
  enum { GROWTH = 8 * MIB, SIZE = 4000 };
  static void *grown[GROWTH / SIZE];
  for (size_t i = 0; i < GROWTH / SIZE; i++)
    assert_non_null(grown[i] = arn_malloc(SIZE));
  arn_stats stats = support_stats(*state);
  assert_in_range(stats.free_bytes, 0, 3 * MIB + 16 * arn_geometry_get().pool_size);
  support_check(*state);
  for (size_t i = 0; i < GROWTH / SIZE; i++)
    arn_free(grown[i]);
}

/* A run that comes and goes is where memory has been before: bins are for that. */
static void bins_stay_when_memory_does_not_grow(void **state) {
  if (support_is_classic())
    skip();
  enum { SIZE = 4096, COUNT = 20, RUN = 4 * MIB };
  void *blocks[COUNT];
  for (int i = 0; i < COUNT; i++)
    blocks[i] = arn_malloc(SIZE);
  arn_free(arn_malloc(RUN));
  for (int i = 0; i < COUNT; i++)
    arn_free(blocks[i]);
  const arn_bin *bin = &arn_self->bins[arn_class_of(SIZE)];
  uint32_t before = arn_bin_blocks(bin);
  assert_true(before > 0);
  for (int i = 0; i < 20; i++)
    arn_free(arn_malloc(RUN));
  assert_int_equal(arn_bin_blocks(bin), before);
  support_check(*state);
}

/* A run that grows elsewhere is counted twice for a moment: that is no peak, and what grows after it is
 * paid for. */
static void a_move_is_no_peak(void **state) {
  if (support_is_classic() || ARN_HARDENED) /* there a guard keeps a run where it is */
    skip();
  enum { RUN = 8 * MIB };
  arn_arenas *set = arn_self->arenas;
  void *block = arn_malloc(RUN), *wall = arn_malloc(2 * MIB);
  uint64_t before = load_relaxed(&set->resident);
  block = arn_realloc(block, RUN + 2 * MIB);
  assert_non_null(block);
  assert_in_range(load_relaxed(&set->peak), before,
                  before + 4 * MIB / arn_geometry_get().pool_size);
  arn_free(block);
  arn_free(wall);
  support_check(*state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(holes_pay_for_spans, begin, end),
      cmocka_unit_test_setup_teardown(bins_are_emptied_for_growth, begin, end),
      cmocka_unit_test_setup_teardown(bins_stay_when_memory_does_not_grow, begin, end),
      cmocka_unit_test_setup_teardown(a_move_is_no_peak, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
