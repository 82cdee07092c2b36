// expects: arenite: arn_usable_size: the block 0x[0-9a-f]+ of [0-9]+ bytes is already free \(double free\)
/* hardened_size_freed.c - the size of a block that was freed is asked for. */
#include "hardened.h"

int main(void) {
  begin();
  REQUIRE(arn_malloc(SMALL) != NULL); /* the pool stays */
  void *volatile first = arn_malloc(SMALL);
  arn_free(arn_malloc(SMALL));
  arn_free(first);
  return (int)arn_usable_size(first);
}
