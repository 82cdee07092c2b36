// expects: arenite: free: the block ADDRESS of 48 bytes is already free \(double free\)
/* malloc_misuse_double_free.c - the same small block freed twice in a row. */
#include "misuse.h"

#include <stdlib.h>

int main(void) {
  void *keeper = malloc(48), *block = malloc(48), *again = misuse(block);
  free(block);
  free(again);
  free(keeper);
  return 0;
}
