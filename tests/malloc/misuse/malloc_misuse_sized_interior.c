// expects: arenite: free_sized: ADDRESS is inside the block 0x[0-9a-f]+ of 112 bytes \(16 bytes behind its start\)
/* malloc_misuse_sized_interior.c - free_sized of an address inside a small block. */
#include "misuse.h"

#include <stdlib.h>

void free_sized(void *block, size_t size);

int main(void) {
  char *block = malloc(112);
  free_sized(misuse(block + 16), 96);
  return 0;
}
