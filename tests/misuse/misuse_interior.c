// expects: arenite: arn_free: 0x[0-9a-f]+ is inside
/* misuse_interior.c - free of a pointer into the middle of a small block. */
#include "support.h"

int main(void) {
  support_start(ARN_MODE_FREE_THREADED);
  char *volatile block = arn_malloc(200);
  arn_free(block + 64);
  return 0;
}
