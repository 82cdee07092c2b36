// threads
// timeout: 300
/* stress_churn.c - threads that come and go while others hold their blocks.
 *
 * 2,000 short threads, a few at a time. Each attaches, passes blocks on through the slots, and
 * ends: some after detaching, some attached, some after attaching and detaching many times. What
 * they leave behind is freed by threads that came later.
 */
#include "support.h"

#include "slots.h"

#include <pthread.h>
#include <stdio.h>

enum { AT_ONCE = 6, PHASES = 4 };

static arn_runtime *runtime;

static void *live_shortly(void *context) {
  uint64_t random = (uint64_t)(uintptr_t)context;
  size_t lives = 1 + support_below(&random, 4);
  size_t largest = support_below(&random, 4) ? 2000 : 400000;
  for (size_t life = 0; life < lives; life++) {
    REQUIRE(arn_thread_attach(runtime) == 0);
    size_t operations = support_below(&random, 200);
    for (size_t i = 0; i < operations; i++) {
      slots_exchange(&random, largest);
      if (i % 50 == 49) {
        ARN_BEGIN_ALLOW_THREADS
        ARN_END_ALLOW_THREADS
      }
      arn_safepoint();
    }
    if (support_below(&random, 20) == 0)
      arn_trim(runtime, 0);
    if (life + 1 < lives || support_below(&random, 2) == 0)
      arn_thread_detach();
  }
  return NULL;
}

static void run(arn_mode mode, bool private_arenas, size_t threads) {
  arn_config config = support_config(mode);
  config.private_arenas = private_arenas;
  config.purge_delay_ms = 1;
  REQUIRE(arn_runtime_create(&runtime, &config) == 0);
  uint64_t random = support_seed();
  pthread_t running[AT_ONCE];
  size_t started = 0, joined = 0;
  for (int phase = 0; phase < PHASES; phase++) {
    size_t until = threads * (size_t)(phase + 1) / PHASES;
    for (; started < until; started++) {
      if (started - joined == AT_ONCE)
        pthread_join(running[joined++ % AT_ONCE], NULL);
      void *own = (void *)(uintptr_t)support_random(&random);
      REQUIRE(pthread_create(&running[started % AT_ONCE], NULL, live_shortly, own) == 0);
    }
    while (joined < started)
      pthread_join(running[joined++ % AT_ONCE], NULL);
    support_check(runtime);
  }
  REQUIRE(arn_thread_attach(runtime) == 0);
  slots_drain(0, 1);
  /* A block that was freed to an owner that has changed is passed on, to one that may have been
   * looked at already; so once is not enough. */
  for (int i = 0; i < 3; i++)
    arn_trim(runtime, 0);
  arn_stats stats = support_stats(runtime);
  printf("%zu threads: %llu heaps, %llu orphans, %llu adoptions, %llu scavenged pools\n", threads,
         (unsigned long long)stats.heaps, (unsigned long long)stats.orphans,
         (unsigned long long)stats.adoptions, (unsigned long long)stats.scavenged_pools);
  REQUIRE(stats.live_bytes == 0);
  REQUIRE(stats.deferred_bytes == 0);
  REQUIRE(stats.huge_blocks == 0);
  REQUIRE(stats.heaps <= 2 * AT_ONCE + 2);
  support_end(runtime);
}

int main(void) {
  size_t threads = support_scaled(2000);
  run(ARN_MODE_FREE_THREADED, false, threads);
  run(ARN_MODE_FREE_THREADED, true, threads / 4);
  run(ARN_MODE_GIL, false, threads / 4);
  return 0;
}
