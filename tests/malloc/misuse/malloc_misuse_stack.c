// expects: arenite: free: ADDRESS is not a block of this process's arenas
/* malloc_misuse_stack.c - free of an address of the stack. */
#include "misuse.h"

#include <stdlib.h>

int main(void) {
  char local[64] = "";
  free(misuse(local));
  return 0;
}
