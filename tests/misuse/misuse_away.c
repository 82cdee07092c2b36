// expects: arenite: arn_malloc: .*not attached
/* misuse_away.c - allocation between arn_save_thread and arn_restore_thread. */
#include "support.h"

int main(void) {
  support_start(ARN_MODE_FREE_THREADED);
  void *volatile block = arn_malloc(10);
  ARN_BEGIN_ALLOW_THREADS
  block = arn_malloc(10);
  ARN_END_ALLOW_THREADS
  return block == NULL;
}
