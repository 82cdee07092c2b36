// expects: arenite: free: ADDRESS is inside the block 0x[0-9a-f]+ of 112 bytes \(16 bytes behind its start\)
/* malloc_misuse_other_thread.c - another thread than the block's own frees an address inside it; it is
 * that thread's first call. */
#include "misuse.h"

#include <pthread.h>
#include <stdlib.h>

static void *frees(void *context) {
  free(context);
  return NULL;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, frees, misuse((char *)malloc(112) + 16));
  pthread_join(thread, NULL);
  return 0;
}
