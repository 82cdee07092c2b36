// expects: arenite: arn_free: 0x[0-9a-f]+ is not a block
/* misuse_stack.c - free of an address of the stack. */
#include "support.h"

int main(void) {
  support_start(ARN_MODE_FREE_THREADED);
  char local[64] = "", *volatile block = support_stranger(local);
  arn_free(block);
  return 0;
}
