// expects: arenite: reallocarray: ADDRESS is not a block of this process's arenas
/* malloc_misuse_reallocarray_mapping.c - reallocarray of what mmap gave. */
#include "misuse.h"

#include <stdlib.h>
#include <sys/mman.h>

int main(void) {
  void *mapped = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return reallocarray(misuse(mapped), 10, 10) != NULL;
  return 0;
}
