/* marks.h - which blocks of the pools are allocated: the hardened build's check for double frees.
 *
 * Two bits for each step of the data, in a table beside the pool table; those at a block's start are
 * the block's:
 *
 *   allocated  elsewhere
 *       0          0       untouched, purged, or free at its owner: in its pool, or in its owner's bin
 *       1          0       the program has it
 *       1          1       free, but not at its owner: in another heap's bin or stash, in a batch or
 *                          an inbox
 *       0          1       never, but when two threads freed the block at once
 *
 * allocated is written by the pool's owner alone, with plain instructions: most mallocs and frees need
 * no atomic one. elsewhere is set by a free on another thread, atomically, and by whoever hands the
 * block out again, or takes it home, cleared. So free knows whether a block was freed before, wherever
 * it is by now. Who frees at the same moment as the owner may get past that; then the block is found
 * in the state that cannot be when it is next handed out or comes home.
 *
 * What malloc hands out is looked at too: it is a free block of the right class, or a list was
 * overwritten.
 */
#ifndef ARN_HEAP_MARKS_H
#define ARN_HEAP_MARKS_H

#include "hardened.h"
#include "pool.h"

#if ARN_HARDENED

/* Of 64 steps; zero when the slots become a pool. */
typedef struct arn_mark {
  _Atomic uint64_t allocated, elsewhere;
} arn_mark;

/* const after arn_space_start */
extern arn_mark *arn_marks;

#define ARN_MARKS_PER_SLOT (ARN_POOL_SIZE / ARN_STEP / 64)

/* Ends the process: what a list of free blocks of a class leads to is none. */
_Noreturn void arn_mark_broken(const void *block, uint32_t class) __attribute__((cold));

/* The rare cases of arn_mark_out and arn_mark_home. */
void arn_mark_out_foreign(const void *block, uint32_t class);
void arn_mark_home_foreign(const void *block);

static inline arn_mark *arn_mark_of(const void *block) {
  return &arn_marks[((uintptr_t)block - arn_space.base) >> (ARN_STEP_SHIFT + 6)];
}

static inline uint64_t arn_mark_bit(const void *block) {
  return UINT64_C(1) << ((uintptr_t)block >> ARN_STEP_SHIFT) % 64;
}

/* A block that the heap found on a list of the class is handed out. */
static inline void arn_mark_out(const arn_heap *heap, const void *block, uint32_t class) {
  arn_slot *slot = &arn_space.slots[arn_slot_of(block)];
  arn_mark *mark = arn_mark_of(block);
  uint64_t bit = arn_mark_bit(block), allocated = load_relaxed(&mark->allocated);
  if (unlikely(load_relaxed(&slot->class) != class || !arn_begins_block(slot, block)))
    arn_mark_broken(block, class);
  if (likely(!((allocated | load_relaxed(&mark->elsewhere)) & bit) &&
             load_relaxed(&slot->owner) == heap))
    store_relaxed(&mark->allocated, allocated | bit);
  else
    arn_mark_out_foreign(block, class);
}

/* Whether the program has the block. */
static inline bool arn_mark_is_out(const void *block) {
  arn_mark *mark = arn_mark_of(block);
  return (load_relaxed(&mark->allocated) & ~load_relaxed(&mark->elsewhere) & arn_mark_bit(block)) !=
         0;
}

/* The owner frees the block; false when it is free. */
static inline bool arn_mark_back(const void *block) {
  if (unlikely(!arn_mark_is_out(block)))
    return false;
  arn_mark *mark = arn_mark_of(block);
  store_relaxed(&mark->allocated, load_relaxed(&mark->allocated) & ~arn_mark_bit(block));
  return true;
}

/* Another heap frees the block; false when it is free. */
static inline bool arn_mark_away(const void *block) {
  arn_mark *mark = arn_mark_of(block);
  uint64_t bit = arn_mark_bit(block);
  return (load_relaxed(&mark->allocated) & bit) && !(or_relaxed(&mark->elsewhere, bit) & bit);
}

/* The owner puts a free block into its pool, wherever it was. */
static inline void arn_mark_home(const void *block) {
  arn_mark *mark = arn_mark_of(block);
  if (unlikely((load_relaxed(&mark->allocated) | load_relaxed(&mark->elsewhere)) &
               arn_mark_bit(block)))
    arn_mark_home_foreign(block);
}

/* The slots become a pool. */
void arn_marks_open(const arn_pool *pool, uint32_t slots);

/* The arenas go, and with them the memory of their marks. */
void arn_marks_forget(uint32_t first, uint32_t count);

#else

static inline void arn_mark_out(const arn_heap *heap, const void *block, uint32_t class) {
  (void)heap, (void)block, (void)class;
}
static inline bool arn_mark_is_out(const void *block) {
  (void)block;
  return true;
}
static inline bool arn_mark_back(const void *block) {
  (void)block;
  return true;
}
static inline bool arn_mark_away(const void *block) {
  (void)block;
  return true;
}
static inline void arn_mark_home(const void *block) {
  (void)block;
}
static inline void arn_marks_forget(uint32_t first, uint32_t count) {
  (void)first, (void)count;
}
static inline void arn_marks_open(const arn_pool *pool, uint32_t slots) {
  (void)pool, (void)slots;
}

#endif

#endif
