// expects: arenite: arn_free: .*0x[0-9a-f]+.*(already free|double free|is not a block)
/* misuse_double_free.c - the only block of a pool freed twice in a row. The pool may be gone by
 * then, and its arena too. */
#include "support.h"

int main(void) {
  support_start(ARN_MODE_FREE_THREADED);
  void *block = arn_malloc(100), *volatile again = block;
  arn_free(block);
  arn_free(again);
  return 0;
}
