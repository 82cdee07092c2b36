// expects: arenite: arn_free: the block 0x[0-9a-f]+ of [0-9]+ bytes is already free \(double free\)
/* hardened_twice_owner_then_other.c - a block that its owner freed is freed by another thread. */
#include "hardened.h"

static void free_two(void) {
  arn_free(blocks[0]);
  arn_free(blocks[1]);
}

static void free_first(void) {
  arn_free(blocks[0]);
}

int main(void) {
  begin();
  allocate(SMALL);
  free_two();
  elsewhere(free_first);
  return 0;
}
