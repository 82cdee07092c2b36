// expects: arenite: free: the block ADDRESS of [0-9]+ bytes is already free \(double free\)
/* malloc_misuse_double_free_medium.c - the same block of some thousand bytes freed twice in a row. */
#include "misuse.h"

#include <stdlib.h>

int main(void) {
  void *keeper = malloc(5000), *block = malloc(5000), *again = misuse(block);
  free(block);
  free(again);
  free(keeper);
  return 0;
}
