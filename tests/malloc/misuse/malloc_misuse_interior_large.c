// expects: arenite: free: ADDRESS is not a block of this process's arenas
/* malloc_misuse_interior_large.c - free of an address inside a block of many pages. */
#include "misuse.h"

#include <stdlib.h>

int main(void) {
  char *block = malloc(300000);
  free(misuse(block + 65536));
  return 0;
}
