// expects: arenite: arn_free: the block 0x[0-9a-f]+ of [0-9]+ bytes is already free \(double free\)
/* hardened_twice_purged.c - a block is freed twice; the page that it was on went back to the system. */
#include "hardened.h"

int main(void) {
  begin();
  allocate(SMALL);
  for (int i = 0; i < COUNT; i++)
    if (i % 100 != 0) /* no pool is left empty, some pages are */
      arn_free(blocks[i]);
  arn_trim(runtime, 0);
  arn_free(blocks[COUNT / 2 + 1]);
  return 0;
}
