// expects: arenite: realloc: ADDRESS is not a block of this process's arenas
/* malloc_misuse_realloc_stack.c - realloc of an address of the stack. */
#include "misuse.h"

#include <stdlib.h>

int main(void) {
  char local[64] = "";
  return realloc(misuse(local), 100) != NULL;
  return 0;
}
