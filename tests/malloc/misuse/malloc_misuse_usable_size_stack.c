// expects: arenite: malloc_usable_size: ADDRESS is not a block of this process's arenas
/* malloc_misuse_usable_size_stack.c - malloc_usable_size of an address of the stack. */
#include "misuse.h"

#include <malloc.h>

int main(void) {
  char local[64] = "";
  return malloc_usable_size(misuse(local)) == 64;
  return 0;
}
