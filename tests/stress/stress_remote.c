// threads
// timeout: 300
/* stress_remote.c - threads that free each other's blocks, free-threaded.
 *
 * Every block goes through a table of slots, so that nearly all are freed by another thread than
 * the one that allocated them. After each phase the threads wait while the whole heap is checked.
 */
#include "support.h"

#include "slots.h"

#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, PHASES = 4 };

static arn_runtime *runtime;
static pthread_barrier_t barrier;
static size_t operations;
static uint64_t seed;

static void *work(void *context) {
  size_t number = (size_t)(uintptr_t)context;
  uint64_t random = seed + number;
  REQUIRE(arn_thread_attach(runtime) == 0);
  for (int phase = 0; phase < PHASES; phase++) {
    /* Small blocks alone; all sizes; small again; and and in the end each thread drains. */
    size_t largest = phase % 2 == 0 ? 1000 : 2 * 1024 * 1024;
    for (size_t i = 0; i < operations / (phase % 2 == 0 ? 1 : 8); i++) {
      slots_exchange(&random, largest);
      arn_safepoint();
    }
    pthread_barrier_wait(&barrier); /* no thread fills a slot after this */
    if (phase == PHASES - 1)
      slots_drain((number + 1) % THREADS, THREADS);
    pthread_barrier_wait(&barrier); /* the main thread checks */
    pthread_barrier_wait(&barrier);
  }
  if (number % 2 == 0)
    arn_thread_detach();
  return NULL;
}

static void run(bool private_arenas, int purge_delay) {
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.private_arenas = private_arenas;
  config.purge_delay_ms = purge_delay;
  config.deferred_budget = 1024 * 1024; /* small, so that it is reached */
  runtime = support_start_with(&config);
  pthread_t threads[THREADS];
  pthread_barrier_init(&barrier, NULL, THREADS + 1);
  for (int i = 0; i < THREADS; i++)
    REQUIRE(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i) == 0);
  for (int phase = 0; phase < PHASES; phase++) {
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    support_check(runtime);
    pthread_barrier_wait(&barrier);
  }
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&barrier);
  arn_stats stats = support_stats(runtime);
  REQUIRE(stats.remote_frees > 0);
  /* A block that was freed to an owner that has changed is passed on, to one that may have been
   * looked at already; so once is not enough. */
  for (int i = 0; i < 3; i++)
    arn_trim(runtime, 0);
  stats = support_stats(runtime);
  printf("%llu remote frees, %llu pushes, %llu drains, %llu forwarded; deferred at the end: %llu\n",
         (unsigned long long)stats.remote_frees, (unsigned long long)stats.inbox_pushes,
         (unsigned long long)stats.inbox_drains, (unsigned long long)stats.forwarded,
         (unsigned long long)stats.deferred_bytes);
  /* Nothing is lost: no block is live, none waits for an owner that is gone. */
  REQUIRE(stats.live_bytes == 0);
  REQUIRE(stats.deferred_bytes == 0);
  REQUIRE(stats.huge_blocks == 0);
  support_end(runtime);
}

int main(void) {
  seed = support_seed();
  operations = support_scaled(400000);
  run(false, 1);
  run(true, 200);
  return 0;
}
