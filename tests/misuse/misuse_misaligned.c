// expects: arenite: arn_free: 0x[0-9a-f]+ is (inside|not a block)
/* misuse_misaligned.c - free of an address that no block can have. */
#include "support.h"

int main(void) {
  support_start(ARN_MODE_FREE_THREADED);
  char *volatile block = arn_malloc(64);
  arn_free(block + 3);
  return 0;
}
