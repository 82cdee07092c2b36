// expects: arenite: arn_free: the block 0x[0-9a-f]+ of [0-9]+ bytes is already free \(double free\)
/* hardened_twice_inbox_third.c - a block that waits in its owner's inbox is freed by a third thread. */
#include "hardened.h"

static void free_all(void) {
  for (int i = 0; i < COUNT; i++)
    arn_free(blocks[i]);
}

static void free_first(void) {
  arn_free(blocks[0]);
}

int main(void) {
  begin();
  allocate(SMALL);
  elsewhere(free_all);
  elsewhere(free_first);
  return 0;
}
