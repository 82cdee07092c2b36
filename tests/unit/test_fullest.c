/* test_fullest.c - memory comes from the fullest arena that has room, in every geometry and mode,
 * so that the others drain and go back to the system.
 *
 * Three arenas are filled with spans of ten pools (too large for a heap to keep); then 1 of the 6
 * spans of one is freed, 4 of another, 5 of the third, and what is allocated next must fill them in
 * this order. (The classic geometry has no spans; textbook/test_arenas.c says the same of its pools.)
 */
#include "support.h"

#include "unit.h"

#ifdef ARENITE_HARDENED
enum { SPANS = 6, POOLS = 9 }; /* the tenth is the span's guard */
#else
enum { SPANS = 6, POOLS = 10 };
#endif

static uintptr_t arena_of(const void *block) {
  return (uintptr_t)block & ~(uintptr_t)(arn_geometry_get().arena_size - 1);
}

static void fill(void **blocks, int count) {
  for (int i = 0; i < count; i++) {
    blocks[i] = arn_malloc(POOLS * arn_geometry_get().pool_size);
    assert_non_null(blocks[i]);
  }
}

static void fullest_first(arn_mode mode, bool private_arenas) {
  if (support_is_classic())
    skip();
  arn_config config = support_config(mode);
  config.private_arenas = private_arenas;
  config.purge_delay_ms = -1; /* no arena goes back meanwhile */
  arn_runtime *runtime = support_start_with(&config);
  void *blocks[3 * SPANS], *more[3 * SPANS];
  fill(blocks, 3 * SPANS);
  assert_int_equal(support_stats(runtime).arenas, 3);
  const int freed[3] = {4, 1, 5}, order[3] = {1, 0, 2};
  for (int arena = 0; arena < 3; arena++)
    for (int i = 0; i < SPANS; i++) {
      assert_int_equal(arena_of(blocks[arena * SPANS + i]), arena_of(blocks[arena * SPANS]));
      if (i < freed[arena])
        arn_free(blocks[arena * SPANS + i]);
    }
  fill(more, 10);
  for (int next = 0, i = 0; next < 3; next++)
    for (int count = freed[order[next]]; count > 0; count--, i++)
      assert_int_equal(arena_of(more[i]), arena_of(blocks[order[next] * SPANS + SPANS - 1]));
  assert_int_equal(support_stats(runtime).arenas, 3);
  for (int i = 0; i < 10; i++)
    arn_free(more[i]);
  for (int i = 0; i < 3 * SPANS; i++)
    if (i % SPANS >= freed[i / SPANS])
      arn_free(blocks[i]);
  /* Now all are free, and all of them go. */
  arn_trim(runtime, 0);
  assert_int_equal(support_stats(runtime).arenas, 0);
  assert_int_equal(support_stats(runtime).arenas_reclaimed, 3);
  support_end(runtime);
}

static void shared_arenas(void **state) {
  (void)state;
  fullest_first(ARN_MODE_FREE_THREADED, false);
}

static void private_arenas(void **state) {
  (void)state;
  fullest_first(ARN_MODE_FREE_THREADED, true);
}

static void under_the_gil(void **state) {
  (void)state;
  fullest_first(ARN_MODE_GIL, false);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shared_arenas),
      cmocka_unit_test(private_arenas),
      cmocka_unit_test(under_the_gil),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
