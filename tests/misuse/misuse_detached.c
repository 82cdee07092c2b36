// expects: arenite: arn_(malloc|calloc): .*not attached
/* misuse_detached.c - allocation after arn_thread_detach. */
#include "support.h"

int main(void) {
  support_start(ARN_MODE_GIL);
  void *volatile block = arn_calloc(1, 10);
  arn_thread_detach();
  block = arn_calloc(1, 10);
  return block == NULL;
}
