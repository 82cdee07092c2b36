/* arena.c - taking and releasing slots without a lock; arena.h has the protocol. */
#include "arena.h"

#include "arena_order.h"
#include "arena_parts.h"

/* How many arenas with a promising hint are tried for a run of slots before a new arena is taken:
 * enough that runs of slots are found in practice, and a bound on the search. */
#define TRIES 64

/* count adjacent bits of free at a multiple of align; 0 when there are none. */
static uint64_t find_slots(arn_arena *arena, uint64_t free, uint32_t count, uint32_t align) {
  if (!free)
    return 0;
  if (count == 1 && align == 1)
    return UINT64_C(1) << arn_order_pick(arena, free);
  /* After this, bit i is set when count bits from i on are. */
  uint64_t starts = free;
  for (uint32_t have = 1; have < count;) {
    uint32_t shift = have < count - have ? have : count - have;
    starts &= starts >> shift;
    have += shift;
  }
  for (; starts; starts &= starts - 1) {
    uint32_t first = (uint32_t)__builtin_ctzll(starts);
    if (first % align == 0)
      return arn_slot_mask(first, count);
  }
  return 0;
}

void arn_unclaim(uint32_t number, uint64_t mask) {
  arn_arena *arena = &arn_space.arenas[number];
  /* Stable, because we hold slots; or its set is closing, and stays mapped. */
  arn_arenas *home = load_seq_cst(&arena->home);
  uint64_t before = and_seq_cst(&arena->taken, ~mask);
  if (home) {
    arn_hint_place(home, number, arn_step_of(before));
    if (load_relaxed(&arena->dirty))
      arn_hint_dirty(home, number);
  } else {
    arn_hint_idle(number);
  }
}

void arn_unclaim_mistake(uint32_t number, uint64_t mask, uint64_t taken) {
  arn_arenas *home = load_seq_cst(&arn_space.arenas[number].home); /* as in arn_unclaim */
  if (home)
    arn_hint_place(home, number, arn_step_of(taken));
  arn_unclaim(number, mask);
}

/* Claims slots of one arena that a hint of set named, on step: only such as are wished for. */
static bool claim(arn_arenas *set, uint32_t number, int step, uint32_t count, uint32_t align,
                  arn_wish wish, uint64_t *mask) {
  arn_arena *arena = &arn_space.arenas[number];
  uint64_t taken = load_seq_cst(&arena->taken);
  do {
    if (load_seq_cst(&arena->home) != set || arn_step_of(taken) != step) {
      arn_hint_place(set, number, step);
      if (load_seq_cst(&arena->home) != set)
        return false;
      step = arn_step_of(taken);
    }
    uint64_t free = ~taken;
    if (wish == ARN_WISH_DIRTY) {
      free &= load_relaxed(&arena->dirty);
      if (!free)
        arn_unhint_dirty(set, number);
    }
    *mask = find_slots(arena, free, count, align);
    if (!*mask)
      return false;
  } while (!cas_seq_cst(&arena->taken, &taken, taken | *mask));
  if (load_seq_cst(&arena->home) != set) {
    arn_unclaim_mistake(number, *mask, taken);
    return false;
  }
  arn_hint_place(set, number, arn_step_of(taken));
  return true;
}

/* The slots are ours: what they hold, and the books. */
static size_t claimed(arn_arenas *set, uint32_t number, uint64_t mask, bool *clean) {
  arn_arena *arena = &arn_space.arenas[number];
  arn_count_resident(set, arena, mask, true);
  *clean = !(load_acquire(&arena->dirty) & mask); /* arn_arenas_give and purging release */
  if (load_relaxed(&arena->purged) & mask)
    and_relaxed(&arena->purged, ~mask);
  size_t slot = (size_t)number * ARN_POOLS_PER_ARENA + (size_t)__builtin_ctzll(mask);
  arn_order_taken(arena, slot);
  return slot;
}

/* The first of the set's arenas on a step, in the textbook's order: over all groups. */
static bool take_textbook(arn_arenas *set, int step, uint32_t *number, uint64_t *mask) {
  for (;;) {
    uint32_t best = UINT32_MAX, groups = arn_group_count();
    for (uint32_t g = 0; g < groups; g++) {
      uint64_t bits = load_seq_cst(&set->hints[g].by_fullness[step]);
      if (!bits)
        continue;
      uint32_t other = arn_order_arena(g, bits);
      if (best == UINT32_MAX || load_relaxed(&arn_space.arenas[other].stamp) >
                                    load_relaxed(&arn_space.arenas[best].stamp))
        best = other;
    }
    if (best == UINT32_MAX)
      return false;
    *number = best;
    if (claim(set, best, step, 1, 1, ARN_WISH_ANY, mask))
      return true;
  }
}

/* What is looked for in take_usable. */
typedef struct search {
  uint32_t count, align;
  arn_wish wish;
  uint32_t tries;
  uint32_t number; /* found: the arena */
  uint64_t mask;   /* and the slots, claimed */
} search;

/* Among the set's arenas on a step, groups [from, to). */
static bool search_groups(arn_arenas *set, int step, uint32_t from, uint32_t to, search *s) {
  for (uint32_t g = from; g < to && s->tries; g++) {
    uint64_t bits = load_seq_cst(&set->hints[g].by_fullness[step]);
    if (bits && g > from && from == load_relaxed(&set->first[step]))
      store_relaxed(&set->first[step], g);
    if (s->wish == ARN_WISH_DIRTY)
      bits &= load_relaxed(&set->hints[g].dirty);
    for (; bits && s->tries; bits &= bits - 1, s->tries--) {
      s->number = g * 64 + (uint32_t)__builtin_ctzll(bits);
      if (claim(set, s->number, step, s->count, s->align, s->wish, &s->mask))
        return true;
    }
  }
  return false;
}

static bool search_steps(arn_arenas *set, search *s) {
  for (int step = 0; step < ARN_FULLNESS_STEPS; step++) {
    if (arn_step_most_free(step) < s->count)
      continue;
    if (ARN_TEXTBOOK) {
      if (take_textbook(set, step, &s->number, &s->mask))
        return true;
      continue;
    }
    /* first is a hint, too: what is before it is looked at last. */
    uint32_t groups = arn_group_count(), first = load_relaxed(&set->first[step]);
    if (first > groups)
      first = groups;
    if (search_groups(set, step, first, groups, s) || search_groups(set, step, 0, first, s))
      return true;
  }
  return false;
}

/* Slots of the set's arenas: dirty ones, or any. */
static bool take_usable(arn_arenas *set, search *s) {
  if (!ARN_TEXTBOOK && load_relaxed(&set->any_dirty)) {
    s->wish = ARN_WISH_DIRTY;
    s->tries = TRIES;
    if (search_steps(set, s))
      return true;
    arn_give_for_growth(set, s->count);
  }
  s->wish = ARN_WISH_ANY;
  s->tries = s->count == 1 ? UINT32_MAX : TRIES; /* for one slot any candidate will do */
  return search_steps(set, s);
}

size_t arn_arenas_take(arn_arenas *set, uint32_t count, uint32_t align, bool *clean) {
  search s = {.count = count, .align = align};
  if (!take_usable(set, &s)) {
    if (!arn_take_new(set, 1, 1, &s.number))
      return SIZE_MAX;
    s.mask = arn_slot_mask(0, count);
    and_seq_cst(&arn_space.arenas[s.number].taken, s.mask);
    arn_hint_place(set, s.number, ARN_NOWHERE);
  }
  return claimed(set, s.number, s.mask, clean);
}

size_t arn_arenas_take_dirty(arn_arenas *set, uint32_t count, uint32_t align) {
  search s = {.count = count, .align = align, .wish = ARN_WISH_DIRTY, .tries = TRIES};
  bool clean;
  if (ARN_TEXTBOOK || !load_relaxed(&set->any_dirty) || !search_steps(set, &s))
    return SIZE_MAX;
  return claimed(set, s.number, s.mask, &clean);
}

bool arn_arenas_extend(size_t slot, uint32_t more) {
  uint32_t number = (uint32_t)(slot / ARN_POOLS_PER_ARENA);
  uint32_t first = (uint32_t)(slot % ARN_POOLS_PER_ARENA);
  if (first == 0 || first + more > ARN_POOLS_PER_ARENA)
    return false; /* the next arena */
  arn_arena *arena = &arn_space.arenas[number];
  uint64_t mask = arn_slot_mask(first, more), taken = load_seq_cst(&arena->taken);
  do {
    if (taken & mask)
      return false;
  } while (!cas_seq_cst(&arena->taken, &taken, taken | mask));
  arn_arenas *set = load_relaxed(&arena->home); /* stable: we hold slots */
  arn_hint_place(set, number, arn_step_of(taken));
  arn_give_for_growth(set, (uint64_t)__builtin_popcountll(mask & ~load_relaxed(&arena->dirty)));
  arn_count_resident(set, arena, mask, true);
  and_relaxed(&arena->purged, ~mask);
  return true;
}

void arn_arenas_give(size_t slot, uint32_t count, uint32_t touched) {
  uint32_t number = (uint32_t)(slot / ARN_POOLS_PER_ARENA);
  uint32_t first = (uint32_t)(slot % ARN_POOLS_PER_ARENA);
  arn_arena *arena = &arn_space.arenas[number];
  arn_arenas *set = load_relaxed(&arena->home); /* stable: we hold slots */
  arn_mark_dirty(arena, arn_slot_mask(first, touched));
  arn_count_resident(set, arena, arn_slot_mask(first, count), false);
  arn_order_given(arena, arn_arenas_group(set), slot);
  uint64_t before = and_seq_cst(&arena->taken, ~arn_slot_mask(first, count));
  arn_hint_place(set, number, arn_step_of(before));
  bool all_free = (before & ~arn_slot_mask(first, count)) == 0;
  if (ARN_TEXTBOOK ? all_free : arn_arenas_group(set)->config.purge_delay_ms == 0)
    arn_purge_arena(set, number);
  else if (!ARN_TEXTBOOK)
    arn_hint_dirty(set, number);
}
