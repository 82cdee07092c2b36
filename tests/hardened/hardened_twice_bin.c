// expects: arenite: arn_free: the block 0x[0-9a-f]+ of [0-9]+ bytes is already free \(double free\)
/* hardened_twice_bin.c - a block is freed twice, another one in between; it is in its heap's bin. */
#include "hardened.h"

int main(void) {
  begin();
  REQUIRE(arn_malloc(SMALL) != NULL); /* the pool stays */
  void *first = arn_malloc(SMALL), *second = arn_malloc(SMALL), *volatile again = first;
  arn_free(first);
  arn_free(second);
  arn_free(again);
  return 0;
}
