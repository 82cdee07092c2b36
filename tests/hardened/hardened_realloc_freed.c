// expects: arenite: arn_realloc: the block 0x[0-9a-f]+ of [0-9]+ bytes is already free \(double free\)
/* hardened_realloc_freed.c - a block that was freed is resized. */
#include "hardened.h"

int main(void) {
  begin();
  REQUIRE(arn_malloc(SMALL) != NULL); /* the pool stays */
  void *volatile first = arn_malloc(SMALL);
  void *second = arn_malloc(SMALL);
  arn_free(first);
  arn_free(second);
  second = arn_realloc(first, KEPT);
  return 0;
}
