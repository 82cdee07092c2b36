// expects: arenite: free: ADDRESS is not a block of this process's arenas
/* malloc_misuse_static.c - free of a string literal. */
#include "misuse.h"

#include <stdlib.h>

int main(void) {
  free(misuse("never allocated"));
  return 0;
}
