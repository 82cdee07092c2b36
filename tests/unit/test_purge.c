/* test_purge.c - free memory goes back to the system: now (arn_trim), after the delay, or at once.
 *
 * Each test fills 64 MiB of small blocks, frees them, and looks at the process's resident bytes.
 */
#include "support.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

enum { MIB = 1024 * 1024, FILLED = 64 * MIB, SIZE = 256, COUNT = FILLED / SIZE };
/* What may stay: a sanitizer's shadow, and the pools of the heap's current lists. */
enum { SLACK = 12 * MIB };

static void **blocks;

static int begin(void **state) {
  (void)state;
  blocks = malloc(COUNT * sizeof *blocks);
  memset(blocks, 0xff, COUNT * sizeof *blocks); /* resident before anything is measured */
  return 0;
}

static int end(void **state) {
  (void)state;
  free(blocks);
  return 0;
}

static arn_runtime *start(int delay) {
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.purge_delay_ms = delay;
  return support_start_with(&config);
}

static void fill(void) {
  for (size_t i = 0; i < COUNT; i++) {
    blocks[i] = arn_malloc(SIZE);
    assert_non_null(blocks[i]);
    memset(blocks[i], 1, SIZE);
  }
}

/* Every step-th one, from first. */
static void empty(size_t first, size_t step) {
  for (size_t i = first; i < COUNT; i += step)
    arn_free(blocks[i]);
}

static void trim_brings_rss_down(void **state) {
  (void)state;
  arn_runtime *runtime = start(-1);
  size_t before = support_rss();
  fill();
  assert_true(support_rss() >= before + FILLED);
  empty(0, 1);
  support_check(runtime);
  size_t given = arn_trim(runtime, 0);
  if (!support_is_classic()) /* which gave its arenas back at once */
    assert_true(given >= FILLED / 2);
  assert_true(support_rss() <= before + SLACK);
  support_check(runtime);
  arn_stats stats = support_stats(runtime);
  assert_int_equal(stats.live_bytes, 0);
  assert_true(stats.free_bytes <= MIB);
  support_end(runtime);
}

/* The memory that went back can be used again, and is counted right on the way. */
static void purged_memory_is_used_again(void **state) {
  (void)state;
  arn_runtime *runtime = start(0);
  for (int round = 0; round < 3; round++) {
    fill();
    support_check(runtime);
    empty(0, 2);
    arn_trim(runtime, 0);
    support_check(runtime);
    for (size_t i = 0; i < COUNT; i += 2) {
      blocks[i] = arn_calloc(1, SIZE);
      assert_true(support_is_zero(blocks[i], SIZE));
    }
    support_check(runtime);
    for (size_t i = 1; i < COUNT; i += 2)
      assert_int_equal(((char *)blocks[i])[SIZE - 1], 1);
    empty(0, 1);
    arn_trim(runtime, 0);
    support_check(runtime);
  }
  support_end(runtime);
}

static void trim_keeps_what_it_is_told(void **state) {
  (void)state;
  if (support_is_classic())
    skip();
  arn_runtime *runtime = start(-1);
  fill();
  empty(0, 1);
  size_t before = support_rss();
  arn_trim(runtime, FILLED / 2);
  assert_true(support_rss() >= before - FILLED / 2 - SLACK);
  arn_trim(runtime, 0);
  assert_true(support_rss() <= before - FILLED + 2 * SLACK);
  support_end(runtime);
}

static void never_means_never(void **state) {
  (void)state;
  if (support_is_classic())
    skip();
  arn_runtime *runtime = start(-1);
  fill();
  empty(0, 1);
  support_sleep_ms(300);
  for (int i = 0; i < 1000; i++)
    arn_free(arn_malloc(SIZE));
  arn_stats stats = support_stats(runtime);
  assert_int_equal(stats.purges, 0);
  assert_int_equal(stats.arenas_reclaimed, 0);
  support_end(runtime);
}

static void no_delay_means_at_once(void **state) {
  (void)state;
  arn_runtime *runtime = start(0);
  size_t before = support_rss();
  fill();
  empty(0, 1);
  assert_true(support_rss() <= before + SLACK);
  support_end(runtime);
}

/* After the delay, while the thread goes on with something else. */
static void delay_passes(void **state) {
  (void)state;
  arn_runtime *runtime = start(20);
  size_t before = support_rss();
  fill();
  empty(0, 1);
  bool down = false;
  for (int i = 0; i < 100 && !down; i++) {
    support_sleep_ms(20);
    void *work[500];
    for (int k = 0; k < 500; k++)
      work[k] = arn_malloc(64 + (size_t)k);
    for (int k = 0; k < 500; k++)
      arn_free(work[k]);
    arn_safepoint();
    down = support_rss() <= before + SLACK;
  }
  assert_true(down);
  support_end(runtime);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const struct CMUnitTest tests[] = {
      TEST(trim_brings_rss_down),       TEST(purged_memory_is_used_again),
      TEST(trim_keeps_what_it_is_told), TEST(never_means_never),
      TEST(no_delay_means_at_once),     TEST(delay_passes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
