// expects: arenite: operator delete: ADDRESS is not a block of this process's arenas
/* malloc_misuse_delete_stack.cc - operator delete of an address of the stack. */
#include "misuse.h"

#include <new>

int main() {
  char local[64] = "";
  ::operator delete(misuse(local));
  return 0;
}
