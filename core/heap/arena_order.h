/* arena_order.h - which free pool of an arena is next, and which arena among equals.
 *
 * The lowest address, outside the textbook geometry. In the textbook's, CPython's order: an arena's
 * `freepools` is last in, first out, then its pools that were never used, in address order; among
 * arenas with equally many free pools, the one where a pool was freed last. The list is kept as
 * hints beside the arena's word (the word decides): exact while one thread at a time uses the
 * arenas, as under a GIL, and harmless otherwise.
 */
#ifndef ARN_HEAP_ARENA_ORDER_H
#define ARN_HEAP_ARENA_ORDER_H

#include "arena.h"
#include "group.h"
#include "pool.h"

/* A free slot of the arena, whose free ones are the bits of free (not 0). */
static inline uint32_t arn_order_pick(arn_arena *arena, uint64_t free) {
#if ARN_TEXTBOOK
  uint32_t head = load_relaxed(&arena->free_head);
  if (head && (free >> (head - 1) & 1))
    return head - 1;
  /* No list: never used ones, or, when threads disturbed the list, any. */
  uint64_t fresh = free & ~load_relaxed(&arena->dirty) & ~load_relaxed(&arena->purged);
  if (fresh)
    free = fresh;
#else
  (void)arena;
#endif
  return (uint32_t)__builtin_ctzll(free);
}

/* After the slot was claimed. A free slot's descriptor is nobody's: its offset holds the link. */
static inline void arn_order_taken(arn_arena *arena, size_t slot) {
#if ARN_TEXTBOOK
  if (load_relaxed(&arena->free_head) == slot % ARN_POOLS_PER_ARENA + 1)
    store_relaxed(&arena->free_head, load_relaxed(&arn_space.slots[slot].offset));
#else
  (void)arena, (void)slot;
#endif
}

/* Before the slot is released. */
static inline void arn_order_given(arn_arena *arena, arn_group *group, size_t slot) {
#if ARN_TEXTBOOK
  store_relaxed(&arn_space.slots[slot].offset, load_relaxed(&arena->free_head));
  store_relaxed(&arena->free_head, (uint8_t)(slot % ARN_POOLS_PER_ARENA + 1));
  store_relaxed(&arena->stamp, add_relaxed(&group->clock, 1) + 1);
#else
  (void)arena, (void)group, (void)slot;
#endif
}

/* An arena begins a new life. */
static inline void arn_order_reset(arn_arena *arena) {
  store_relaxed(&arena->stamp, 0);
  store_relaxed(&arena->free_head, 0);
}

/* Of the arenas of one group of 64 that a hint names, the one to try first. */
static inline uint32_t arn_order_arena(uint32_t group, uint64_t bits) {
  uint32_t best = (uint32_t)__builtin_ctzll(bits);
#if ARN_TEXTBOOK
  for (uint64_t rest = bits & (bits - 1); rest; rest &= rest - 1) {
    uint32_t other = (uint32_t)__builtin_ctzll(rest);
    if (load_relaxed(&arn_space.arenas[group * 64 + other].stamp) >
        load_relaxed(&arn_space.arenas[group * 64 + best].stamp))
      best = other;
  }
#endif
  return group * 64 + best;
}

#endif
