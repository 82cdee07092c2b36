// expects: arenite: the free block 0x[0-9a-f]+ was overwritten
/* hardened_link_bin.c - a block is written to after it was freed; it is in its heap's bin. */
#include "hardened.h"

int main(void) {
  begin();
  REQUIRE(arn_malloc(SMALL) != NULL); /* the pool stays */
  void *first = arn_malloc(SMALL), *second = arn_malloc(SMALL);
  arn_free(first);
  arn_free(second);
  overwrite(second);
  first = arn_malloc(SMALL);
  return 0;
}
