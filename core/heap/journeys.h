/* journeys.h - the two journeys: how a block is found, and how it goes back.
 *
 * They stand in a header because they are compiled into two sets of names: arn_malloc and its kin
 * (malloc.c), and malloc and its kin (core/malloc).
 *
 * malloc(n)
 *   1. The thread's heap: one thread-local load. A thread that has none has arn_no_heap, whose
 *      lists are empty, and is told so in step 4. Nothing here knows whether there is a GIL.
 *   2. n to size class: a shift; above the small limit a few instructions of arithmetic.
 *   3. The block of the class that was freed last is taken first: it is in the cache. Otherwise pop
 *      the class's list in the heap, and prefetch the next block for writing: the caller of the
 *      next malloc will write it. No descriptor is touched then.
 *   4. The list is empty: arn_refill (refill.c, refill_textbook.c) finds the next free blocks.
 *
 * free(p)
 *   1. Slot number: the distance from the start of the address space, shifted. Outside of what is
 *      in use (NULL too): the slow path.
 *   2. The slot's descriptor: one index into the pool table. Slots inside a pool of several slots,
 *      or of large blocks, have no owner, so their blocks take the slow path too.
 *   3. Its owner is my heap: push on the pool's own list, remember the pool, count down. At zero,
 *      arn_pool_event: the pool is usable again, or empty.
 *   4. Not mine: arn_free_elsewhere sorts it out: a pool's later slot, a large block, a block of
 *      another heap (remote.c), or an error.
 *
 * Why the block freed last comes first: a program that frees and allocates in turn gets the block
 * back that its cache has. Without it, malloc would wait for the first word of a block that was
 * freed long ago: measured, 15 instead of 11 ns a pair with 10,000 live blocks of 512 bytes, freed
 * at random.
 *
 * A pointer into a pool is checked in step 3 at the cost of one multiplication off the critical
 * path: that it is the start of a block, and that it is not the block freed last.
 */
#ifndef ARN_HEAP_JOURNEYS_H
#define ARN_HEAP_JOURNEYS_H

#include "heap.h"

#define ARN_INLINE static inline __attribute__((always_inline))

/* --- malloc ---------------------------------------------------------------------------------- */

/* The block of the class that was freed last, or NULL. It is one more outstanding block of its
 * pool. In the textbook geometry all blocks come from refill_textbook.c. */
ARN_INLINE void *arn_take_freed_last(arn_heap *heap, uint32_t class) {
  if (ARN_TEXTBOOK)
    return NULL;
  arn_pool *pool = heap->freed_to[class];
  if (!pool)
    return NULL;
  heap->freed_to[class] = NULL;
  void *block = pool->free;
  pool->free = *(void **)block;
  store_relaxed(&pool->until, load_relaxed(&pool->until) + 1);
  return block;
}

ARN_INLINE void *arn_take(arn_heap *heap, uint32_t class) {
  void *block = arn_take_freed_last(heap, class);
  if (block)
    return block;
  block = heap->list[class];
  if (unlikely(!block))
    return arn_refill(heap, class);
  void *next = *(void **)block;
  heap->list[class] = next;
  __builtin_prefetch(next, 1, 3);
  return block;
}

/* Medium classes and large blocks; malloc.c. */
void *arn_malloc_above_small(arn_heap *heap, size_t size);

ARN_INLINE void *arn_journey_out(arn_heap *heap, size_t size) {
  if (unlikely(size > ARN_SMALL_LIMIT))
    return arn_malloc_above_small(heap, size);
  return arn_take(heap, arn_small_class(size));
}

/* --- free ------------------------------------------------------------------------------------ */

/* Step 4, and its end: a block that is in no pool. malloc.c. */
void arn_free_elsewhere(arn_heap *heap, void *block, const char *function);
void arn_free_large(arn_heap *heap, void *block, const char *function);

/* function is what an error's sentence names. */
ARN_INLINE void arn_journey_back(arn_heap *heap, void *block, const char *function) {
  size_t slot = arn_slot_of(block);
  if (unlikely(slot >= arn_slots_in_use())) {
    arn_free_elsewhere(heap, block, function);
    return;
  }
  arn_pool *pool = &arn_space.pools[slot];
  if (unlikely(load_relaxed(&pool->owner) != heap)) {
    arn_free_elsewhere(heap, block, function);
    return;
  }
  void *head = pool->free;
  uint32_t offset = (uint32_t)((uintptr_t)block & (ARN_POOL_SIZE - 1));
  if (unlikely(!arn_is_multiple(offset, pool->magic) || head == block))
    arn_pool_reject(pool, block, function);
  *(void **)block = head;
  pool->free = block;
  if (!ARN_TEXTBOOK)
    heap->freed_to[arn_pool_class(pool)] = pool;
  uint32_t until = load_relaxed(&pool->until) - 1;
  store_relaxed(&pool->until, until);
  if (unlikely(until == 0))
    arn_pool_event(heap, pool);
}

/* --- What is made of them; malloc.c ---------------------------------------------------------- */

void *arn_calloc_from(arn_heap *heap, size_t count, size_t size);
void *arn_aligned_from(arn_heap *heap, size_t alignment, size_t size);
void *arn_realloc_from(arn_heap *heap, void *block, size_t size, const char *function);
size_t arn_usable_size_of(const void *block, const char *function);

#endif
