// expects: arenite: arn_free: the block 0x[0-9a-f]+ of [0-9]+ bytes is already free \(double free\)
/* hardened_twice_pool.c - a block is freed twice; it is in its pool, not the last one there. */
#include "hardened.h"

int main(void) {
  begin();
  half_in_pools();
  arn_free(blocks[COUNT / 2]);
  return 0;
}
