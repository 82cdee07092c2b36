// expects: arenite: operator delete: the block ADDRESS of 48 bytes is already free \(double free\)
/* malloc_misuse_double_delete.cc - the same object deleted twice in a row. */
#include "misuse.h"

#include <new>

int main() {
  struct Thing {
    char bytes[48];
  };
  Thing *keeper = new Thing, *thing = new Thing;
  void *again = misuse(thing);
  delete thing;
  ::operator delete(again);
  delete keeper;
  return 0;
}
