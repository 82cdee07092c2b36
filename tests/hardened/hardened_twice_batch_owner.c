// expects: arenite: arn_free: the block 0x[0-9a-f]+ of [0-9]+ bytes is already free \(double free\)
/* hardened_twice_batch_owner.c - a block that is in another thread's batch is freed by its owner. */
#include "hardened.h"

static void free_two(void) {
  arn_free(blocks[0]);
  arn_free(blocks[1]);
}

int main(void) {
  begin();
  allocate(SMALL);
  elsewhere(free_two);
  free_two();
  return 0;
}
