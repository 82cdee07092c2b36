// threads
/* stress_extra.c - extra heaps come and go while another thread trims, idles and works.
 *
 * An extra heap's arenas go with it, at any moment: whoever looks at all heaps of a runtime must
 * leave them alone.
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { MAKERS = 2, SIZE = 200, BLOCKS = 50 };

static arn_runtime *runtime;
static size_t rounds;
static atomic_int makers;

static void use(arn_heap *heap, size_t seed) {
  void *blocks[BLOCKS];
  for (size_t i = 0; i < BLOCKS; i++) {
    blocks[i] = arn_heap_malloc(heap, SIZE);
    REQUIRE(blocks[i] != NULL);
    support_fill(blocks[i], SIZE, seed + i);
  }
  for (size_t i = 0; i < BLOCKS; i++) {
    REQUIRE(support_holds(blocks[i], SIZE, SIZE, seed + i));
    if (i % 3 == 0)
      arn_heap_free(heap, blocks[i]);
  }
}

/* Most heaps are dropped as soon as they are there, so that they come and go as fast as can be. */
static void *makes_heaps(void *context) {
  for (size_t i = 0; i < rounds; i++) {
    arn_heap *heap;
    REQUIRE(arn_heap_create(runtime, &heap) == 0);
    if (i % 32 == 0)
      use(heap, (size_t)context + i);
    arn_heap_destroy(heap);
  }
  atomic_fetch_sub(&makers, 1);
  return NULL;
}

static void run(bool private_arenas) {
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.purge_delay_ms = 0;
  config.private_arenas = private_arenas;
  runtime = support_start_with(&config);
  atomic_store(&makers, MAKERS);
  pthread_t threads[MAKERS];
  for (size_t i = 0; i < MAKERS; i++)
    REQUIRE(pthread_create(&threads[i], NULL, makes_heaps, (void *)(i * 1000)) == 0);
  size_t looks = 0;
  for (; atomic_load(&makers) > 0; looks++) {
    arn_trim(runtime, 0);
    if (looks % 32 == 0) {
      arn_idle(runtime);
      arn_free(arn_malloc(SIZE));
    }
  }
  for (size_t i = 0; i < MAKERS; i++)
    pthread_join(threads[i], NULL);
  printf("%zu heaps, %zu looks\n", MAKERS * rounds, looks);
  support_check(runtime);
  arn_trim(runtime, 0);
  REQUIRE(support_stats(runtime).live_bytes == 0);
  support_end(runtime);
}

int main(void) {
  rounds = support_scaled(60000);
  run(false);
  run(true);
  return 0;
}
