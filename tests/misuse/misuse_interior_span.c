// expects: arenite: arn_free: 0x[0-9a-f]+ is (inside|not a block)
/* misuse_interior_span.c - free of a pointer into a block of many pools; not in classic, whose
 * large blocks are libc's. */
#include "support.h"

int main(void) {
  support_start(ARN_MODE_FREE_THREADED);
  char *volatile block = arn_malloc(300000);
  arn_free(support_stranger(block + 5 * arn_geometry_get().pool_size));
  return 0;
}
