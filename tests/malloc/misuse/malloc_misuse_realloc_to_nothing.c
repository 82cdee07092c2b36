// expects: arenite: realloc: ADDRESS is inside the block 0x[0-9a-f]+ of 112 bytes \(16 bytes behind its start\)
/* malloc_misuse_realloc_to_nothing.c - realloc to 0 bytes of an address inside a small block. */
#include "misuse.h"

#include <stdlib.h>

int main(void) {
  char *block = malloc(112);
  return realloc(misuse(block + 16), 0) != NULL;
  return 0;
}
