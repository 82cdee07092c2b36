// timeout: 60
/* malloc_cancel.c - malloc is no cancellation point: a thread that is cancelled goes on through malloc
 * and free, whatever they wait for inside, until it comes to a point that is one. So no thread ends in
 * the middle of either, with something taken that the others wait for.
 */
#include "served.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VICTIMS = 4, ROUNDS = 100, CALLS = 5000 };

static atomic_int waiting;
static atomic_bool cancelled, enough;

/* Cancelled before it begins; must reach the end of the loop. */
static void *is_cancelled(void *context) {
  int *calls = context;
  atomic_fetch_add(&waiting, 1);
  while (!atomic_load(&cancelled)) { /* no cancellation point in here */
  }
  for (*calls = 0; *calls < CALLS; ++*calls) {
    void *block = malloc((size_t)*calls % 3000);
    free(block);
    if (*calls % 1000 == 0)
      free(realloc(calloc(10, 10), 100000));
  }
  pthread_testcancel();
  return NULL;
}

static void *goes_on(void *context) {
  (void)context;
  while (!atomic_load(&enough))
    free(malloc(1000));
  return NULL;
}

int main(void) {
  pthread_t others[2];
  alarm(50);
  for (int i = 0; i < 2; i++)
    REQUIRE(pthread_create(&others[i], NULL, goes_on, NULL) == 0);
  for (size_t round = support_scaled(ROUNDS); round > 0; round--) {
    pthread_t victims[VICTIMS];
    int calls[VICTIMS] = {0};
    atomic_store(&waiting, 0);
    atomic_store(&cancelled, false);
    for (int i = 0; i < VICTIMS; i++)
      REQUIRE(pthread_create(&victims[i], NULL, is_cancelled, &calls[i]) == 0);
    while (atomic_load(&waiting) < VICTIMS)
      sched_yield();
    for (int i = 0; i < VICTIMS; i++)
      REQUIRE(pthread_cancel(victims[i]) == 0);
    atomic_store(&cancelled, true);
    for (int i = 0; i < VICTIMS; i++) {
      void *result;
      REQUIRE(pthread_join(victims[i], &result) == 0);
      REQUIRE(result == PTHREAD_CANCELED);
      REQUIRE(calls[i] == CALLS);
    }
  }
  atomic_store(&enough, true);
  for (int i = 0; i < 2; i++)
    REQUIRE(pthread_join(others[i], NULL) == 0);
  served_check();
  return 0;
}
