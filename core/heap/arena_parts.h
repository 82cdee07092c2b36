/* arena_parts.h - what the files about arenas need of each other; nobody else includes it.
 *
 *   arena.c        slots of the arenas of a set
 *   arena_run.c    whole arenas: from the address space to a set, and runs of them
 *   arena_pages.c  pages from where they are free to where they are wanted
 *   arena_purge.c  giving pages back
 *   arena_set.c    the sets themselves
 */
#ifndef ARN_HEAP_ARENA_PARTS_H
#define ARN_HEAP_ARENA_PARTS_H

#include "arena.h"
#include "group.h"
#include "hints.h"

/* Slots [first, first + count) of an arena. */
static inline uint64_t arn_slot_mask(uint32_t first, uint32_t count) {
  return (count == 64 ? ARN_ALL_SLOTS : (UINT64_C(1) << count) - 1) << first;
}

/* The set had so many slots resident. */
static inline void arn_peak_raise(arn_arenas *set, uint64_t slots) {
  uint64_t peak = load_relaxed(&set->peak);
  while (slots > peak && !cas_relaxed(&set->peak, &peak, slots)) {
  }
}

/* So many of them went back, or were counted twice for a moment. */
static inline void arn_peak_lower(arn_arenas *set, uint64_t slots) {
  uint64_t peak = load_relaxed(&set->peak);
  while (!cas_relaxed(&set->peak, &peak, peak > slots ? peak - slots : 0)) {
  }
}

/* The slots of mask, which the caller has just claimed or is about to release, may hold pages from
 * now on, or hold none any more. Dirty ones count all the time. */
static inline void arn_count_resident(arn_arenas *set, const arn_arena *arena, uint64_t mask,
                                      bool from_now) {
  uint64_t clean = mask & ~load_relaxed(&((arn_arena *)arena)->dirty);
  if (!clean)
    return;
  uint64_t slots = (uint64_t)__builtin_popcountll(clean);
  if (!from_now) {
    sub_relaxed(&set->resident, slots);
    return;
  }
  arn_peak_raise(set, add_relaxed(&set->resident, slots) + slots);
}

/* Whether the group's memory is mmap's. */
static inline bool arn_default_source(const arn_group *group) {
  return group->config.source.commit == NULL;
}

/* Slots that the caller holds, so nobody else changes their bits: no write when they are set. */
static inline void arn_mark_dirty(arn_arena *arena, uint64_t mask) {
  if (~load_relaxed(&arena->dirty) & mask)
    or_seq_cst(&arena->dirty, mask);
}

/* Returns slots that were claimed in an arena whose home is not what was meant. */
void arn_unclaim(uint32_t number, uint64_t mask);

/* The same right after a claim that changed the word from taken: for the arena's real home, the claim
 * moved it to another step, and then the release moves it on from there. */
void arn_unclaim_mistake(uint32_t number, uint64_t mask, uint64_t taken);

/* Claims all slots of arenas [first, first + count) whose home is home (NULL: idle ones); all or
 * none. */
bool arn_claim_arenas(uint32_t first, uint32_t count, arn_arenas *home);

/* New arenas for the set, all slots claimed. */
bool arn_take_new(arn_arenas *set, uint32_t count, uint32_t align, uint32_t *first);

/* The caller's arenas will be filled, or cleared (fetched: false). Brings pages to those that are clean, from
 * such as are free; then arn_give_for_growth for all slots that hold none. How many arenas stay clean. */
uint32_t arn_arenas_before_run(arn_arenas *set, uint32_t first, uint32_t count, bool fetched);

/* How many of the caller's arenas hold no pages, and how many of their slots. */
uint32_t arn_arenas_clean(uint32_t first, uint32_t count, uint32_t *slots);

/* The arena's memory is mapped anew. */
void arn_arena_remapped(uint32_t number);

/* Puts memory behind an arena that is not committed, or was about to be so no more. 0, or an error. */
int arn_recommit(arn_group *group, uint32_t number);

/* Back to reserved. The caller holds all slots. */
bool arn_arenas_decommit(arn_group *group, uint32_t first, uint32_t count);

/* The caller holds all slots of arenas whose pages are gone: makes them nobody's, and releases.
 * Slots that strangers hold in passing (NULL: none) they release themselves. */
void arn_arenas_set_idle(arn_group *group, uint32_t first, uint32_t count,
                         const uint64_t *strangers);

/* Gives back what is free and dirty in one arena; the arena itself when all of it is free. Bytes
 * given back. */
size_t arn_purge_arena(arn_arenas *set, uint32_t number);

/* Slots that hold no pages are going to be taken, while others that do lie free and do not fit. When the set
 * would have more resident than ever, as much of those goes back to the system; for a few slots only when much
 * lies free. So memory that is free in pieces is not paid for twice, and a set that goes up and down below its
 * peak pays nothing. */
void arn_give_for_growth(arn_arenas *set, uint64_t slots);

/* Whether so many of the set's slots are free and may hold pages. */
bool arn_arenas_has_dirty(arn_arenas *set, uint64_t slots);

#endif
