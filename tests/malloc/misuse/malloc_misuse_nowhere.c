// expects: arenite: free: ADDRESS is not a block of this process's arenas
/* malloc_misuse_nowhere.c - free of an address that no process has. */
#include "misuse.h"

#include <stdlib.h>

int main(void) {
  free(misuse((void *)UINTPTR_MAX));
  return 0;
}
