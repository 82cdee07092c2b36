// threads
// timeout: 300
/* stress_gil.c - threads that pass blocks to each other under the GIL.
 *
 * They drop it in every way there is: at safepoints with a short interval, around calls that block,
 * by detaching. A word that only the GIL protects says whether two ever hold it at once.
 */
#include "support.h"

#include "slots.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

enum { THREADS = 4, PHASES = 3 };

static arn_runtime *runtime;
static pthread_barrier_t barrier;
static size_t operations;
static uint64_t seed;
static size_t inside, done; /* the GIL's */

static void operate(uint64_t *random, size_t largest) {
  REQUIRE(inside++ == 0);
  slots_exchange(random, largest);
  done++;
  REQUIRE(--inside == 0);
}

static void *work(void *context) {
  uint64_t random = seed + (uint64_t)(uintptr_t)context;
  REQUIRE(arn_thread_attach(runtime) == 0);
  for (int phase = 0; phase < PHASES; phase++) {
    size_t largest = phase % 2 == 0 ? 1000 : 1024 * 1024;
    for (size_t i = 0; i < operations / (phase % 2 == 0 ? 1 : 8); i++) {
      operate(&random, largest);
      arn_safepoint();
      size_t dice = support_below(&random, 1000);
      if (dice == 0) {
        ARN_BEGIN_ALLOW_THREADS
        sched_yield();
        ARN_END_ALLOW_THREADS
      } else if (dice == 1) {
        arn_thread_detach();
        REQUIRE(arn_thread_attach(runtime) == 0);
      } else if (dice == 2 && support_below(&random, 10) == 0) {
        arn_trim(runtime, 0);
      }
    }
    ARN_BEGIN_ALLOW_THREADS
    pthread_barrier_wait(&barrier); /* the main thread checks */
    pthread_barrier_wait(&barrier);
    ARN_END_ALLOW_THREADS
  }
  return NULL; /* attached: detached by itself */
}

int main(void) {
  seed = support_seed();
  operations = support_scaled(200000);
  arn_config config = support_config(ARN_MODE_GIL);
  config.switch_interval_us = 100;
  config.purge_delay_ms = 1;
  REQUIRE(arn_runtime_create(&runtime, &config) == 0);
  pthread_t threads[THREADS];
  pthread_barrier_init(&barrier, NULL, THREADS + 1);
  for (int i = 0; i < THREADS; i++)
    REQUIRE(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i) == 0);
  for (int phase = 0; phase < PHASES; phase++) {
    pthread_barrier_wait(&barrier);
    REQUIRE(arn_thread_attach(runtime) == 0);
    support_check(runtime);
    arn_thread_detach();
    pthread_barrier_wait(&barrier);
  }
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  REQUIRE(arn_thread_attach(runtime) == 0);
  REQUIRE(done == THREADS * (2 * operations + operations / 8));
  slots_drain(0, 1);
  arn_stats stats = support_stats(runtime);
  printf("%llu takes, %llu waits, %llu switches\n", (unsigned long long)stats.gil_takes,
         (unsigned long long)stats.gil_waits, (unsigned long long)stats.gil_switches);
  REQUIRE(stats.live_bytes == 0);
  REQUIRE(stats.gil_switches > 0);
  support_end(runtime);
  return 0;
}
