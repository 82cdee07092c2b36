/* space.h - the address space: one reservation per process, from which every arena comes.
 *
 *   metadata: | idle bits | arenas | slots | pools |      data: | arena 0 | arena 1 | ...
 *
 * Two reservations, made once and kept: nothing in them is ever unmapped, so a stale address leads
 * to a descriptor, never to a fault. Arenas are used from the lowest number up. The frontier is the
 * first arena that was never used; the tables are committed up to it. An arena below the frontier
 * that belongs to nobody has its idle bit set (a hint, verified on use: arena.c).
 */
#ifndef ARN_HEAP_SPACE_H
#define ARN_HEAP_SPACE_H

#include <arenite/api.h>
#include <stdbool.h>

#include "atomics.h"
#include "geometry.h"

struct arn_slot;
struct arn_pool;
struct arn_arena;

extern struct arn_space {
  /* const after start */
  uintptr_t base;
  struct arn_slot *slots;
  struct arn_pool *pools;
  struct arn_arena *arenas;
  _Atomic uint64_t *idle;
  _Atomic uint32_t arena_count; /* 0 before */
  bool huge_pages;
  /* atomic, rises only */
  _Atomic uint32_t frontier;
  /* frontier in slots: what arn_free compares with; stored after frontier */
  _Atomic size_t slots_in_use;
} arn_space;

static inline size_t arn_slots_in_use(void) {
  return load_relaxed(&arn_space.slots_in_use);
}

static inline char *arn_arena_base(uint32_t number) {
  return (char *)arn_space.base + ((size_t)number << ARN_ARENA_SHIFT);
}

/* Reserves the address space; 0 or ENOMEM. Any thread, again and again: it happens once, and after
 * a failure it is tried again. */
int arn_space_start(void);

/* Around a fork. */
void arn_space_before_fork(void);
void arn_space_after_fork(bool in_child);

/* Moves the frontier over count arenas that were never used; their number in *first. 0 or ENOMEM.
 */
int arn_space_advance(uint32_t count, uint32_t *first);

/* Bytes of the tables that are committed. */
size_t arn_space_metadata(void);

#endif
