// expects: arenite: free: ADDRESS is not a block of this process's arenas
/* malloc_misuse_double_free_huge.c - a block with a mapping of its own freed twice. */
#include "misuse.h"

#include <stdlib.h>

int main(void) {
  void *block = malloc((size_t)100 << 20), *again = misuse(block);
  free(block);
  free(again);
  return 0;
}
