// expects: arenite: free: ADDRESS is not a block of this process's arenas
/* malloc_misuse_ended_thread.c - a thread that is past its last use of malloc frees an address of the
 * stack, in the last round of destructors. */
#include "misuse.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

static pthread_key_t key;
static char rounds[PTHREAD_DESTRUCTOR_ITERATIONS + 1];

static void in_the_last_round(void *context) {
  char *left = context, local[64] = "";
  if (left > rounds + 1)
    pthread_setspecific(key, left - 1);
  else
    free(misuse(local));
}

static void *ends(void *context) {
  free(malloc(100));
  pthread_setspecific(key, rounds + PTHREAD_DESTRUCTOR_ITERATIONS);
  return context;
}

int main(void) {
  pthread_t thread;
  pthread_key_create(&key, in_the_last_round);
  pthread_create(&thread, NULL, ends, NULL);
  pthread_join(thread, NULL);
  return 0;
}
