// threads
/* test_runtime.c - runtimes come and go, threads attach and detach, and at the end of a runtime the
 * process is as it was before.
 */
#include "support.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { MIB = 1024 * 1024 };

static const arn_mode modes[] = {ARN_MODE_FREE_THREADED, ARN_MODE_GIL};

static void create_and_destroy(void **state) {
  (void)state;
  for (int i = 0; i < 20; i++) {
    arn_config config = support_config(modes[i % 2]);
    arn_runtime *runtime = NULL;
    assert_int_equal(arn_runtime_create(&runtime, &config), 0);
    assert_int_equal(arn_runtime_mode(runtime), modes[i % 2]);
    assert_null(arn_runtime_current());
    arn_runtime_destroy(runtime);
  }
  arn_runtime_destroy(NULL);
}

static void attach_and_detach(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    arn_runtime *runtime = support_start(modes[i]);
    assert_ptr_equal(arn_runtime_current(), runtime);
    assert_int_equal(arn_thread_attach(runtime), EBUSY);
    arn_thread *saved = arn_save_thread();
    assert_null(arn_runtime_current());
    assert_int_equal(arn_thread_attach(runtime), EBUSY);
    arn_restore_thread(saved);
    assert_ptr_equal(arn_runtime_current(), runtime);
    ARN_BEGIN_ALLOW_THREADS
    assert_null(arn_runtime_current());
    ARN_END_ALLOW_THREADS
    void *block = arn_malloc(100);
    arn_thread_detach();
    assert_null(arn_runtime_current());
    arn_thread_detach(); /* does nothing */
    arn_safepoint();     /* nothing either */
    assert_int_equal(arn_thread_attach(runtime), 0);
    arn_free(block);
    support_end(runtime);
  }
}

static void bad_configs_are_refused(void **state) {
  (void)state;
  arn_config config = support_config(ARN_MODE_GIL);
  arn_runtime *runtime;
  config.mode = (arn_mode)7;
  assert_int_equal(arn_runtime_create(&runtime, &config), EINVAL);
  config.mode = ARN_MODE_GIL;
  config.purge_delay_ms = -2;
  assert_int_equal(arn_runtime_create(&runtime, &config), EINVAL);
}

/* Both modes side by side: one thread in each, and each frees a block of the other's. */
static void *gil_side(void *context) {
  void **exchange = context;
  arn_runtime *runtime = support_start(ARN_MODE_GIL);
  exchange[1] = arn_malloc(200);
  support_fill(exchange[1], 200, 2);
  arn_free(exchange[0]); /* of the other runtime */
  arn_thread_detach();
  exchange[2] = runtime;
  return NULL;
}

static void both_modes_side_by_side(void **state) {
  (void)state;
  arn_runtime *runtime = support_start(ARN_MODE_FREE_THREADED);
  void *exchange[3] = {arn_malloc(100), NULL, NULL};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, gil_side, exchange), 0);
  pthread_join(thread, NULL);
  assert_true(support_holds(exchange[1], 200, 200, 2));
  arn_free(exchange[1]);
  support_check(runtime);
  support_check(exchange[2]);
  support_end(runtime);
  arn_runtime_destroy(exchange[2]);
}

struct visitor {
  arn_runtime *runtime;
  void *block;
};

static void *ends_attached(void *context) {
  struct visitor *visitor = context;
  REQUIRE(arn_thread_attach(visitor->runtime) == 0);
  visitor->block = arn_malloc(200);
  support_fill(visitor->block, 200, 9);
  return NULL; /* without detaching */
}

static void thread_that_ends_is_detached(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    arn_runtime *runtime = support_start(modes[i]);
    struct visitor visitor = {runtime, NULL};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ends_attached, &visitor), 0);
    arn_thread *saved = arn_save_thread(); /* so that it can have the GIL */
    pthread_join(thread, NULL);
    arn_restore_thread(saved);
    assert_true(support_holds(visitor.block, 200, 200, 9));
    if (modes[i] == ARN_MODE_FREE_THREADED)
      assert_int_equal(support_stats(runtime).orphans, 1);
    arn_free(visitor.block);
    support_end(runtime); /* aborts when a thread is attached still */
  }
}

/* A new thread adopts the heap that another one left, so that threads do not add up. */
static void orphans_are_adopted(void **state) {
  (void)state;
  arn_runtime *runtime = support_start(ARN_MODE_FREE_THREADED);
  for (int i = 0; i < 50; i++) {
    struct visitor visitor = {runtime, NULL};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ends_attached, &visitor), 0);
    pthread_join(thread, NULL);
    arn_free(visitor.block);
  }
  arn_stats stats = support_stats(runtime);
  assert_true(stats.heaps <= 3);
  assert_true(stats.adoptions >= 48);
  support_end(runtime);
}

static void busy_life(arn_mode mode) {
  arn_runtime *runtime = support_start(mode);
  enum { COUNT = 5000 };
  static void *blocks[COUNT];
  /* In classic, larger ones are libc's and do not go with the runtime. */
  size_t largest = support_is_classic() ? arn_geometry_get().small_limit : 8 * MIB;
  uint64_t random = 1;
  for (int i = 0; i < COUNT; i++) {
    size_t size = i % 1000 == 0 && largest > MIB ? 40 * MIB : support_size(&random, largest);
    blocks[i] = arn_malloc(size);
    assert_non_null(blocks[i]);
    support_fill(blocks[i], size, 1);
    if (i % 2 == 1) /* the others are left to the end of the runtime */
      arn_free(blocks[i]);
  }
  struct visitor visitor = {runtime, NULL};
  pthread_t thread;
  arn_thread *saved = arn_save_thread();
  assert_int_equal(pthread_create(&thread, NULL, ends_attached, &visitor), 0);
  pthread_join(thread, NULL);
  arn_restore_thread(saved);
  support_end(runtime);
}

static void everything_goes_back(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++)
    busy_life(modes[i]); /* what is done once per process is done now */
  size_t rss = support_rss(), mappings = support_mappings();
  for (int i = 0; i < 12; i++)
    busy_life(modes[i % 2]);
  if (SUPPORT_SANITIZED)
    return; /* its memory grows too */
  /* libc may have one thread's stack more, and its guard; how many arenas there were, and which of them had
   * their pages moved, is a matter of time (and chance, in the hardened build); what each life leaves
   * would be there twelve times. */
  assert_true(support_mappings() <= mappings + 10);
  assert_true(support_rss() <= rss + 2 * MIB);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(create_and_destroy),           cmocka_unit_test(attach_and_detach),
      cmocka_unit_test(bad_configs_are_refused),      cmocka_unit_test(both_modes_side_by_side),
      cmocka_unit_test(thread_that_ends_is_detached), cmocka_unit_test(orphans_are_adopted),
      cmocka_unit_test(everything_goes_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
