/* guard.h - a slot behind a large block that nobody may touch: the hardened build's fence.
 *
 * Spans and runs of arenas get one slot more than they need, which is made inaccessible. Who writes
 * past the end of the block dies there, before he reaches what lies behind. Before the slots go back,
 * the guard is accessible again.
 *
 * Each guard splits a mapping in three, and a process may have some 65,000 mappings. There are at most
 * ARN_GUARDS at a time; blocks that come then have none. Neither have those that fill an arena exactly,
 * huge ones, which are mappings of their own, and blocks in memory of the program's own source.
 *
 * The block's descriptor says in floor how many slots lie before the guard; 0: it has none.
 */
#ifndef ARN_HEAP_GUARD_H
#define ARN_HEAP_GUARD_H

#include "heap.h"

#define ARN_GUARDS 8192

#if ARN_HARDENED && !ARN_TEXTBOOK

/* Slots to take for a guard: 1, or 0 when there shall be none. */
uint32_t arn_guard_slots(const arn_heap *heap);

/* Makes the slot behind so many slots of the block a guard, if that can be done. It is the block's. */
void arn_guard_put(arn_pool *head, uint32_t slots, bool clean);

/* Makes it accessible again; false, and it stays, when the system refuses. */
bool arn_guard_remove(arn_pool *head);

/* The arena goes: no block in it has a guard any more. */
void arn_guards_remove(uint32_t arena);

/* The slots before the block's guard; 0: it has none. */
static inline uint32_t arn_guard_at(const arn_pool *head) {
  return load_relaxed(&((arn_pool *)head)->floor);
}

static inline void arn_guard_none(arn_pool *head) {
  store_relaxed(&head->floor, 0);
}

#else

static inline uint32_t arn_guard_slots(const arn_heap *heap) {
  (void)heap;
  return 0;
}
static inline void arn_guard_put(arn_pool *head, uint32_t slots, bool clean) {
  (void)head, (void)slots, (void)clean;
}
static inline bool arn_guard_remove(arn_pool *head) {
  (void)head;
  return true;
}
static inline void arn_guards_remove(uint32_t arena) {
  (void)arena;
}
static inline uint32_t arn_guard_at(const arn_pool *head) {
  (void)head;
  return 0;
}
static inline void arn_guard_none(arn_pool *head) {
  (void)head;
}

#endif

#endif
