// threads
/* test_warm.c - heaps of threads that lived briefly: adopted as they were left, bounded, and taken apart
 * when their time is over or somebody looks. */
#include "support.h"

#include <pthread.h>

#include "heap.h"
#include "unit.h"

static arn_runtime *runtime;
static pthread_barrier_t all_attached;

static void start(int32_t delay_ms) {
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.purge_delay_ms = delay_ms;
  runtime = support_start_with(&config);
}

static void allocate_and_free(void) {
  void *blocks[64];
  for (size_t i = 0; i < 64; i++)
    REQUIRE((blocks[i] = arn_malloc(16 + i * 16)) != NULL);
  for (size_t i = 0; i < 64; i++)
    arn_free(blocks[i]);
}

static void *lives_briefly(void *heap) {
  REQUIRE(arn_thread_attach(runtime) == 0);
  allocate_and_free();
  if (heap)
    *(arn_heap **)heap = arn_self;
  arn_thread_detach();
  return NULL;
}

static void run(arn_heap **heap) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, lives_briefly, heap), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
}

/* One after the other they use one heap, and take nothing from the arenas after the first. */
static void the_next_thread_takes_it(void **state) {
  (void)state;
  start(60000);
  arn_heap *first, *other;
  run(&first);
  for (int i = 0; i < 100; i++) {
    run(&other);
    assert_ptr_equal(first, other);
  }
  arn_stats stats = support_stats(runtime);
  assert_int_equal(stats.adoptions, 100);
  assert_int_equal(stats.heaps, 2); /* and this thread's */
  support_end(runtime);
}

/* Who counts, checks or trims sees an orphan that has nothing. */
static void who_looks_sees_an_orphan(void **state) {
  (void)state;
  start(60000);
  run(NULL);
  arn_stats stats = support_stats(runtime);
  assert_int_equal(stats.orphans, 1);
  assert_int_equal(stats.live_bytes, 0);
  run(NULL);
  support_check(runtime);
  run(NULL);
  arn_trim(runtime, 0);
  assert_int_equal(support_stats(runtime).free_bytes, 0);
  support_end(runtime);
}

static void *lives_with_all(void *unused) {
  REQUIRE(arn_thread_attach(runtime) == 0);
  allocate_and_free();
  pthread_barrier_wait(&all_attached);
  arn_thread_detach();
  return unused;
}

/* Many that end at once: a few heaps stay warm, the others are orphans, and nothing is lost. */
static void only_a_few_stay(void **state) {
  (void)state;
  enum { THREADS = 60 };
  start(60000);
  pthread_t threads[THREADS];
  for (int round = 0; round < 3; round++) {
    pthread_barrier_init(&all_attached, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
      assert_int_equal(pthread_create(&threads[i], NULL, lives_with_all, NULL), 0);
    for (int i = 0; i < THREADS; i++)
      assert_int_equal(pthread_join(threads[i], NULL), 0);
    pthread_barrier_destroy(&all_attached);
  }
  arn_stats stats = support_stats(runtime);
  /* One that comes while the last orphan is being looked at makes a heap of its own. */
  assert_in_range(stats.heaps, THREADS + 1, THREADS + 4);
  assert_int_equal(stats.orphans, stats.heaps - 1);
  assert_int_equal(stats.live_bytes, 0);
  support_check(runtime);
  support_end(runtime);
}

static uint32_t warm_heaps(void) {
  return load_relaxed(&arn_runtime_group(runtime)->warm_count);
}

/* When the delay is over, a thread that goes on takes it apart, and so does arn_idle. */
static void time_ends_it(void **state) {
  (void)state;
  start(20);
  for (int idle = 0; idle <= 1; idle++) {
    run(NULL);
    assert_int_equal(warm_heaps(), ARN_TEXTBOOK ? 0 : 1);
    support_sleep_ms(60);
    for (int i = 0; i < 1000 && warm_heaps(); i++) {
      if (idle)
        arn_idle(runtime);
      else
        arn_free(arn_malloc(100));
      support_sleep_ms(5);
    }
    assert_int_equal(warm_heaps(), 0);
    support_check(runtime);
  }
  support_end(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_next_thread_takes_it),
      cmocka_unit_test(who_looks_sees_an_orphan),
      cmocka_unit_test(only_a_few_stay),
      cmocka_unit_test(time_ends_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
