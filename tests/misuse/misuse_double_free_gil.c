// expects: arenite: arn_free: .*0x[0-9a-f]+.*(already free|double free)
/* misuse_double_free_gil.c - the same small block freed twice in a row, under the GIL. */
#include "support.h"

int main(void) {
  support_start(ARN_MODE_GIL);
  void *keeper = arn_malloc(48), *block = arn_malloc(48), *volatile again = block;
  arn_free(block);
  arn_free(again);
  return keeper == NULL;
}
