// expects: arenite: free: ADDRESS is not a block of this process's arenas
/* malloc_misuse_double_free_large.c - a block of many pages freed twice. */
#include "misuse.h"

#include <stdlib.h>

int main(void) {
  void *block = malloc(300000), *again = misuse(block);
  free(block);
  free(again);
  return 0;
}
