// expects: arenite: arn_malloc: .*not attached
/* misuse_no_gil.c - allocation without the GIL, from a second thread while the first holds it. */
#include "support.h"

#include <pthread.h>

static void *allocate(void *context) {
  *(void *volatile *)context = arn_malloc(10);
  return NULL;
}

int main(void) {
  support_start(ARN_MODE_GIL);
  void *volatile block = arn_malloc(10);
  pthread_t thread;
  if (pthread_create(&thread, NULL, allocate, (void *)&block) != 0)
    return 1;
  pthread_join(thread, NULL);
  return block == NULL;
}
