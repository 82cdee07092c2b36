/* journeys.h - the two journeys: how a block is found, and how it goes back.
 *
 * They stand in a header because they are compiled into two sets of names: arn_malloc and its kin
 * (malloc.c), and malloc and its kin (core/malloc).
 *
 * malloc(n)
 *   1. The thread's heap: one thread-local load. A thread that has none has arn_no_heap, whose bins
 *      are empty, and is told so in step 4. Nothing here knows whether there is a GIL.
 *   2. n to size class: a small table.
 *   3. Pop the class's bin: the block that was freed last, which the cache has. Prefetch the next
 *      one for writing: the caller of the next malloc will write it. No descriptor is touched.
 *   4. The bin is empty: arn_refill (refill.c, refill_textbook.c) finds the next free blocks.
 *
 * free(p)
 *   1. Slot number: the distance from the start of the address space, shifted. Outside of what is
 *      in use (NULL too): the slow path.
 *   2. The slot's descriptor: one index into the slot table. Every slot of a pool says whose it is
 *      and of which class; those of large blocks have no owner.
 *   3. My heap is its owner, or one that hands out such blocks as well (kin.h): push on the bin of its
 *      class. When the bin is too long, or every so many frees, arn_bin_event: blocks go to their
 *      pools, and it is seen what time it is.
 *   4. It is not: arn_free_elsewhere sorts it out: a large block, a block of another heap (remote.c), or
 *      an error.
 *
 * A pointer into a pool is checked in step 3 at the cost of one multiplication off the critical
 * path: that it is the start of a block, and that it is not the block freed last.
 */
#ifndef ARN_HEAP_JOURNEYS_H
#define ARN_HEAP_JOURNEYS_H

#include "heap.h"
#include "kin.h"
#include "marks.h"

#define ARN_INLINE static inline __attribute__((always_inline))

/* --- malloc ---------------------------------------------------------------------------------- */

ARN_INLINE void *arn_take(arn_heap *heap, uint32_t class) {
  arn_bin *bin = &heap->bins[class];
  void *block = bin->list;
  if (unlikely(!block))
    return arn_refill(heap, class);
  void *next = arn_link_get(block);
  bin->list = next;
  bin->fill -= ARN_FILL_MALLOC;
  __builtin_prefetch(next, 1, 3);
  arn_mark_out(heap, block, class);
  return block;
}

/* Sizes above the medium limit; malloc.c. */
void *arn_malloc_large(arn_heap *heap, size_t size);

ARN_INLINE void *arn_journey_out(arn_heap *heap, size_t size) {
  if (ARN_TEXTBOOK && size <= ARN_SMALL_LIMIT)
    return arn_take(heap, arn_small_class(size));
  if (unlikely(ARN_TEXTBOOK || size > ARN_MEDIUM_LIMIT))
    return arn_malloc_large(heap, size);
  return arn_take(heap, arn_class_of(size));
}

/* --- free ------------------------------------------------------------------------------------ */

/* Step 4, and its end: a block that is in no pool. malloc.c. */
void arn_free_elsewhere(void *block, arn_heap *heap, const char *function);
void arn_free_large(arn_heap *heap, void *block, const char *function);

/* function is what an error's sentence names. */
ARN_INLINE void arn_journey_back(arn_heap *heap, void *block, const char *function) {
  size_t number = arn_slot_of(block);
  if (unlikely(number >= arn_slots_in_use())) {
    arn_free_elsewhere(block, heap, function);
    return;
  }
  arn_slot *slot = &arn_space.slots[number];
  if (unlikely(!arn_kin_takes(heap, slot))) {
    arn_free_elsewhere(block, heap, function);
    return;
  }
  arn_bin *bin = (arn_bin *)((char *)heap + slot->bin);
  void *head = ARN_TEXTBOOK ? arn_space.pools[number].free : bin->list;
  if (unlikely(!arn_begins_block(slot, block) || head == block || !arn_mark_back(block)))
    arn_pool_reject(arn_pool_of(block), block, function);
  if (ARN_TEXTBOOK) {
    arn_pool_push(heap, &arn_space.pools[number], block);
    return;
  }
  arn_link_set(block, head);
  bin->list = block;
  bin->fill += ARN_FILL_FREE;
  if (unlikely(bin->fill & ARN_FILL_EVENT))
    arn_bin_event(heap, bin);
}

/* --- What is made of them; malloc.c ---------------------------------------------------------- */

void *arn_calloc_from(arn_heap *heap, size_t count, size_t size);
void *arn_aligned_from(arn_heap *heap, size_t alignment, size_t size);
void *arn_realloc_from(arn_heap *heap, void *block, size_t size, const char *function);
size_t arn_usable_size_of(const void *block, const char *function);

#endif
