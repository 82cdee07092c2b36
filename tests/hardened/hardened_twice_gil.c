// expects: arenite: arn_free: the block 0x[0-9a-f]+ of [0-9]+ bytes is already free \(double free\)
/* hardened_twice_gil.c - a block is freed twice under a GIL, others in between. */
#include "hardened.h"

int main(void) {
  runtime = support_start(ARN_MODE_GIL);
  allocate(SMALL);
  for (int i = 0; i < COUNT; i++)
    if (i % 100 != 0) /* no pool is left empty */
      arn_free(blocks[i]);
  arn_free(blocks[COUNT / 2 + 1]);
  return 0;
}
