// expects: arenite: the free block 0x[0-9a-f]+ was overwritten
/* hardened_link_inbox.c - blocks are written to after another thread freed them; they are in the inbox. */
#include "hardened.h"

static void free_all(void) {
  for (int i = 0; i < COUNT; i++)
    arn_free(blocks[i]);
}

int main(void) {
  begin();
  allocate(SMALL);
  elsewhere(free_all);
  for (int i = 0; i < COUNT; i++)
    overwrite(blocks[i]);
  for (int i = 0; i < COUNT; i++)
    blocks[i] = arn_malloc(SMALL);
  return 0;
}
