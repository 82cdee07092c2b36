// expects: arenite: free: ADDRESS is inside the block 0x[0-9a-f]+ of 112 bytes \(16 bytes behind its start\)
/* malloc_misuse_interior.c - free of an address inside a small block. */
#include "misuse.h"

#include <stdlib.h>

int main(void) {
  char *block = malloc(112);
  free(misuse(block + 16));
  return 0;
}
