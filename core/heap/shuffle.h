/* shuffle.h - the hardened build's order of free blocks: when a heap fills a bin from a pool, the
 * blocks come in a random order, so that nobody can tell which block lies beside which. Not in the
 * textbook geometry, where the order is the point. */
#ifndef ARN_HEAP_SHUFFLE_H
#define ARN_HEAP_SHUFFLE_H

#include "heap.h"

#if ARN_HARDENED && !ARN_TEXTBOOK

/* Begins the heap's random sequence. */
void arn_shuffle_start(arn_heap *heap);

/* The blocks of a list that nobody else has, in another order. */
void *arn_shuffle(arn_heap *heap, void *list);

#else

static inline void arn_shuffle_start(arn_heap *heap) {
  (void)heap;
}
static inline void *arn_shuffle(arn_heap *heap, void *list) {
  (void)heap;
  return list;
}

#endif

#endif
