// expects: arenite: arn_realloc: 0x[0-9a-f]+ is not a block
/* misuse_realloc_foreign.c - arn_realloc of an address that no heap gave. */
#include "support.h"

int main(void) {
  support_start(ARN_MODE_FREE_THREADED);
  static char local[64];
  void *volatile block = support_stranger(local);
  block = arn_realloc(block, 1000);
  return block == NULL;
}
