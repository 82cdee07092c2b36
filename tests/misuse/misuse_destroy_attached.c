// expects: arenite: arn_runtime_destroy: .*still attached
/* misuse_destroy_attached.c - the end of a runtime that a thread is attached to. */
#include "support.h"

int main(void) {
  arn_runtime_destroy(support_start(ARN_MODE_FREE_THREADED));
  return 0;
}
