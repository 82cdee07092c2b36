/* arena_run.c - whole arenas: claimed from the address space, committed, made a set's; and runs of
 * adjacent ones that serve one large block. arena.h has the protocol. */
#include <errno.h>

#include "arena_order.h"
#include "arena_parts.h"
#include "marks.h"
#include "os.h"

/* --- Memory behind them ---------------------------------------------------------------------- */

/* Not committed before they are not: the process may be copied at any moment, and the copy makes good what it
 * finds so (arn_arenas_after_fork). */
static bool decommit(uint32_t first, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    store_relaxed(&arn_space.arenas[first + i].committed, 0);
  bool went = arn_os_decommit(arn_arena_base(first), count * ARN_ARENA_SIZE, arn_space.huge_pages);
  for (uint32_t i = 0; i < count; i++)
    if (went)
      arn_arena_remapped(first + i);
    else
      store_relaxed(&arn_space.arenas[first + i].committed, 1);
  return went;
}

bool arn_arenas_decommit(arn_group *group, uint32_t first, uint32_t count) {
  const arn_arena_source *source = &group->config.source;
  void *at = arn_arena_base(first);
  size_t size = count * ARN_ARENA_SIZE;
  int before = errno; /* the source's calls may change it, and free must not */
  if (!arn_default_source(group))
    source->decommit(source->context, at, size);
  bool went = decommit(first, count);
  errno = before;
  return went;
}

/* Puts memory behind a stretch of arenas that are all committed, or all not. */
static int commit_stretch(arn_group *group, uint32_t first, uint32_t count, bool committed) {
  const arn_arena_source *source = &group->config.source;
  void *at = arn_arena_base(first);
  size_t size = count * ARN_ARENA_SIZE;
  int error;
  if (arn_default_source(group)) {
    if (committed)
      return 0;
    error = arn_os_commit(at, size);
  } else {
    /* Another source's memory must not shine through. */
    if (committed && !decommit(first, count))
      return ENOMEM;
    int before = errno;
    error = source->commit(source->context, at, size);
    errno = before;
  }
  if (error)
    return error;
  for (uint32_t i = 0; i < count; i++)
    store_relaxed(&arn_space.arenas[first + i].committed, 1);
  return 0;
}

int arn_recommit(arn_group *group, uint32_t number) {
  return commit_stretch(group, number, 1, false);
}

/* Puts memory behind arenas whose slots the caller holds; all or none. */
static int commit(arn_group *group, uint32_t first, uint32_t count) {
  for (uint32_t i = 0, stretch; i < count; i += stretch) {
    arn_arena *arena = &arn_space.arenas[first + i];
    uint32_t committed = load_relaxed(&arena->committed);
    for (stretch = 1; i + stretch < count; stretch++)
      if (load_relaxed(&arena[stretch].committed) != committed)
        break;
    int error = commit_stretch(group, first + i, stretch, committed);
    if (!error)
      continue;
    /* What another source committed so far is not for the next taker to find. */
    if (!arn_default_source(group) && i > 0)
      arn_arenas_decommit(group, first, i);
    return error;
  }
  return 0;
}

/* --- From nobody to a set and back ----------------------------------------------------------- */

/* The caller holds all slots of arenas that were nobody's: makes them the set's. */
static bool settle(arn_arenas *set, uint32_t first, uint32_t count) {
  arn_group *group = arn_arenas_group(set);
  size_t size = count * ARN_ARENA_SIZE;
  if (!arn_group_charge(group, size))
    return false;
  if (commit(group, first, count)) {
    arn_group_discharge(group, size);
    return false;
  }
  for (uint32_t i = 0; i < count; i++) {
    arn_arena *arena = &arn_space.arenas[first + i];
    store_relaxed(&arena->dirty, 0);
    store_relaxed(&arena->purged, 0);
    store_relaxed(&arena->dirty_since, 0);
    arn_order_reset(arena);
    store_seq_cst(&arena->home, set);
  }
  uint64_t held = add_relaxed(&group->arenas_held, count) + count;
  add_relaxed(&group->arenas_allocated, count);
  uint64_t high = load_relaxed(&group->arenas_highwater);
  while (held > high && !cas_seq_cst(&group->arenas_highwater, &high, held)) {
  }
  return true;
}

void arn_arenas_set_idle(arn_group *group, uint32_t first, uint32_t count,
                         const uint64_t *strangers) {
  arn_marks_forget(first, count);
  for (uint32_t i = 0; i < count; i++) {
    arn_arena *arena = &arn_space.arenas[first + i];
    arn_arenas *home = load_relaxed(&arena->home);
    store_relaxed(&arena->dirty, 0);
    store_relaxed(&arena->purged, 0);
    store_seq_cst(&arena->home, NULL);
    if (home)
      arn_hint_place(home, first + i, ARN_ALL_FREE_STEP);
    and_seq_cst(&arena->taken, strangers ? strangers[i] : 0);
    arn_hint_idle(first + i);
  }
  sub_relaxed(&group->arenas_held, count);
  add_relaxed(&group->arenas_reclaimed, count);
  arn_group_discharge(group, count * ARN_ARENA_SIZE);
}

bool arn_claim_arenas(uint32_t first, uint32_t count, arn_arenas *home) {
  for (uint32_t i = 0; i < count; i++) {
    arn_arena *arena = &arn_space.arenas[first + i];
    uint64_t none = 0;
    bool got =
        load_seq_cst(&arena->home) == home && cas_seq_cst(&arena->taken, &none, ARN_ALL_SLOTS);
    if (got && load_seq_cst(&arena->home) == home)
      continue;
    if (got)
      arn_unclaim(first + i, ARN_ALL_SLOTS);
    while (i-- > 0)
      arn_unclaim(first + i, ARN_ALL_SLOTS);
    return false;
  }
  for (uint32_t i = 0; i < count; i++) {
    if (home)
      arn_hint_place(home, first + i, ARN_ALL_FREE_STEP);
    else
      and_seq_cst(&arn_space.idle[(first + i) / 64], ~(UINT64_C(1) << (first + i) % 64));
  }
  return true;
}

/* One word of the bitmap in which a run is looked for: arenas of the set that are all free, or idle
 * ones. */
static uint64_t candidates(arn_arenas *home, uint32_t group) {
  return home ? load_seq_cst(&home->hints[group].by_fullness[ARN_ALL_FREE_STEP])
              : load_seq_cst(&arn_space.idle[group]);
}

/* Claims the lowest run of count candidates at a multiple of align arenas. */
static bool claim_run(arn_arenas *home, uint32_t count, uint32_t align, uint32_t *first) {
  uint32_t groups = arn_group_count(), length = 0;
  /* The first multiple of align, by address, at or above an arena. */
  uint32_t base = (uint32_t)((arn_space.base >> ARN_ARENA_SHIFT) % align);
  for (uint32_t g = 0; g < groups; g++) {
    uint64_t bits = candidates(home, g);
    if (!bits) {
      length = 0;
      continue;
    }
    for (uint32_t i = 0; i < 64; i++) {
      uint32_t number = g * 64 + i;
      if (!(bits >> i & 1)) {
        length = 0;
      } else if (length > 0 || (number + base) % align == 0) {
        if (++length < count)
          continue;
        *first = number + 1 - count;
        if (arn_claim_arenas(*first, count, home))
          return true;
        length = 0;
      }
    }
  }
  return false;
}

/* Arenas from the frontier. As soon as it has moved, a run that ends there may grow into them, so
 * they are claimed like any idle ones; when that happened, further ones are taken. */
static bool claim_fresh(uint32_t count, uint32_t align, uint32_t *first) {
  uint32_t extra = align - 1, number; /* to align within; what is over becomes idle */
  while (!arn_space_advance(count + extra, &number)) {
    uint32_t base = (uint32_t)((arn_space.base >> ARN_ARENA_SHIFT) % align);
    uint32_t skip = (align - (number + base) % align) % align;
    *first = number + skip;
    bool got = arn_claim_arenas(*first, count, NULL);
    for (uint32_t i = 0; i < count + extra; i++)
      if (!got || i < skip || i >= skip + count)
        arn_hint_idle(number + i);
    if (got)
      return true;
  }
  return false;
}

bool arn_take_new(arn_arenas *set, uint32_t count, uint32_t align, uint32_t *first) {
  if (!claim_run(NULL, count, align, first) && !claim_fresh(count, align, first))
    return false;
  if (settle(set, *first, count))
    return true;
  for (uint32_t i = 0; i < count; i++)
    arn_unclaim(*first + i, ARN_ALL_SLOTS);
  return false;
}

/* --- Runs ------------------------------------------------------------------------------------ */

/* All slots of the arenas may hold pages from now on. */
static void count_run(arn_arenas *set, uint32_t first, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    arn_count_resident(set, &arn_space.arenas[first + i], ARN_ALL_SLOTS, true);
    store_relaxed(&arn_space.arenas[first + i].purged, 0);
  }
}

uint32_t arn_arenas_take_run(arn_arenas *set, uint32_t count, uint32_t align, arn_wish wish,
                             bool *clean) {
  uint32_t first;
  bool got = (wish == ARN_WISH_CLEAN && arn_take_new(set, count, align, &first)) ||
             claim_run(set, count, align, &first) || arn_take_new(set, count, align, &first);
  if (!got &&
      arn_arenas_purge(set, true, UINT32_MAX, 0)) /* arenas that are nobody's, side by side */
    got = arn_take_new(set, count, align, &first);
  if (!got)
    return UINT32_MAX;
  uint32_t slots, still = wish == ARN_WISH_CLEAN
                              ? arn_arenas_clean(first, count, &slots)
                              : arn_arenas_before_run(set, first, count, wish == ARN_WISH_DIRTY);
  *clean = still == count;
  count_run(set, first, count);
  return first;
}

/* One arena for the set, all slots claimed: a free one of its own, or an idle one. */
static bool take_this(arn_arenas *set, uint32_t number) {
  if (load_seq_cst(&arn_space.arenas[number].home) == set)
    return arn_claim_arenas(number, 1, set);
  if (!arn_claim_arenas(number, 1, NULL))
    return false;
  if (settle(set, number, 1))
    return true;
  arn_unclaim(number, ARN_ALL_SLOTS);
  return false;
}

bool arn_arenas_extend_run(arn_arenas *set, uint32_t first, uint32_t count) {
  if (first + count > load_acquire(&arn_space.frontier)) { /* advance's CAS releases */
    /* The run ends at the frontier: move it, unless somebody else does first. */
    uint32_t number, missing = first + count - load_relaxed(&arn_space.frontier);
    if (missing > count || arn_space_advance(missing, &number))
      return false;
    for (uint32_t i = 0; i < missing; i++)
      arn_hint_idle(number + i);
  }
  for (uint32_t i = 0; i < count; i++) {
    if (take_this(set, first + i))
      continue;
    while (i-- > 0)
      arn_unclaim(first + i, ARN_ALL_SLOTS);
    return false;
  }
  arn_arenas_before_run(set, first, count, true);
  count_run(set, first, count);
  return true;
}

void arn_arenas_give_run(uint32_t first, uint32_t count, uint32_t touched_slots) {
  arn_arenas *set = load_relaxed(&arn_space.arenas[first].home); /* stable: we hold slots */
  for (uint32_t i = 0; i < count; i++) {
    arn_arena *arena = &arn_space.arenas[first + i];
    uint32_t touched = touched_slots < 64 ? touched_slots : 64;
    touched_slots -= touched;
    arn_mark_dirty(arena, arn_slot_mask(0, touched));
    arn_count_resident(set, arena, ARN_ALL_SLOTS, false);
    and_seq_cst(&arena->taken, 0);
    arn_hint_place(set, first + i, ARN_NOWHERE);
    if (arn_arenas_group(set)->config.purge_delay_ms == 0)
      arn_purge_arena(set, first + i);
    else
      arn_hint_dirty(set, first + i);
  }
}
