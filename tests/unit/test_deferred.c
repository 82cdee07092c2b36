// threads
/* test_deferred.c - blocks freed by a thread that does not own them wait for their owner, within a
 * budget: the owner takes them at its next mallocs, a part at a time, or at a safepoint when there
 * are too many; what belongs to a thread that has ended is taken in by whoever frees it.
 */
#include "support.h"

#include "unit.h"

#include <pthread.h>
#include <stdlib.h>

enum { SIZE = 128, COUNT = 100000, BUDGET = 1024 * 1024 };

static arn_runtime *runtime;
static void *blocks[COUNT];

static arn_runtime *start(void) {
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.deferred_budget = BUDGET;
  return support_start_with(&config);
}

static void fill(void) {
  for (int i = 0; i < COUNT; i++) {
    blocks[i] = arn_malloc(SIZE);
    REQUIRE(blocks[i] != NULL);
    support_fill(blocks[i], SIZE, (uint64_t)i);
  }
}

static void free_all(void) {
  for (int i = 0; i < COUNT; i++) {
    REQUIRE(support_holds(blocks[i], SIZE, SIZE, (uint64_t)i));
    arn_free(blocks[i]);
  }
}

static void *fill_and_end(void *context) {
  (void)context;
  REQUIRE(arn_thread_attach(runtime) == 0);
  fill();
  arn_thread_detach();
  return NULL;
}

static void *free_and_end(void *context) {
  (void)context;
  REQUIRE(arn_thread_attach(runtime) == 0);
  free_all();
  arn_thread_detach();
  return NULL;
}

static void in_a_thread(void *(*work)(void *)) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, work, NULL), 0);
  pthread_join(thread, NULL);
}

/* The owner has ended: nobody waits for it. */
static void orphans_hold_little(void **state) {
  (void)state;
  runtime = start();
  in_a_thread(fill_and_end);
  free_all();
  arn_stats stats = support_stats(runtime);
  assert_int_equal(stats.remote_frees, COUNT);
  assert_true(stats.deferred_bytes <= BUDGET);
  assert_true(stats.live_bytes == 0);
  support_end(runtime);
}

/* The owner lives and allocates: it gets back what was freed, and needs no new memory. */
static void owner_uses_them_again(void **state) {
  (void)state;
  runtime = start();
  fill();
  uint64_t arenas = support_stats(runtime).arenas;
  for (int round = 0; round < 3; round++) {
    in_a_thread(free_and_end);
    arn_stats stats = support_stats(runtime);
    assert_true(stats.deferred_bytes + stats.free_bytes >= (uint64_t)COUNT * SIZE / 2);
    assert_int_equal(stats.live_bytes, 0);
    fill();
    assert_true(support_stats(runtime).arenas <= arenas + 1);
  }
  assert_true(support_stats(runtime).inbox_drains > 0);
  free_all();
  support_end(runtime);
}

/* The owner lives and does nothing but pass safepoints: over the budget it takes them there. */
static void owner_passes_a_safepoint(void **state) {
  (void)state;
  runtime = start();
  fill();
  in_a_thread(free_and_end);
  for (int i = 0; i < 100; i++)
    arn_safepoint();
  arn_stats stats = support_stats(runtime);
  assert_true(stats.deferred_bytes <= BUDGET);
  assert_int_equal(stats.live_bytes, 0);
  support_end(runtime);
}

/* However much waits, a malloc takes a bounded part of it, whether the blocks are of its size or of
 * another, and though whole pools become free on the way; counted, not timed. */
static void one_malloc_takes_a_part(void **state) {
  (void)state;
  for (size_t size = SIZE; size >= SIZE / 2; size /= 2) {
    runtime = start();
    fill();
    in_a_thread(free_and_end);
    arn_stats before = support_stats(runtime), after = before;
    assert_true(before.deferred_bytes >= (uint64_t)COUNT * SIZE / 2);
    /* What the owner has on its lists comes first; then a malloc has to look into the inbox. */
    void **last = NULL;
    for (int i = 0; i < COUNT && after.inbox_drains == before.inbox_drains; i++) {
      void **block = arn_malloc(size);
      assert_non_null(block);
      *block = last;
      last = block;
      after = support_stats(runtime);
    }
    assert_true(after.inbox_drains > before.inbox_drains);
    assert_true(after.deferred_bytes < before.deferred_bytes);
    assert_true(after.deferred_bytes >= before.deferred_bytes / 10 * 9);
    support_check(runtime);
    /* The rest is not forgotten. */
    arn_trim(runtime, 0);
    assert_int_equal(support_stats(runtime).deferred_bytes, 0);
    for (void **next; last != NULL; last = next) {
      next = *last;
      arn_free(last);
    }
    assert_int_equal(support_stats(runtime).live_bytes, 0);
    support_end(runtime);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(orphans_hold_little),
      cmocka_unit_test(owner_uses_them_again),
      cmocka_unit_test(owner_passes_a_safepoint),
      cmocka_unit_test(one_malloc_takes_a_part),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
