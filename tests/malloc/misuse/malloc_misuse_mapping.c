// expects: arenite: free: ADDRESS is not a block of this process's arenas
/* malloc_misuse_mapping.c - free of what mmap gave. */
#include "misuse.h"

#include <stdlib.h>
#include <sys/mman.h>

int main(void) {
  free(misuse(mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
  return 0;
}
