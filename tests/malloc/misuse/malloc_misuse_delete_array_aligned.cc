// expects: arenite: operator delete\[\]: ADDRESS is inside the block 0x[0-9a-f]+ of 256 bytes \(64 bytes behind its start\)
/* malloc_misuse_delete_array_aligned.cc - operator delete[] with an alignment, of an address inside a block. */
#include "misuse.h"

#include <new>

int main() {
  std::align_val_t alignment{256};
  char *block = static_cast<char *>(::operator new[](256, alignment));
  ::operator delete[](misuse(block + 64), alignment);
  return 0;
}
