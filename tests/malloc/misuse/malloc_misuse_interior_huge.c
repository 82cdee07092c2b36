// expects: arenite: free: ADDRESS is not a block of this process's arenas
/* malloc_misuse_interior_huge.c - free of an address inside a block with a mapping of its own. */
#include "misuse.h"

#include <stdlib.h>

int main(void) {
  char *block = malloc((size_t)100 << 20);
  free(misuse(block + (1 << 20)));
  return 0;
}
