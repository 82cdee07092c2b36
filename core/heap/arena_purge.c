/* arena_purge.c - giving pages of arenas back to the system: when their delay is over, when
 * somebody asks, and when new memory is taken. Purging is claiming; arena.h has the protocol. */
#include <errno.h>

#include "arena_parts.h"
#include "os.h"

/* Arenas purged in one slice of arn_arenas_tick: some tens of microseconds of madvise. */
#define SLICE 4

/* Growth past the peak gives back as much, and at least the part GROWTH_PART of the peak: so that it does not
 * look for each slot. Spans and runs, from GROWTH_LARGE slots on, always do: it is they that do not fit
 * into what is free, and their own pages cost as much. Pools and small spans do when the part GROWTH_WASTE
 * lies free, and look after each GROWTH_PART: pages that go come back soon, and each call to the system stops
 * the program's other threads (always: `phases`, 2 threads, a tenth slower; python3's recording takes 4 % less
 * memory, the others the same). */
#define GROWTH_PART 64
#define GROWTH_LARGE 8
#define GROWTH_WASTE 4

bool arn_arenas_purge_range(arn_group *group, void *at, size_t size) {
  const arn_arena_source *source = &group->config.source;
  add_relaxed(&group->purges, 1);
  if (arn_default_source(group))
    return arn_os_purge(at, size);
  int before = errno;
  source->purge(source->context, at, size);
  errno = before;
  return true;
}

size_t arn_purge_arena(arn_arenas *set, uint32_t number) {
  arn_arena *arena = &arn_space.arenas[number];
  arn_group *group = arn_arenas_group(set);
  uint64_t taken = load_seq_cst(&arena->taken), mask;
  if (load_seq_cst(&arena->home) != set)
    return 0; /* a stale hint */
  do {
    mask = taken == 0 ? ARN_ALL_SLOTS : ~taken & load_relaxed(&arena->dirty);
    if (!mask)
      return 0;
  } while (!cas_seq_cst(&arena->taken, &taken, taken | mask));
  if (load_seq_cst(&arena->home) != set) {
    arn_unclaim_mistake(number, mask, taken);
    return 0;
  }
  arn_hint_place(set, number, arn_step_of(taken));
  store_relaxed(&arena->dirty_since, 0);

  uint64_t dirty = load_acquire(&arena->dirty) & mask, rest = dirty; /* arn_arenas_give releases */
  size_t bytes = (size_t)__builtin_popcountll(dirty) * ARN_POOL_SIZE;
  /* Where giving back means mapping anew, that does both; and it makes one mapping of several. */
  if (mask == ARN_ALL_SLOTS &&
      (!arn_default_source(group) || arn_os_strict || load_relaxed(&arena->moved))) {
    bool heals = arn_default_source(group) && !arn_os_strict;
    /* What the program has locked (mlock(2)) cannot be given back, and stays locked. */
    bool went = (!heals || arn_arenas_purge_range(group, arn_arena_base(number), ARN_ARENA_SIZE)) &&
                arn_arenas_decommit(group, number, 1);
    /* Usable again at once, so that it is one mapping with its neighbours. */
    if (went && heals && !arn_os_commit(arn_arena_base(number), ARN_ARENA_SIZE))
      store_relaxed(&arena->committed, 1);
    if (went)
      sub_relaxed(&set->resident, (uint64_t)__builtin_popcountll(dirty));
    if (went)
      arn_arenas_set_idle(group, number, 1, NULL);
    else
      arn_unclaim(number, mask);
    return went ? bytes : 0;
  }
  while (rest) {
    uint32_t first = (uint32_t)__builtin_ctzll(rest);
    uint64_t up = ~(rest >> first);
    uint32_t count = up ? (uint32_t)__builtin_ctzll(up) : 64;
    if (!arn_arenas_purge_range(group, arn_arena_base(number) + first * ARN_POOL_SIZE,
                                count * ARN_POOL_SIZE))
      break;
    rest &= ~arn_slot_mask(first, count);
  }
  uint64_t gone = dirty & ~rest;
  bytes = (size_t)__builtin_popcountll(gone) * ARN_POOL_SIZE;
  or_relaxed(&arena->purged, gone);
  and_seq_cst(&arena->dirty, ~gone);
  sub_relaxed(&set->resident, (uint64_t)__builtin_popcountll(gone));
  if (mask == ARN_ALL_SLOTS && !rest)
    arn_arenas_set_idle(group, number, 1, NULL);
  else
    arn_unclaim(number, mask);
  return bytes;
}

/* Gives so many slots back, if they are there: from the emptiest arenas first, because what is free in the
 * others is used first. False when there were some, and none went. */
static bool give_as_much(arn_arenas *set, uint64_t slots) {
  size_t bytes = 0, enough = slots * ARN_POOL_SIZE;
  bool tried = false;
  if (!arn_group_begin_purge(arn_arenas_group(set)))
    return true;
  for (int step = ARN_FULLNESS_STEPS; step-- > 0;)
    for (uint32_t g = arn_group_count(); g-- > 0 && bytes < enough;) {
      arn_hints *hints = &set->hints[g];
      uint64_t bits = load_seq_cst(&hints->dirty) & load_seq_cst(&hints->by_fullness[step]);
      for (; bits && bytes < enough; bits &= bits - 1) {
        uint32_t number = g * 64 + (uint32_t)__builtin_ctzll(bits);
        bytes += arn_purge_arena(set, number);
        arn_unhint_dirty(set, number);
        tried = true;
      }
    }
  arn_group_end_purge(arn_arenas_group(set));
  return bytes > 0 || !tried;
}

bool arn_arenas_has_dirty(arn_arenas *set, uint64_t slots) {
  uint64_t found = 0;
  for (uint32_t g = 0; g < arn_group_count(); g++) {
    uint64_t bits = load_seq_cst(&set->hints[g].dirty);
    for (; bits; bits &= bits - 1) {
      arn_arena *arena = &arn_space.arenas[g * 64 + (uint32_t)__builtin_ctzll(bits)];
      found += (uint64_t)__builtin_popcountll(~load_relaxed(&arena->taken) &
                                              load_relaxed(&arena->dirty));
      if (found >= slots)
        return true;
    }
  }
  return false;
}

void arn_give_for_growth(arn_arenas *set, uint64_t slots) {
  uint64_t resident = load_relaxed(&set->resident) + slots, peak = load_relaxed(&set->peak);
  if (resident <= peak || !load_relaxed(&set->any_dirty))
    return;
  uint64_t part = peak / GROWTH_PART + 1;
  if (slots < GROWTH_LARGE && (resident / part == (resident - slots) / part ||
                               !arn_arenas_has_dirty(set, resident / GROWTH_WASTE)))
    return;
  if (!give_as_much(set, resident - peak > part ? resident - peak : part))
    arn_peak_raise(set, resident + part); /* locked, perhaps: not at each slot again */
}

size_t arn_arenas_purge(arn_arenas *set, bool now, uint32_t budget, size_t keep_bytes) {
  arn_group *group = arn_arenas_group(set);
  int32_t delay = group->config.purge_delay_ms;
  uint32_t time = (uint32_t)arn_os_milliseconds() | 1; /* 0 means not looked at */
  uint32_t groups = arn_group_count();
  size_t bytes = 0, kept = 0;
  bool pending = false;
  if (!arn_group_begin_purge(group))
    return 0;
  store_seq_cst(&set->any_dirty, 0); /* before the look: arn_arenas_give sets it after a release */
  for (uint32_t g = 0; g < groups; g++) {
    uint64_t bits = load_seq_cst(&set->hints[g].dirty);
    for (; bits; bits &= bits - 1) {
      uint32_t number = g * 64 + (uint32_t)__builtin_ctzll(bits);
      arn_arena *arena = &arn_space.arenas[number];
      uint32_t since = load_relaxed(&arena->dirty_since);
      size_t free = ARN_POOL_SIZE * (size_t)__builtin_popcountll(~load_relaxed(&arena->taken) &
                                                                 load_relaxed(&arena->dirty));
      if (free && kept + free <= keep_bytes) {
        kept += free;
        pending = true;
        continue;
      }
      if (!now && since == 0)
        store_relaxed(&arena->dirty_since, since = time);
      if (!now && (time - since < (uint32_t)delay || budget == 0)) {
        pending = true;
        continue;
      }
      and_seq_cst(&set->hints[g].dirty, ~(bits & -bits)); /* before the look, likewise */
      bytes += arn_purge_arena(set, number);
      if (budget)
        budget--;
    }
  }
  if (pending)
    store_seq_cst(&set->any_dirty, 1);
  if (bytes)
    arn_peak_lower(set, bytes / ARN_POOL_SIZE);
  store_relaxed(&set->next_purge, time + (budget ? (uint32_t)delay / 4 + 1 : 0));
  arn_group_end_purge(group);
  return bytes;
}

size_t arn_arenas_tick(arn_arenas *set) {
  int32_t delay = arn_arenas_group(set)->config.purge_delay_ms;
  if (!load_relaxed(&set->any_dirty) || delay < 0)
    return 0;
  uint32_t time = (uint32_t)arn_os_milliseconds(), next = load_relaxed(&set->next_purge);
  if ((int32_t)(time - next) < 0)
    return 0;
  if (!cas_seq_cst(&set->next_purge, &next, time + 1))
    return 0; /* another thread does it */
  return arn_arenas_purge(set, false, SLICE, 0);
}
