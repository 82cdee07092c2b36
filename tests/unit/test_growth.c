/* test_growth.c - before memory grows past its peak, what is free is used, or given back.
 *
 * In pieces that do not fit: those go back to the system (arn_give_for_growth). In bins: those are emptied
 * (gather.h).
 */
#include "support.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

enum { MIB = 1024 * 1024 };

static int begin(void **state) {
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.purge_delay_ms = 3600 * 1000; /* nothing goes back but for growth */
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
  size_t pool = arn_geometry_get().pool_size;
  enum { PIECES = 2048, SPANS = 32 };
  static void *pieces[PIECES], *spans[SPANS];
  for (int i = 0; i < PIECES; i++)
    support_fill(pieces[i] = arn_malloc(2 * pool + 1), 2 * pool, 1); /* a span of three pools */
  size_t at_peak = support_rss();
  for (int i = 0; i < PIECES; i += 2)
    arn_free(pieces[i]);
  size_t span = 16 * pool;
  for (int i = 0; i < SPANS; i++)
    support_fill(spans[i] = arn_malloc(span), span, 2);
  assert_true(SPANS * span >= 8 * MIB);
  assert_in_range(support_rss(), 0, at_peak + 3 * MIB);
  support_check(*state);
  for (int i = 0; i < SPANS; i++) {
    assert_true(support_holds(spans[i], span, span, 2));
    arn_free(spans[i]);
  }
  for (int i = 1; i < PIECES; i += 2) {
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
  assert_in_range(stats.free_bytes, 0, 3 * MIB);
  support_check(*state);
  for (size_t i = 0; i < GROWTH / SIZE; i++)
    arn_free(grown[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(holes_pay_for_spans, begin, end),
      cmocka_unit_test_setup_teardown(bins_are_emptied_for_growth, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
