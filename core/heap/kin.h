/* kin.h - heaps that hand out each other's blocks.
 *
 * A block that a thread frees is in its cache, whoever's pool it is from. So a heap keeps it in its own
 * bin and hands it out again, when
 *
 *   it is of the same group     another runtime has a budget of its own
 *   neither heap is extra       one that is, may be destroyed at once
 *   it has ARN_FOREIGN_LEAST    smaller ones would lie on one line of the cache with blocks that the
 *                               other thread writes
 *   this heap allocates such    a thread that only frees sends blocks home (remote.c)
 *
 * The first three are known when a pool gets its owner, and stand in its slots: kin is the number of the
 * group, or 0. The fourth changes: a heap's kin is the group's number while it pays to take
 * blocks without looking any further, and else a number that no slot has. Then they come by
 * arn_free_elsewhere, which looks. It becomes the group's when that has kept some, and no slot's again when
 * a bin is too long without having been empty since it was so last, and most of what it gives away is
 * not the heap's.
 *
 * A block's owner counts it as outstanding, wherever it is. It comes home when a bin is too long, or
 * settled.
 *
 * Not in the textbook, whose bins stay empty, and not in the hardened build, which marks blocks that
 * are free elsewhere.
 */
#ifndef ARN_HEAP_KIN_H
#define ARN_HEAP_KIN_H

#include "heap.h"

/* Of heaps; no slot has it. */
#define ARN_KIN_NONE UINT8_MAX

/* Kept the slow way before it goes the fast way. Chosen. */
#define ARN_KIN_WANTED 16

/* A number for a group; 0 when all are taken. Given back when it has no pools any more. */
uint8_t arn_kin_take(void);
void arn_kin_give(uint8_t kin);

/* What stands in the slots of the heap's pools of blocks of the size. */
static inline uint8_t arn_kin_of_pools(const arn_heap *heap, uint32_t size) {
  return heap->extra || size < ARN_FOREIGN_LEAST ? 0 : heap->group->kin;
}

/* Whether the blocks of the slot go into the heap's bins. One branch for both conditions, because which
 * of them holds may be another at each free; and a multiplication, so that the compiler leaves it
 * at that: two numbers of 48 and 8 bits, 0 when one of them is. */
static inline bool arn_kin_takes(const arn_heap *heap, const arn_slot *slot) {
  uint64_t owner = (uintptr_t)load_relaxed(&slot->owner) ^ (uintptr_t)heap;
  uint64_t kin = load_relaxed(&slot->kin) ^ heap->kin;
  return owner * kin == 0;
}

/* The heap kept a block that came the slow way. */
static inline void arn_kin_kept(arn_heap *heap) {
  if (!ARN_HARDENED && heap->group->kin && heap->kin_wanted < ARN_KIN_WANTED &&
      ++heap->kin_wanted == ARN_KIN_WANTED)
    heap->kin = heap->group->kin;
}

static inline void arn_kin_forget(arn_heap *heap) {
  heap->kin = ARN_KIN_NONE;
  heap->kin_wanted = 0;
}

#endif
