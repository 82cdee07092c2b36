// expects: arenite: arn_save_thread: .*not attached
/* misuse_save_twice.c - arn_save_thread on a thread that is away already. */
#include "support.h"

int main(void) {
  support_start(ARN_MODE_GIL);
  arn_thread *volatile saved = arn_save_thread();
  saved = arn_save_thread();
  return saved == NULL;
}
