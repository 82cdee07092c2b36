// expects: arenite: arn_malloc: .*not attached
/* misuse_not_attached.c - allocation from a thread that never attached. */
#include "support.h"

int main(void) {
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  arn_runtime *runtime;
  if (arn_runtime_create(&runtime, &config) != 0)
    return 1;
  void *volatile block = arn_malloc(10);
  return block == NULL;
}
