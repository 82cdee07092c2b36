// threads
/* test_gil.c - the global interpreter lock: one thread at a time, dropped where a thread offers it,
 * and the one that asked gets it.
 *
 * No speed is asserted: only that things happen, within ten times the interval that promises them
 * (and a good deal more on a machine that is busy).
 */
#include "support.h"

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 3 };

static arn_runtime *start(uint32_t interval_us) {
  arn_config config = support_config(ARN_MODE_GIL);
  config.switch_interval_us = interval_us;
  return support_start_with(&config);
}

/* Joins with the GIL dropped, so that the others can end. */
static void join(pthread_t *threads, int count) {
  ARN_BEGIN_ALLOW_THREADS
  for (int i = 0; i < count; i++)
    pthread_join(threads[i], NULL);
  ARN_END_ALLOW_THREADS
}

/* A counter that is neither atomic nor locked: the GIL is its lock (and tsan would say so). */
struct counting {
  arn_runtime *runtime;
  long counter, rounds;
  atomic_int started;
};

static void *count(void *context) {
  struct counting *counting = context;
  atomic_fetch_add(&counting->started, 1);
  REQUIRE(arn_thread_attach(counting->runtime) == 0);
  for (long i = 0; i < counting->rounds; i++) {
    long seen = counting->counter;
    void *block = arn_malloc(64);
    REQUIRE(block != NULL);
    counting->counter = seen + 1;
    arn_free(block);
    if (i % 1000 == 999) {
      ARN_BEGIN_ALLOW_THREADS
      ARN_END_ALLOW_THREADS
    }
    arn_safepoint();
  }
  arn_thread_detach();
  return NULL;
}

static void one_thread_at_a_time(void **state) {
  (void)state;
  struct counting counting = {start(50), 0, (long)support_scaled(300000), 0};
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, count, &counting), 0);
  while (atomic_load(&counting.started) < THREADS)
    support_sleep_ms(1);
  support_sleep_ms(20); /* now all of them wait */
  join(threads, THREADS);
  assert_int_equal(counting.counter, THREADS * counting.rounds);
  arn_stats stats = support_stats(counting.runtime);
  assert_true(stats.gil_takes >= THREADS * (uint64_t)counting.rounds / 1000);
  assert_true(stats.gil_switches > 0);
  assert_true(stats.gil_waits >= THREADS);
  assert_true(stats.gil_wait_ns >= THREADS * UINT64_C(10000000));
  support_end(counting.runtime);
}

/* A thread that waits gets the lock although the holder never stops. */
struct spinning {
  arn_runtime *runtime;
  atomic_int got;
  atomic_ullong asked_ns, got_ns;
};

static void *ask(void *context) {
  struct spinning *spinning = context;
  atomic_store(&spinning->asked_ns, support_now_ns());
  REQUIRE(arn_thread_attach(spinning->runtime) == 0);
  atomic_store(&spinning->got_ns, support_now_ns());
  atomic_fetch_add(&spinning->got, 1);
  arn_thread_detach();
  return NULL;
}

static void waiting_thread_gets_it(void **state) {
  (void)state;
  enum { ROUNDS = 20, INTERVAL_US = 5000 };
  arn_runtime *runtime = start(INTERVAL_US);
  uint64_t within = 0;
  for (int i = 0; i < ROUNDS; i++) {
    struct spinning spinning = {.runtime = runtime};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ask, &spinning), 0);
    uint64_t begin = support_now_ns();
    while (atomic_load(&spinning.got) == 0) {
      arn_safepoint();
      assert_true(support_now_ns() - begin < 10000000000u);
    }
    within += spinning.got_ns - spinning.asked_ns < 10 * INTERVAL_US * UINT64_C(1000);
    join(&thread, 1);
  }
  /* Most of them; another program may have had the processor now and then. */
  assert_true(within >= ROUNDS / 2);
  arn_stats stats = support_stats(runtime);
  assert_true(stats.gil_waits >= ROUNDS);
  assert_true(stats.gil_switches >= ROUNDS);
  assert_true(stats.gil_wait_ns >= ROUNDS * UINT64_C(100000));
  support_end(runtime);
}

/* Forced switching: the holder that gave it up does not take it back before the one that asked. */
struct turns {
  arn_runtime *runtime;
  long mine, others;
  int stop;
};

static void *take_turns(void *context) {
  struct turns *turns = context;
  REQUIRE(arn_thread_attach(turns->runtime) == 0);
  while (!turns->stop) {
    turns->others++;
    arn_safepoint();
  }
  arn_thread_detach();
  return NULL;
}

static void both_make_progress(void **state) {
  (void)state;
  struct turns turns = {start(200), 0, 0, 0};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, take_turns, &turns), 0);
  uint64_t begin = support_now_ns();
  int changes = 0;
  long before = 0;
  while (changes < 50) {
    turns.mine++;
    arn_safepoint();
    changes += turns.others != before;
    before = turns.others;
    assert_true(support_now_ns() - begin < 20000000000u);
  }
  turns.stop = 1;
  join(&thread, 1);
  arn_stats stats = support_stats(turns.runtime);
  assert_true(stats.gil_switches >= 50);
  /* Nearly every time that one of them took it, the other had had it before. */
  assert_true(stats.gil_takes - stats.gil_switches <= stats.gil_takes / 4 + 5);
  support_end(turns.runtime);
}

/* A holder that says so lets the others run while it blocks. */
static void *run_meanwhile(void *context) {
  struct spinning *spinning = context;
  REQUIRE(arn_thread_attach(spinning->runtime) == 0);
  atomic_store(&spinning->got, 1);
  arn_thread_detach();
  return NULL;
}

static void blocking_holder_lets_others_run(void **state) {
  (void)state;
  struct spinning spinning = {.runtime = start(1000000)};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, run_meanwhile, &spinning), 0);
  support_sleep_ms(20);
  assert_int_equal(atomic_load(&spinning.got), 0); /* we hold it and offer nothing */
  uint64_t begin = support_now_ns();
  ARN_BEGIN_ALLOW_THREADS
  while (atomic_load(&spinning.got) == 0)
    support_sleep_ms(1);
  ARN_END_ALLOW_THREADS
  assert_true(support_now_ns() - begin < 900000000u); /* did not wait for the interval */
  join(&thread, 1);
  support_end(spinning.runtime);
}

/* Free-threaded there is nothing to wait for. */
static void *attach_beside(void *context) {
  REQUIRE(arn_thread_attach(context) == 0);
  arn_safepoint();
  arn_thread_detach();
  return NULL;
}

static void free_threads_do_not_wait(void **state) {
  (void)state;
  arn_runtime *runtime = support_start(ARN_MODE_FREE_THREADED);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, attach_beside, runtime), 0);
  pthread_join(thread, NULL); /* while this thread stays attached */
  arn_stats stats = support_stats(runtime);
  assert_int_equal(stats.gil_takes, 0);
  assert_int_equal(stats.gil_waits, 0);
  support_end(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_thread_at_a_time),     cmocka_unit_test(waiting_thread_gets_it),
      cmocka_unit_test(both_make_progress),       cmocka_unit_test(blocking_holder_lets_others_run),
      cmocka_unit_test(free_threads_do_not_wait),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
