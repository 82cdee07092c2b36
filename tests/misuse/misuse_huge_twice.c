// expects: arenite: arn_free: .*0x[0-9a-f]+.*(already free|double free|is not a block)
/* misuse_huge_twice.c - a block with a mapping of its own freed twice. In classic such a block is
 * libc's, and so is what happens then: a small one stands in for it there. */
#include "support.h"

int main(void) {
  support_start(ARN_MODE_FREE_THREADED);
  size_t size = support_is_classic() ? 256 : (size_t)200 * 1024 * 1024;
  void *block = arn_malloc(size), *volatile again = block;
  arn_free(block);
  arn_free(again);
  return 0;
}
