// threads
/* hardened_rightful.c - nothing is wrong with blocks that wander: freed by other threads, handed out
 * again by them, sent home, taken over from threads that ended, resized. */
#include "hardened.h"

#include <stdatomic.h>

enum { THREADS = 4, SHARED = 4096, ROUNDS = 100000 };

static _Atomic(void *) shared[SHARED];
static uint64_t seed;

static void *wander(void *context) {
  uint64_t state = seed + (uintptr_t)context;
  REQUIRE(arn_thread_attach(runtime) == 0);
  for (size_t round = 0; round < support_scaled(ROUNDS); round++) {
    size_t place = support_below(&state, SHARED);
    void *block = arn_malloc(support_size(&state, 8192));
    block = arn_realloc(block, support_size(&state, 8192));
    REQUIRE(block != NULL);
    arn_free(atomic_exchange(&shared[place], block));
    if (support_below(&state, 20000) == 0) { /* the heap becomes an orphan, and somebody's again */
      arn_thread_detach();
      REQUIRE(arn_thread_attach(runtime) == 0);
    }
    if (support_below(&state, 5000) == 0)
      arn_trim(runtime, 0);
  }
  arn_thread_detach();
  return NULL;
}

int main(void) {
  begin();
  seed = support_seed();
  pthread_t threads[THREADS];
  for (int again = 0; again < 2; again++) {
    for (uintptr_t i = 0; i < THREADS; i++)
      REQUIRE(pthread_create(&threads[i], NULL, wander, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++)
      pthread_join(threads[i], NULL);
    support_check(runtime);
  }
  for (int i = 0; i < SHARED; i++)
    arn_free(shared[i]);
  support_end(runtime);
  return 0;
}
