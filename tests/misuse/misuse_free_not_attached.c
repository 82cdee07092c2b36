// expects: arenite: arn_free: .*not attached
/* misuse_free_not_attached.c - free of a small block from a thread that is not attached. */
#include "support.h"

int main(void) {
  support_start(ARN_MODE_GIL);
  void *volatile block = arn_malloc(10);
  arn_thread_detach();
  arn_free(block);
  return 0;
}
