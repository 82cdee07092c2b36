// expects: arenite: the free block 0x[0-9a-f]+ was overwritten
/* hardened_link_pool.c - blocks are written to after they were freed; they are in their pools. */
#include "hardened.h"

int main(void) {
  begin();
  half_in_pools();
  for (int i = 0; i < COUNT; i += 2)
    overwrite(blocks[i]);
  for (int i = 0; i < COUNT; i += 2)
    blocks[i] = arn_malloc(SMALL);
  return 0;
}
