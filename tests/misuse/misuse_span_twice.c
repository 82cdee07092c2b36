// expects: arenite: arn_free: .*0x[0-9a-f]+.*(already free|double free|is not a block)
/* misuse_span_twice.c - a block of many pools freed twice in a row (in classic: a small one,
 * because the large ones are libc's there). */
#include "support.h"

int main(void) {
  support_start(ARN_MODE_FREE_THREADED);
  void *block = arn_malloc(support_is_classic() ? 256 : 300000), *volatile again = block;
  arn_free(block);
  arn_free(again);
  return 0;
}
