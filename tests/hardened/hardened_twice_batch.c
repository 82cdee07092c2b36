// expects: arenite: arn_free: the block 0x[0-9a-f]+ of [0-9]+ bytes is already free \(double free\)
/* hardened_twice_batch.c - another thread frees a block twice; it is in that thread's batch. */
#include "hardened.h"

static void free_three(void) {
  arn_free(blocks[0]);
  arn_free(blocks[1]);
  arn_free(blocks[0]);
}

int main(void) {
  begin();
  allocate(SMALL);
  elsewhere(free_three);
  return 0;
}
