// expects: arenite: arn_runtime_destroy: .*still attached
/* misuse_destroy_away.c - the end of a runtime that a thread is away from, in a blocking call. */
#include "support.h"

int main(void) {
  arn_runtime *runtime = support_start(ARN_MODE_GIL);
  arn_thread *volatile saved = arn_save_thread();
  arn_runtime_destroy(runtime);
  return saved == NULL;
}
