// expects: arenite: free: ADDRESS is inside the block 0x[0-9a-f]+ of 32 bytes \(1 bytes? behind its start\)
/* malloc_misuse_misaligned.c - free of an address that is no block's start by one byte. */
#include "misuse.h"

#include <stdlib.h>

int main(void) {
  char *block = malloc(32);
  free(misuse(block + 1));
  return 0;
}
