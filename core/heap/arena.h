/* arena.h - arenas, and the sets of arenas that heaps take their pools from.
 *
 * An arena is 64 pool-sized slots. Its word `taken` says which of them somebody has; slots are
 * claimed and released by compare-and-swap on it, by any thread, without a lock. A set of arenas
 * (one per runtime, shared by its heaps; one per extra heap) is the arenas whose `home` it is.
 *
 *   idle (home NULL, taken 0) --claim all, set home, release what is not needed--> in a set
 *   in a set, taken 0 --claim all, give the pages back, home NULL, release all--> idle
 *
 * The word has no version, so an arena changes its home only in the hands of a thread that holds
 * all 64 slots, by one CAS from 0 (the end of a set aside, where nobody else may hold any but in
 * passing); and whoever claims slots reads home again afterwards, and releases them if it is not
 * the one that was meant. Nobody ever stores to the word: who claims by mistake must find his bits
 * as he left them. arena.pml is a model of this, checked exhaustively for all interleavings.
 *
 * `dirty` says which slots may hold something other than zeros; the thread that releases a slot
 * sets it, before. Purging is claiming: whoever purges takes the slots as an allocator would, gives
 * the pages back, clears dirty, and releases them.
 *
 * The fullest usable arena is taken first, so that the others drain (CPython's usable_arenas);
 * hints.h is how it is found.
 */
#ifndef ARN_HEAP_ARENA_H
#define ARN_HEAP_ARENA_H

#include <arenite/config.h>
#include <stdbool.h>

#include "atomics.h"
#include "geometry.h"
#include "space.h"

typedef struct arn_arenas arn_arenas;
typedef struct arn_group arn_group;

typedef struct arn_arena {
  /* Atomic, any thread; see above. */
  _Atomic uint64_t taken;
  _Atomic uint64_t dirty;
  _Atomic uint64_t purged; /* subset of the clean slots: given back, for the statistics */
  _Atomic(arn_arenas *) home;
  /* Written by the thread that holds all slots (committed) or purges (since). */
  _Atomic uint32_t committed;   /* readable and writable: 0 or 1 */
  _Atomic uint32_t dirty_since; /* milliseconds, low bits, 0: not looked at yet */
  /* The textbook's order among free pools and among arenas (arena_order.h). */
  _Atomic uint32_t stamp;
  _Atomic uint8_t free_head; /* slot + 1 */
  /* Written by the thread that holds all slots: to the kernel it is a mapping apart, or its pages do not
   * move (arena_pages.c). */
  _Atomic uint8_t moved;
} arn_arena;

typedef struct arn_hints {
  _Atomic uint64_t by_fullness[ARN_FULLNESS_STEPS];
  _Atomic uint64_t dirty;
} arn_hints;

struct arn_arenas {
  arn_arenas *next_free; /* first word: links structures that are not in use (meta.h) */
  /* const while open; statistics may read it of a set that was just closed and opened anew */
  _Atomic(arn_group *) group;
  arn_hints *hints; /* one for every 64 arenas of the address space */
  size_t hints_size;
  /* atomic, any thread */
  _Atomic uint32_t first[ARN_FULLNESS_STEPS]; /* no arena before this group of 64 has the step */
  _Atomic uint32_t any_dirty;
  _Atomic uint64_t resident;   /* slots that are taken, or free and dirty: what may hold pages */
  _Atomic uint64_t peak;       /* of resident, less what went back since, but for growth */
  _Atomic uint32_t next_purge; /* milliseconds, low bits: not before this time */
};

static inline arn_group *arn_arenas_group(const arn_arenas *set) {
  return load_relaxed(&((arn_arenas *)set)->group);
}

/* A new set, which uses group's limit and arena source; NULL when out of memory. */
arn_arenas *arn_arenas_open(arn_group *group);

/* Gives back every arena of the set, whatever is in it, and the set. Nobody may use its blocks. The
 * structure and its hints stay mapped and are used again, because a thread of another runtime that
 * followed a stale hint may still be looking at them. */
void arn_arenas_close(arn_arenas *set);

/* In the child of a fork: spans that heaps kept (they keep none afterwards) and slots that a thread
 * was about to take or to give when the process was copied belong to nobody; they become free, and
 * the hints what they should be. Returns how many arenas the set has. */
uint32_t arn_arenas_after_fork(arn_arenas *set);

/* What a taker of slots or arenas would like them to be. */
typedef enum arn_wish {
  ARN_WISH_ANY,
  ARN_WISH_DIRTY, /* may hold pages already: for what will be filled */
  ARN_WISH_CLEAN, /* hold no pages: for a run that others' pages will move to */
} arn_wish;

/* Takes count adjacent free slots of one arena, at a multiple of align slots, from the fullest that
 * has them, or from a new arena. Slots that may hold pages already come before clean ones, as free
 * blocks come before untouched ones. *clean says that they read as zero. Returns the first slot's
 * number, or SIZE_MAX when out of memory. */
size_t arn_arenas_take(arn_arenas *set, uint32_t count, uint32_t align, bool *clean);

/* The same of slots that are free and may hold pages, or SIZE_MAX: memory does not grow by it. */
size_t arn_arenas_take_dirty(arn_arenas *set, uint32_t count, uint32_t align);

/* Releases slots that arn_arenas_take gave; of them the first `touched` may hold something. Any
 * thread. */
void arn_arenas_give(size_t slot, uint32_t count, uint32_t touched);

/* Takes the more slots that follow slot too if all are free; the caller holds slots of that arena.
 */
bool arn_arenas_extend(size_t slot, uint32_t more);

/* Taking and releasing count whole adjacent arenas, at a multiple of align arenas. Those for what will be
 * filled (ARN_WISH_DIRTY) get the pages of others that are free (arena_pages.c). */
uint32_t arn_arenas_take_run(arn_arenas *set, uint32_t count, uint32_t align, arn_wish wish,
                             bool *clean);
void arn_arenas_give_run(uint32_t first, uint32_t count, uint32_t touched_slots);

/* Takes the count arenas from first on too if all are idle, or free ones of the set: a run that
 * grows in place. */
bool arn_arenas_extend_run(arn_arenas *set, uint32_t first, uint32_t count);

/* A larger run for one of had arenas: its pages come along, and its arenas become idle. UINT32_MAX, and
 * nothing has happened, when that cannot be. */
uint32_t arn_arenas_move_run(arn_arenas *set, uint32_t from, uint32_t had, uint32_t count);

/* Gives dirty free slots back to the system, and arenas that are all free to idle: those that have
 * been dirty for the purge delay, or all of them when now is true. At most budget arenas are looked
 * into. keep_bytes of dirty free slots stay. Returns the bytes given back. */
size_t arn_arenas_purge(arn_arenas *set, bool now, uint32_t budget, size_t keep_bytes);

/* The part of arn_arenas_purge that malloc's slow path calls: returns at once when nothing is due.
 */
size_t arn_arenas_tick(arn_arenas *set);

/* Gives pages back that the caller holds, through the group's arena source; whether they went. */
bool arn_arenas_purge_range(arn_group *group, void *at, size_t size);

/* Whether the hints of every arena of the set are where they belong; the number of wrong ones. */
uint32_t arn_arenas_check(arn_arenas *set);

#endif
