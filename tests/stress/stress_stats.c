// threads
/* stress_stats.c - statistics of a busy runtime, as arenite/stats.h promises: any thread, any time.
 *
 * Two threads allocate, create and destroy extra heaps, detach and attach again; the main thread
 * counts, idles and trims beside them. What the counts say of a moment is not judged, only that
 * counting reads nothing that is gone, and that in the end nothing is left.
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 2, LIVE = 64 };

static arn_runtime *runtime;
static atomic_bool ended;

static void use_an_extra_heap(void) {
  arn_heap *heap;
  REQUIRE(arn_heap_create(runtime, &heap) == 0);
  REQUIRE(arn_heap_malloc(heap, 100) != NULL);
  arn_heap_destroy(heap);
}

static void drop_all(void **live) {
  for (int i = 0; i < LIVE; i++) {
    arn_free(live[i]);
    live[i] = NULL;
  }
}

static void *work(void *context) {
  uint64_t random = (uint64_t)(uintptr_t)context + 1;
  void *live[LIVE] = {NULL};
  REQUIRE(arn_thread_attach(runtime) == 0);
  while (!ended) {
    size_t i = support_below(&random, LIVE);
    arn_free(live[i]);
    live[i] = arn_malloc(support_size(&random, 2 << 20));
    if (support_below(&random, 500) == 0)
      use_an_extra_heap();
    if (support_below(&random, 3000) == 0) {
      drop_all(live);
      arn_thread_detach();
      REQUIRE(arn_thread_attach(runtime) == 0);
    }
  }
  drop_all(live);
  arn_thread_detach();
  return NULL;
}

int main(void) {
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.purge_delay_ms = 1;
  runtime = support_start_with(&config);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    REQUIRE(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i) == 0);
  bool quick = getenv("ARENITE_TEST_QUICK") != NULL;
  uint64_t until = support_now_ns() + (quick ? 1 : 3) * UINT64_C(1000000000);
  size_t looks = 0;
  for (; support_now_ns() < until; looks++) {
    REQUIRE(support_stats(runtime).class_count > 0);
    if (looks % 8 == 0)
      arn_idle(runtime);
    if (looks % 50 == 0)
      arn_trim(runtime, 0);
  }
  ended = true;
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  arn_trim(runtime, 0);
  support_check(runtime);
  REQUIRE(support_stats(runtime).live_bytes == 0);
  support_end(runtime);
  printf("%zu looks\n", looks);
  return 0;
}
