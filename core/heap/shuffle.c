/* shuffle.c - see shuffle.h. Compiled in the hardened build only. */
#include "shuffle.h"

#if !ARN_TEXTBOOK

#include "chance.h"

void arn_shuffle_start(arn_heap *heap) {
  heap->chance = arn_chance_seed();
}

/* A number below limit; limit is small, so that how far it is from uniform does not show. */
static uint32_t below(uint64_t *state, uint32_t limit) {
  return (uint32_t)((arn_chance_next(state) >> 32) * limit >> 32);
}

void *arn_shuffle(arn_heap *heap, void *list) {
  void *blocks[ARN_BIN_BLOCKS];
  uint32_t count = 0;
  for (; list && count < ARN_BIN_BLOCKS; list = arn_link_get(list)) {
    /* Each takes the place of one before it, which goes to the end. */
    uint32_t place = below(&heap->chance, count + 1);
    if (place != count)
      blocks[count] = blocks[place];
    blocks[place] = list;
    count++;
  }
  while (count-- > 0) {
    arn_link_set(blocks[count], list);
    list = blocks[count];
  }
  return list;
}

#endif
