// expects: arenite: arn_free: 0x[0-9a-f]+ is not a block
/* misuse_libc_block.c - free of a block that libc's malloc gave. */
#include "support.h"

#include <stdlib.h>

int main(void) {
  support_start(ARN_MODE_FREE_THREADED);
  void *volatile block = support_stranger(malloc(100));
  arn_free(block);
  return 0;
}
