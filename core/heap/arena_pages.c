/* arena_pages.c - pages go from arenas where nobody uses them to runs that would need new ones.
 *
 * To take a new page costs a fault, a page of zeros and, when memory must not grow, another page that is
 * given back. To give an arena other pages, with mremap(2), costs a thirtieth of that, and to copy it a third
 * (docs/results.md, large blocks). So
 *
 *   a run whose arenas are clean gets the pages of arenas of its set that are free and dirty; these
 *   become idle, and memory does not grow
 *
 *   a run that grows, and cannot where it is, takes its pages with it
 *
 * Whoever wants zeros gets no such pages. The kernel counts an arena with pages from elsewhere as a
 * mapping apart (`moved`), until it is given back whole; there may be so many. An arena is moved by itself;
 * what the system does not move, because a program has given a part of it other properties (madvise(2),
 * mlock(2)), is copied, or left where it is.
 *
 * Not with memory of the program's (arn_arena_source), not under strict overcommit, where moving is
 * charged twice for a moment, and not with huge pages, which moving an arena would split.
 */
#include <errno.h>
#include <string.h>

#include "arena_parts.h"
#include "os.h"

/* Arenas at a time, at most: each splits a mapping in three, of which the kernel allows a process 65,530
 * (vm.max_map_count). */
#define MOVED_MOST 8192
static _Atomic uint32_t moved_arenas;

/* Dirty slots that make an arena's pages worth a move: a quarter, chosen. */
#define DIRTY_LEAST (ARN_POOLS_PER_ARENA / 4)

/* arena->moved */
enum { AT_HOME, MOVED, STUCK /* the system does not move its pages */ };

void arn_arena_remapped(uint32_t number) {
  arn_arena *arena = &arn_space.arenas[number];
  if (load_relaxed(&arena->moved) == MOVED)
    sub_relaxed(&moved_arenas, 1);
  store_relaxed(&arena->moved, AT_HOME);
}

static bool can_move(const arn_group *group) {
  return arn_default_source(group) && !arn_os_strict && !arn_space.huge_pages;
}

/* An arena's pages to another; the caller holds all slots of both. The first reads as zero then. 0, or an
 * error: EFAULT when the first is not one mapping. One arena at a time, because each may be a mapping of its
 * own. */
static int move_pages(uint32_t from, uint32_t to) {
  arn_arena *target = &arn_space.arenas[to];
  if (load_relaxed(&target->moved) != MOVED && load_relaxed(&moved_arenas) >= MOVED_MOST)
    return ENOMEM;
  int error = arn_os_move(arn_arena_base(from), arn_arena_base(to), ARN_ARENA_SIZE);
  if (error == EFAULT && load_relaxed(&arn_space.arenas[from].moved) == AT_HOME)
    store_relaxed(&arn_space.arenas[from].moved, STUCK);
  if (error)
    return error;
  if (load_relaxed(&target->moved) != MOVED)
    add_relaxed(&moved_arenas, 1);
  store_relaxed(&target->moved, MOVED);
  return 0;
}

uint32_t arn_arenas_clean(uint32_t first, uint32_t count, uint32_t *slots) {
  uint32_t clean = 0;
  *slots = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t dirty =
        load_acquire(&arn_space.arenas[first + i].dirty); /* arn_arenas_give_run releases */
    clean += dirty == 0;
    *slots += (uint32_t)__builtin_popcountll(~dirty);
  }
  return clean;
}

/* Claims an arena of the set that is free and has pages: of those in the group of 64 the last, because
 * runs are taken from the first. */
static bool claim_donor(arn_arenas *set, uint32_t group, uint32_t *donor) {
  arn_hints *hints = &set->hints[group];
  uint64_t bits =
      load_seq_cst(&hints->by_fullness[ARN_ALL_FREE_STEP]) & load_seq_cst(&hints->dirty);
  while (bits) {
    uint32_t bit = 63 - (uint32_t)__builtin_clzll(bits);
    bits &= ~(UINT64_C(1) << bit);
    *donor = group * 64 + bit;
    arn_arena *arena = &arn_space.arenas[*donor];
    if ((uint32_t)__builtin_popcountll(load_relaxed(&arena->dirty)) >= DIRTY_LEAST &&
        load_relaxed(&arena->moved) != STUCK && arn_claim_arenas(*donor, 1, set))
      return true;
  }
  return false;
}

/* Arenas whose pages do not move, in one go, before the rest is left alone; chosen. */
#define FAILURES 4

/* Brings pages to clean ones of the arenas. */
static void fetch(arn_arenas *set, uint32_t first, uint32_t count) {
  uint32_t groups = arn_group_count(), failures = 0;
  for (uint32_t i = count; i-- > 0;) {
    arn_arena *arena = &arn_space.arenas[first + i];
    if (load_relaxed(&arena->dirty))
      continue;
    for (;;) {
      uint32_t donor;
      while (groups && !claim_donor(set, groups - 1, &donor))
        groups--;
      if (!groups)
        return;
      /* Dirty before it has pages: the process may be copied at any moment. Those slots count as
       * resident all the time, whoever has them. */
      uint64_t dirty = load_acquire(&arn_space.arenas[donor].dirty);
      or_seq_cst(&arena->dirty, dirty);
      int error = move_pages(donor, first + i);
      if (!error) {
        and_seq_cst(&arn_space.arenas[donor].dirty, 0);
        arn_arenas_set_idle(arn_arenas_group(set), donor, 1, NULL);
        arn_unhint_dirty(set, donor);
        break;
      }
      and_seq_cst(&arena->dirty, 0);
      arn_unclaim(donor, ARN_ALL_SLOTS);
      if (error != EFAULT || ++failures == FAILURES)
        return;
    }
  }
}

uint32_t arn_arenas_before_run(arn_arenas *set, uint32_t first, uint32_t count, bool fetched) {
  arn_group *group = arn_arenas_group(set);
  /* Who is refused meanwhile waits for what is in passing, and who checks the heap does not see it. */
  if (fetched && can_move(group) && load_relaxed(&set->any_dirty) && arn_group_begin_purge(group)) {
    fetch(set, first, count);
    arn_group_end_purge(group);
  }
  uint32_t slots, clean = arn_arenas_clean(first, count, &slots);
  arn_give_for_growth(set, slots);
  return clean;
}

uint32_t arn_arenas_move_run(arn_arenas *set, uint32_t from, uint32_t had, uint32_t count) {
  arn_arenas *home =
      load_relaxed(&arn_space.arenas[from].home); /* stable: the caller holds slots */
  arn_group *group = arn_arenas_group(set);
  if (group != arn_arenas_group(home) || !can_move(group) ||
      load_relaxed(&moved_arenas) + had > MOVED_MOST)
    return UINT32_MAX;
  bool clean;
  uint64_t peak = load_relaxed(&set->peak);
  uint32_t to = arn_arenas_take_run(set, count, 1, ARN_WISH_CLEAN, &clean);
  if (to == UINT32_MAX)
    return to;
  if (!clean) {
    arn_arenas_give_run(to, count, 0);
    return UINT32_MAX;
  }
  for (uint32_t i = 0; i < had; i++) {
    or_seq_cst(&arn_space.arenas[to + i].dirty, ARN_ALL_SLOTS); /* before, likewise */
    if (move_pages(from + i, to + i)) {
      memcpy(arn_arena_base(to + i), arn_arena_base(from + i), ARN_ARENA_SIZE);
      arn_arenas_give_run(from + i, 1, ARN_POOLS_PER_ARENA);
      continue;
    }
    and_seq_cst(&arn_space.arenas[from + i].dirty, 0);
    arn_count_resident(home, &arn_space.arenas[from + i], ARN_ALL_SLOTS, false);
    arn_arenas_set_idle(group, from + i, 1, NULL);
  }
  /* The rest counts as what it is after it has got pages. */
  for (uint32_t i = had; i < count; i++)
    arn_count_resident(set, &arn_space.arenas[to + i], ARN_ALL_SLOTS, false);
  /* Both runs were counted: that was no peak. */
  uint64_t high = load_relaxed(&set->peak);
  arn_peak_lower(set, high > peak ? high - peak : 0);
  arn_peak_raise(set, load_relaxed(&set->resident));
  arn_arenas_before_run(set, to + had, count - had, true);
  for (uint32_t i = had; i < count; i++)
    arn_count_resident(set, &arn_space.arenas[to + i], ARN_ALL_SLOTS, true);
  return to;
}
