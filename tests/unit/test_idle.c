// threads
/* test_idle.c - arn_idle: free memory goes back after the delay though nobody calls malloc.
 *
 * A program that has become quiet calls it from its idle loop: here a loop of short sleeps, until
 * the statistics say that what was freed is given back, or it took too long.
 */
#include "support.h"

#include "unit.h"

#include <pthread.h>
#include <stdlib.h>

enum { SIZE = 256, COUNT = 64 * 1024, BYTES = SIZE * COUNT, DELAY_MS = 20, PATIENCE_MS = 20000 };

static void *blocks[COUNT];

static arn_runtime *start(arn_mode mode, int delay) {
  arn_config config = support_config(mode);
  config.purge_delay_ms = delay;
  return support_start_with(&config);
}

static void fill(void) {
  for (size_t i = 0; i < COUNT; i++) {
    blocks[i] = arn_malloc(SIZE);
    REQUIRE(blocks[i] != NULL);
    support_fill(blocks[i], SIZE, i);
  }
}

static void free_but(size_t step) {
  for (size_t i = 0; i < COUNT; i++) {
    if (step != 0 && i % step == 0)
      continue;
    arn_free(blocks[i]);
    blocks[i] = NULL;
  }
}

static void assert_kept_and_free(void) {
  for (size_t i = 0; i < COUNT; i++)
    if (blocks[i] != NULL) {
      assert_true(support_holds(blocks[i], SIZE, SIZE, i));
      arn_free(blocks[i]);
    }
}

/* Bytes that hold pages and no blocks. */
static uint64_t free_bytes(arn_runtime *runtime) {
  arn_stats stats = support_stats(runtime);
  return stats.free_bytes;
}

/* Idles until at most limit bytes of free memory hold pages; the bytes that arn_idle gave back. */
static size_t idle_until(arn_runtime *runtime, uint64_t limit) {
  size_t given = 0;
  for (int ms = 0; ms < PATIENCE_MS && free_bytes(runtime) > limit; ms++) {
    given += arn_idle(runtime);
    support_sleep_ms(1);
  }
  assert_true(free_bytes(runtime) <= limit);
  return given;
}

static void free_pools_go_back(void **state) {
  (void)state;
  for (int mode = 0; mode < 2; mode++) {
    arn_runtime *runtime = start((arn_mode)mode, DELAY_MS);
    fill();
    size_t before = support_rss();
    free_but(0);
    uint64_t waiting = free_bytes(runtime); /* a slow build gave some back meanwhile */
    size_t given = idle_until(runtime, BYTES / 16);
    if (!support_is_classic()) { /* which gave its arenas back at once */
      assert_true(given >= waiting / 2);
      if (!SUPPORT_SANITIZED)
        assert_true(support_rss() + BYTES / 2 <= before);
    }
    support_check(runtime);
    support_end(runtime);
  }
}

/* Pages inside used pools too; what is in use between them stays as it was. */
static void pages_of_used_pools_go_back(void **state) {
  (void)state;
  if (support_is_classic())
    skip();
  for (int mode = 0; mode < 2; mode++) {
    arn_runtime *runtime = start((arn_mode)mode, DELAY_MS);
    fill();
    free_but(arn_geometry_get().pool_size / SIZE); /* one block is left in each pool */
    assert_true(free_bytes(runtime) > BYTES / 2 || SUPPORT_SANITIZED);
    size_t given = idle_until(runtime, BYTES / 2);
    assert_true(given > 0);
    assert_true(support_stats(runtime).purged_bytes > BYTES / 4);
    support_check(runtime);
    assert_kept_and_free();
    support_end(runtime);
  }
}

/* Not before its time, and with -1 never. */
static void never_means_never(void **state) {
  (void)state;
  if (support_is_classic())
    skip();
  static const int delays[] = {-1, 600000};
  for (size_t k = 0; k < 2; k++) {
    arn_runtime *runtime = start(ARN_MODE_FREE_THREADED, delays[k]);
    fill();
    free_but(arn_geometry_get().pool_size / SIZE * 4); /* whole pools, and pages */
    for (int i = 0; i < 100; i++) {
      assert_int_equal(arn_idle(runtime), 0);
      support_sleep_ms(1);
    }
    assert_int_equal(support_stats(runtime).purges, 0);
    assert_kept_and_free();
    support_end(runtime);
  }
}

/* A thread that is not attached looks after the arenas; so does one that is away, or that is
 * attached to another runtime. */
static void any_thread_may(void **state) {
  (void)state;
  for (int who = 0; who < 3; who++) {
    arn_runtime *runtime = start(ARN_MODE_FREE_THREADED, DELAY_MS), *other = NULL;
    fill();
    free_but(0);
    uint64_t waiting = free_bytes(runtime);
    arn_thread *away = who == 1 ? arn_save_thread() : NULL;
    if (away == NULL)
      arn_thread_detach();
    if (who == 2)
      other = support_start(ARN_MODE_GIL);
    size_t given = idle_until(runtime, BYTES / 16);
    assert_true(given >= waiting / 2 || support_is_classic());
    if (other != NULL)
      support_end(other);
    if (away != NULL)
      arn_restore_thread(away);
    else
      assert_int_equal(arn_thread_attach(runtime), 0);
    support_end(runtime);
  }
}

static void *frees_all(void *runtime) {
  REQUIRE(arn_thread_attach(runtime) == 0);
  free_but(0);
  arn_thread_detach();
  return NULL;
}

/* What others have freed waits for its owner, who may call no malloc for a long time. */
static void what_waits_is_drained(void **state) {
  (void)state;
  arn_runtime *runtime = start(ARN_MODE_FREE_THREADED, -1);
  fill();
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, frees_all, runtime), 0);
  pthread_join(thread, NULL);
  assert_true(support_stats(runtime).deferred_bytes >= BYTES / 2);
  for (int i = 0; i < COUNT && support_stats(runtime).deferred_bytes > 0; i++)
    arn_idle(runtime);
  assert_int_equal(support_stats(runtime).deferred_bytes, 0);
  assert_int_equal(support_stats(runtime).live_bytes, 0);
  support_end(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(free_pools_go_back),    cmocka_unit_test(pages_of_used_pools_go_back),
      cmocka_unit_test(never_means_never),     cmocka_unit_test(any_thread_may),
      cmocka_unit_test(what_waits_is_drained),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
