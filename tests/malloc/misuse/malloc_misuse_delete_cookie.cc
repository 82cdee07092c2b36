// expects: arenite: operator delete: ADDRESS is inside the block 0x[0-9a-f]+ of [0-9]+ bytes \(8 bytes behind its start\)
/* malloc_misuse_delete_cookie.cc - an array of objects with destructors is deleted as one object: its
 * count stands before it. */
#include "misuse.h"

#include <new>

struct Thing {
  long value = 1;
  ~Thing() { value = 0; }
};

int main() {
  Thing *things = new Thing[10];
  ::operator delete(misuse(things));
  return 0;
}
