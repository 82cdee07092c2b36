/* arena.c - taking and releasing slots and arenas without a lock; arena.h has the protocol. */
#include "arena.h"

#include <errno.h>
#include <string.h>

#include "arena_order.h"
#include "meta.h"
#include "os.h"

#define ALL_SLOTS (~UINT64_C(0))
#define NOWHERE (-1)
#define ALL_FREE_STEP (ARN_FULLNESS_STEPS - 1)

/* How many arenas with a promising hint are tried for a run of slots before a new arena is taken:
 * enough that runs of slots are found in practice, and a bound on the search. */
#define TRIES 64

/* Arenas purged in one slice of arn_arenas_tick: some tens of microseconds of madvise. */
#define SLICE 4

/* --- Hints ----------------------------------------------------------------------------------- */

/* The step of fullness that a word of taken slots belongs to; step 0 has the fewest free slots, the
 * last one is for arenas that are all free; a full arena is on none. */
static int step_of(uint64_t taken) {
  int free = __builtin_popcountll(~taken);
  if (free == 0) return NOWHERE;
  if (ARN_TEXTBOOK) return free - 1;
  return free == 64 ? ALL_FREE_STEP : free * ALL_FREE_STEP / 64;
}

/* The most slots that an arena of a step can have free. */
static uint32_t most_free(int step) {
  if (ARN_TEXTBOOK) return (uint32_t)step + 1;
  return step == ALL_FREE_STEP ? 64 : ((uint32_t)step * 64 + 64) / ALL_FREE_STEP;
}

static uint32_t group_count(void) {
  return (load_acquire(&arn_space.frontier) + 63) / 64; /* advance's CAS releases */
}

static void lower_first(arn_arenas *set, int step, uint32_t group) {
  uint32_t first = load_relaxed(&set->first[step]);
  while (group < first && !cas_seq_cst(&set->first[step], &first, group)) {
  }
}

/* Moves the arena's bit from step `at` to where it belongs, and looks again until nothing changed
 * meanwhile. Sequentially consistent: of two threads that change `taken` and then the hint, the one
 * whose look is last sees both changes. */
static void place_hint(arn_arenas *set, uint32_t number, int at) {
  arn_arena *arena = &arn_space.arenas[number];
  arn_hints *hints = &set->hints[number / 64];
  uint64_t bit = UINT64_C(1) << number % 64;
  for (;;) {
    int step =
        load_seq_cst(&arena->home) == set ? step_of(load_seq_cst(&arena->taken)) : NOWHERE;
    if (step == at) return;
    if (step != NOWHERE) {
      or_seq_cst(&hints->by_fullness[step], bit);
      lower_first(set, step, number / 64);
    }
    if (at != NOWHERE) and_seq_cst(&hints->by_fullness[at], ~bit);
    at = step;
  }
}

static void hint_dirty(arn_arenas *set, uint32_t number) {
  _Atomic uint64_t *word = &set->hints[number / 64].dirty;
  uint64_t bit = UINT64_C(1) << number % 64;
  if (!(load_seq_cst(word) & bit)) or_seq_cst(word, bit);
  if (!load_seq_cst(&set->any_dirty)) store_seq_cst(&set->any_dirty, 1);
}

/* The arena was seen to have no dirty free slot. Looks again afterwards, as place_hint does. */
static void unhint_dirty(arn_arenas *set, uint32_t number) {
  arn_arena *arena = &arn_space.arenas[number];
  and_seq_cst(&set->hints[number / 64].dirty, ~(UINT64_C(1) << number % 64));
  if (load_seq_cst(&arena->home) == set && (~load_seq_cst(&arena->taken) & load_seq_cst(&arena->dirty)))
    hint_dirty(set, number);
}

static void hint_idle(uint32_t number) {
  or_seq_cst(&arn_space.idle[number / 64], UINT64_C(1) << number % 64);
}

/* --- Slots ----------------------------------------------------------------------------------- */

static uint64_t mask_of(uint32_t first, uint32_t count) {
  return (count == 64 ? ALL_SLOTS : (UINT64_C(1) << count) - 1) << first;
}

/* count adjacent bits of free at a multiple of align; 0 when there are none. */
static uint64_t find_slots(arn_arena *arena, uint64_t free, uint32_t count, uint32_t align) {
  if (!free) return 0;
  if (count == 1 && align == 1) return UINT64_C(1) << arn_order_pick(arena, free);
  /* After this, bit i is set when count bits from i on are. */
  uint64_t starts = free;
  for (uint32_t have = 1; have < count;) {
    uint32_t shift = have < count - have ? have : count - have;
    starts &= starts >> shift;
    have += shift;
  }
  for (; starts; starts &= starts - 1) {
    uint32_t first = (uint32_t)__builtin_ctzll(starts);
    if (first % align == 0) return mask_of(first, count);
  }
  return 0;
}

/* Returns slots that were claimed in an arena whose home is not what was meant. */
static void unclaim(uint32_t number, uint64_t mask) {
  arn_arena *arena = &arn_space.arenas[number];
  arn_arenas *home = load_seq_cst(&arena->home); /* stable: we hold slots */
  uint64_t before = and_seq_cst(&arena->taken, ~mask);
  if (home) {
    place_hint(home, number, step_of(before));
    if (load_relaxed(&arena->dirty)) hint_dirty(home, number);
  } else {
    hint_idle(number);
  }
}

/* Claims slots of one arena that a hint of set named, on step; with dirty, only such as may hold pages
 * already. */
static bool claim(arn_arenas *set, uint32_t number, int step, uint32_t count, uint32_t align,
                  arn_wish wish, uint64_t *mask) {
  arn_arena *arena = &arn_space.arenas[number];
  uint64_t taken = load_seq_cst(&arena->taken);
  do {
    if (load_seq_cst(&arena->home) != set || step_of(taken) != step) {
      place_hint(set, number, step);
      if (load_seq_cst(&arena->home) != set) return false;
      step = step_of(taken);
    }
    uint64_t free = ~taken;
    if (wish == ARN_WISH_DIRTY) free &= load_relaxed(&arena->dirty);
    if (wish == ARN_WISH_CLEAN) free &= ~load_relaxed(&arena->dirty);
    if (wish == ARN_WISH_DIRTY && !free) unhint_dirty(set, number);
    *mask = find_slots(arena, free, count, align);
    if (!*mask) return false;
  } while (!cas_seq_cst(&arena->taken, &taken, taken | *mask));
  if (load_seq_cst(&arena->home) != set) {
    unclaim(number, *mask);
    return false;
  }
  place_hint(set, number, step_of(taken));
  return true;
}

/* The slots are ours: what they hold, and the books. */
static size_t claimed(uint32_t number, uint64_t mask, bool *clean) {
  arn_arena *arena = &arn_space.arenas[number];
  *clean = !(load_acquire(&arena->dirty) & mask); /* arn_arenas_give and purging release */
  if (load_relaxed(&arena->purged) & mask) and_relaxed(&arena->purged, ~mask);
  size_t slot = (size_t)number * ARN_POOLS_PER_ARENA + (size_t)__builtin_ctzll(mask);
  arn_order_taken(arena, slot);
  return slot;
}

/* The first of the set's arenas on a step, in the textbook's order: over all groups. */
static bool take_textbook(arn_arenas *set, int step, uint32_t *number, uint64_t *mask) {
  for (;;) {
    uint32_t best = UINT32_MAX, groups = group_count();
    for (uint32_t g = 0; g < groups; g++) {
      uint64_t bits = load_seq_cst(&set->hints[g].by_fullness[step]);
      if (!bits) continue;
      uint32_t other = arn_order_arena(g, bits);
      if (best == UINT32_MAX || load_relaxed(&arn_space.arenas[other].stamp) >
                                    load_relaxed(&arn_space.arenas[best].stamp))
        best = other;
    }
    if (best == UINT32_MAX) return false;
    *number = best;
    if (claim(set, best, step, 1, 1, ARN_WISH_ANY, mask)) return true;
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
    if (s->wish == ARN_WISH_DIRTY) bits &= load_relaxed(&set->hints[g].dirty);
    for (; bits && s->tries; bits &= bits - 1, s->tries--) {
      s->number = g * 64 + (uint32_t)__builtin_ctzll(bits);
      if (claim(set, s->number, step, s->count, s->align, s->wish, &s->mask)) return true;
    }
  }
  return false;
}

static bool search_steps(arn_arenas *set, search *s) {
  for (int step = 0; step < ARN_FULLNESS_STEPS; step++) {
    if (most_free(step) < s->count) continue;
    if (ARN_TEXTBOOK) {
      if (take_textbook(set, step, &s->number, &s->mask)) return true;
      continue;
    }
    /* first is a hint, too: what is before it is looked at last. */
    uint32_t groups = group_count(), first = load_relaxed(&set->first[step]);
    if (first > groups) first = groups;
    if (search_groups(set, step, first, groups, s) || search_groups(set, step, 0, first, s)) return true;
  }
  return false;
}

static size_t purge_arena(arn_arenas *set, uint32_t number);

/* Several adjacent slots, or a clean one, are wanted, while dirty ones lie free that do not fit: those
 * go back to the system, as many bytes as will be touched anew or an arena's more. So memory that is
 * free in pieces is not paid for twice: measured on real programs, peak RSS against glibc's fell from
 * 1.3 to 1.04, at a third less speed. The emptiest arenas, which are at the end, give first. */
static void give_for_growth(arn_arenas *set, size_t bytes) {
  for (uint32_t g = group_count(); g-- > 0;) {
    uint64_t bits = load_seq_cst(&set->hints[g].dirty);
    while (bits) {
      uint32_t i = 63 - (uint32_t)__builtin_clzll(bits);
      bits &= ~(UINT64_C(1) << i);
      and_seq_cst(&set->hints[g].dirty, ~(UINT64_C(1) << i)); /* before the look: arn_arenas_give */
      size_t given = purge_arena(set, g * 64 + i);
      if (given >= bytes) return;
      bytes -= given;
    }
  }
}

/* Slots of the set's arenas: such as are wished for, or any. */
static bool take_usable(arn_arenas *set, search *s) {
  if (!ARN_TEXTBOOK && load_relaxed(&set->any_dirty)) {
    s->tries = TRIES;
    if (s->wish == ARN_WISH_DIRTY && search_steps(set, s)) return true;
    if (s->count > 1) give_for_growth(set, s->count * ARN_POOL_SIZE);
    if (s->wish == ARN_WISH_CLEAN && search_steps(set, s)) return true;
  }
  s->wish = ARN_WISH_ANY;
  s->tries = s->count == 1 ? UINT32_MAX : TRIES; /* for one slot any candidate will do */
  return search_steps(set, s);
}

/* --- Whole arenas ---------------------------------------------------------------------------- */

static bool default_source(const arn_group *group) {
  return group->config.source.commit == NULL;
}

/* Back to reserved. The caller holds all slots. */
static bool decommit(arn_group *group, uint32_t first, uint32_t count) {
  const arn_arena_source *source = &group->config.source;
  void *at = arn_arena_base(first);
  size_t size = count * ARN_ARENA_SIZE;
  int before = errno; /* the source's calls may change it, and free must not */
  if (!default_source(group)) source->decommit(source->context, at, size);
  bool went = arn_os_decommit(at, size, arn_space.huge_pages);
  if (went)
    for (uint32_t i = 0; i < count; i++) store_relaxed(&arn_space.arenas[first + i].committed, 0);
  errno = before;
  return went;
}

/* Puts memory behind a stretch of arenas that are all committed, or all not. */
static int commit_stretch(arn_group *group, uint32_t first, uint32_t count, bool committed) {
  const arn_arena_source *source = &group->config.source;
  void *at = arn_arena_base(first);
  size_t size = count * ARN_ARENA_SIZE;
  int error;
  if (default_source(group)) {
    if (committed) return 0;
    error = arn_os_commit(at, size);
  } else {
    /* Another source's memory must not shine through. */
    if (committed) {
      if (!arn_os_decommit(at, size, arn_space.huge_pages)) return ENOMEM;
      for (uint32_t i = 0; i < count; i++) store_relaxed(&arn_space.arenas[first + i].committed, 0);
    }
    int before = errno;
    error = source->commit(source->context, at, size);
    errno = before;
  }
  if (error) return error;
  for (uint32_t i = 0; i < count; i++) store_relaxed(&arn_space.arenas[first + i].committed, 1);
  return 0;
}

/* Puts memory behind arenas whose slots the caller holds; all or none. */
static int commit(arn_group *group, uint32_t first, uint32_t count) {
  for (uint32_t i = 0, stretch; i < count; i += stretch) {
    arn_arena *arena = &arn_space.arenas[first + i];
    uint32_t committed = load_relaxed(&arena->committed);
    for (stretch = 1; i + stretch < count; stretch++)
      if (load_relaxed(&arena[stretch].committed) != committed) break;
    int error = commit_stretch(group, first + i, stretch, committed);
    if (!error) continue;
    /* What another source committed so far is not for the next taker to find. */
    if (!default_source(group) && i > 0) decommit(group, first, i);
    return error;
  }
  return 0;
}

bool arn_arenas_purge_range(arn_group *group, void *at, size_t size) {
  const arn_arena_source *source = &group->config.source;
  add_relaxed(&group->purges, 1);
  if (default_source(group)) return arn_os_purge(at, size);
  int before = errno;
  source->purge(source->context, at, size);
  errno = before;
  return true;
}

/* The caller holds all slots of arenas that were nobody's: makes them the set's. */
static bool settle(arn_arenas *set, uint32_t first, uint32_t count) {
  arn_group *group = set->group;
  size_t size = count * ARN_ARENA_SIZE;
  if (!arn_group_charge(group, size)) return false;
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

/* The caller holds all slots of arenas whose pages are gone: makes them nobody's, and releases. Slots
 * that strangers hold in passing (NULL: none) they release themselves. */
static void set_idle(arn_group *group, uint32_t first, uint32_t count, const uint64_t *strangers) {
  for (uint32_t i = 0; i < count; i++) {
    arn_arena *arena = &arn_space.arenas[first + i];
    arn_arenas *home = load_relaxed(&arena->home);
    store_relaxed(&arena->dirty, 0);
    store_relaxed(&arena->purged, 0);
    store_seq_cst(&arena->home, NULL);
    if (home) place_hint(home, first + i, ALL_FREE_STEP);
    and_seq_cst(&arena->taken, strangers ? strangers[i] : 0);
    hint_idle(first + i);
  }
  sub_relaxed(&group->arenas_held, count);
  add_relaxed(&group->arenas_reclaimed, count);
  arn_group_discharge(group, count * ARN_ARENA_SIZE);
}

/* Claims all slots of arenas [first, first + count) whose home is home (NULL: idle ones); all or
 * none. */
static bool claim_arenas(uint32_t first, uint32_t count, arn_arenas *home) {
  for (uint32_t i = 0; i < count; i++) {
    arn_arena *arena = &arn_space.arenas[first + i];
    uint64_t none = 0;
    bool got = load_seq_cst(&arena->home) == home && cas_seq_cst(&arena->taken, &none, ALL_SLOTS);
    if (got && load_seq_cst(&arena->home) == home) continue;
    if (got) unclaim(first + i, ALL_SLOTS);
    while (i-- > 0) unclaim(first + i, ALL_SLOTS);
    return false;
  }
  for (uint32_t i = 0; i < count; i++) {
    if (home)
      place_hint(home, first + i, ALL_FREE_STEP);
    else
      and_seq_cst(&arn_space.idle[(first + i) / 64], ~(UINT64_C(1) << (first + i) % 64));
  }
  return true;
}

/* One word of the bitmap in which a run is looked for: arenas of the set that are all free, or idle
 * ones. */
static uint64_t candidates(arn_arenas *home, uint32_t group) {
  return home ? load_seq_cst(&home->hints[group].by_fullness[ALL_FREE_STEP])
              : load_seq_cst(&arn_space.idle[group]);
}

/* Claims the lowest run of count candidates at a multiple of align arenas. */
static bool claim_run(arn_arenas *home, uint32_t count, uint32_t align, uint32_t *first) {
  uint32_t groups = group_count(), length = 0;
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
        if (++length < count) continue;
        *first = number + 1 - count;
        if (claim_arenas(*first, count, home)) return true;
        length = 0;
      }
    }
  }
  return false;
}

/* Arenas from the frontier. As soon as it has moved, a run that ends there may grow into them, so they
 * are claimed like any idle ones; when that happened, further ones are taken. */
static bool claim_fresh(uint32_t count, uint32_t align, uint32_t *first) {
  uint32_t extra = align - 1, number; /* to align within; what is over becomes idle */
  while (!arn_space_advance(count + extra, &number)) {
    uint32_t base = (uint32_t)((arn_space.base >> ARN_ARENA_SHIFT) % align);
    uint32_t skip = (align - (number + base) % align) % align;
    *first = number + skip;
    bool got = claim_arenas(*first, count, NULL);
    for (uint32_t i = 0; i < count + extra; i++)
      if (!got || i < skip || i >= skip + count) hint_idle(number + i);
    if (got) return true;
  }
  return false;
}

/* New arenas for the set, all slots claimed. */
static bool take_new(arn_arenas *set, uint32_t count, uint32_t align, uint32_t *first) {
  if (!claim_run(NULL, count, align, first) && !claim_fresh(count, align, first)) return false;
  if (settle(set, *first, count)) return true;
  for (uint32_t i = 0; i < count; i++) unclaim(*first + i, ALL_SLOTS);
  return false;
}

size_t arn_arenas_take(arn_arenas *set, uint32_t count, uint32_t align, arn_wish wish, bool *clean) {
  search s = {.count = count, .align = align, .wish = wish};
  if (!take_usable(set, &s)) {
    if (!take_new(set, 1, 1, &s.number)) return SIZE_MAX;
    s.mask = mask_of(0, count);
    and_seq_cst(&arn_space.arenas[s.number].taken, s.mask);
    place_hint(set, s.number, NOWHERE);
  }
  return claimed(s.number, s.mask, clean);
}

bool arn_arenas_extend(size_t slot, uint32_t more) {
  uint32_t number = (uint32_t)(slot / ARN_POOLS_PER_ARENA);
  uint32_t first = (uint32_t)(slot % ARN_POOLS_PER_ARENA);
  if (first == 0 || first + more > ARN_POOLS_PER_ARENA) return false; /* the next arena */
  arn_arena *arena = &arn_space.arenas[number];
  uint64_t mask = mask_of(first, more), taken = load_seq_cst(&arena->taken);
  do {
    if (taken & mask) return false;
  } while (!cas_seq_cst(&arena->taken, &taken, taken | mask));
  place_hint(load_relaxed(&arena->home), number, step_of(taken)); /* stable: we hold slots */
  and_relaxed(&arena->purged, ~mask);
  return true;
}

uint32_t arn_arenas_take_run(arn_arenas *set, uint32_t count, uint32_t align, bool *clean) {
  uint32_t first;
  *clean = true;
  if (claim_run(set, count, align, &first)) {
    for (uint32_t i = 0; i < count; i++) {
      arn_arena *arena = &arn_space.arenas[first + i];
      if (load_acquire(&arena->dirty)) *clean = false; /* arn_arenas_give_run releases */
      store_relaxed(&arena->purged, 0);
    }
    return first;
  }
  if (load_relaxed(&set->any_dirty)) give_for_growth(set, count * ARN_ARENA_SIZE);
  return take_new(set, count, align, &first) ? first : UINT32_MAX;
}

bool arn_arenas_extend_run(arn_arenas *set, uint32_t first, uint32_t count) {
  if (first + count > load_acquire(&arn_space.frontier)) { /* advance's CAS releases */
    /* The run ends at the frontier: move it, unless somebody else does first. */
    uint32_t number, missing = first + count - load_relaxed(&arn_space.frontier);
    if (missing > count || arn_space_advance(missing, &number)) return false;
    for (uint32_t i = 0; i < missing; i++) hint_idle(number + i);
  }
  if (!claim_arenas(first, count, NULL)) return false;
  if (settle(set, first, count)) return true;
  for (uint32_t i = 0; i < count; i++) unclaim(first + i, ALL_SLOTS);
  return false;
}

/* --- Giving back ----------------------------------------------------------------------------- */

/* Gives back what is free and dirty in one arena; the arena itself when all of it is free. */
static size_t purge_arena(arn_arenas *set, uint32_t number) {
  arn_arena *arena = &arn_space.arenas[number];
  arn_group *group = set->group;
  uint64_t taken = load_seq_cst(&arena->taken), mask;
  if (load_seq_cst(&arena->home) != set) return 0; /* a stale hint */
  do {
    mask = taken == 0 ? ALL_SLOTS : ~taken & load_relaxed(&arena->dirty);
    if (!mask) return 0;
  } while (!cas_seq_cst(&arena->taken, &taken, taken | mask));
  if (load_seq_cst(&arena->home) != set) {
    unclaim(number, mask);
    return 0;
  }
  place_hint(set, number, step_of(taken));
  store_relaxed(&arena->dirty_since, 0);

  uint64_t dirty = load_acquire(&arena->dirty) & mask, rest = dirty; /* arn_arenas_give releases */
  size_t bytes = (size_t)__builtin_popcountll(dirty) * ARN_POOL_SIZE;
  /* Where giving back means mapping anew, that does both. */
  if (mask == ALL_SLOTS && (!default_source(group) || arn_os_strict)) {
    bool went = decommit(group, number, 1);
    if (went)
      set_idle(group, number, 1, NULL);
    else
      unclaim(number, mask);
    return went ? bytes : 0;
  }
  while (rest) {
    uint32_t first = (uint32_t)__builtin_ctzll(rest);
    uint64_t up = ~(rest >> first);
    uint32_t count = up ? (uint32_t)__builtin_ctzll(up) : 64;
    if (!arn_arenas_purge_range(group, arn_arena_base(number) + first * ARN_POOL_SIZE,
                                count * ARN_POOL_SIZE))
      break;
    rest &= ~mask_of(first, count);
  }
  uint64_t gone = dirty & ~rest;
  bytes = (size_t)__builtin_popcountll(gone) * ARN_POOL_SIZE;
  or_relaxed(&arena->purged, gone);
  and_seq_cst(&arena->dirty, ~gone);
  if (mask == ALL_SLOTS && !rest)
    set_idle(group, number, 1, NULL);
  else
    unclaim(number, mask);
  return bytes;
}

/* Slots that the caller holds, so nobody else changes their bits: no write when they are set. */
static void mark_dirty(arn_arena *arena, uint64_t mask) {
  if (~load_relaxed(&arena->dirty) & mask) or_seq_cst(&arena->dirty, mask);
}

void arn_arenas_give(size_t slot, uint32_t count, uint32_t touched) {
  uint32_t number = (uint32_t)(slot / ARN_POOLS_PER_ARENA);
  uint32_t first = (uint32_t)(slot % ARN_POOLS_PER_ARENA);
  arn_arena *arena = &arn_space.arenas[number];
  arn_arenas *set = load_relaxed(&arena->home); /* stable: we hold slots */
  mark_dirty(arena, mask_of(first, touched));
  arn_order_given(arena, set->group, slot);
  uint64_t before = and_seq_cst(&arena->taken, ~mask_of(first, count));
  place_hint(set, number, step_of(before));
  bool all_free = (before & ~mask_of(first, count)) == 0;
  if (set->group->config.purge_delay_ms == 0 ? !ARN_TEXTBOOK || all_free : ARN_TEXTBOOK && all_free)
    purge_arena(set, number);
  else if (!ARN_TEXTBOOK)
    hint_dirty(set, number);
}

void arn_arenas_give_run(uint32_t first, uint32_t count, uint32_t touched_slots) {
  arn_arenas *set = load_relaxed(&arn_space.arenas[first].home); /* stable: we hold slots */
  for (uint32_t i = 0; i < count; i++) {
    arn_arena *arena = &arn_space.arenas[first + i];
    uint32_t touched = touched_slots < 64 ? touched_slots : 64;
    touched_slots -= touched;
    mark_dirty(arena, mask_of(0, touched));
    and_seq_cst(&arena->taken, 0);
    place_hint(set, first + i, NOWHERE);
    if (set->group->config.purge_delay_ms == 0)
      purge_arena(set, first + i);
    else
      hint_dirty(set, first + i);
  }
}

size_t arn_arenas_purge(arn_arenas *set, bool now, uint32_t budget, size_t keep_bytes) {
  int32_t delay = set->group->config.purge_delay_ms;
  uint32_t time = (uint32_t)arn_os_milliseconds() | 1; /* 0 means not looked at */
  uint32_t groups = group_count();
  size_t bytes = 0, kept = 0;
  bool pending = false;
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
      if (!now && since == 0) store_relaxed(&arena->dirty_since, since = time);
      if (!now && (time - since < (uint32_t)delay || budget == 0)) {
        pending = true;
        continue;
      }
      and_seq_cst(&set->hints[g].dirty, ~(bits & -bits)); /* before the look, likewise */
      bytes += purge_arena(set, number);
      if (budget) budget--;
    }
  }
  if (pending) store_seq_cst(&set->any_dirty, 1);
  store_relaxed(&set->next_purge, time + (budget ? (uint32_t)delay / 4 + 1 : 1));
  return bytes;
}

void arn_arenas_tick(arn_arenas *set) {
  int32_t delay = set->group->config.purge_delay_ms;
  if (!load_relaxed(&set->any_dirty) || delay < 0) return;
  uint32_t time = (uint32_t)arn_os_milliseconds(), next = load_relaxed(&set->next_purge);
  if ((int32_t)(time - next) < 0) return;
  if (!cas_seq_cst(&set->next_purge, &next, time + 1)) return; /* another thread does it */
  arn_arenas_purge(set, false, SLICE, 0);
}

/* --- Sets ------------------------------------------------------------------------------------ */

arn_arenas *arn_arenas_open(arn_group *group) {
  arn_arenas *set = arn_meta_take(ARN_META_ARENAS, sizeof *set);
  if (!set) return NULL;
  if (!set->hints) {
    size_t groups = (arn_space.arena_count + 63) / 64;
    set->hints_size = (groups * sizeof(arn_hints) + arn_os_page - 1) / arn_os_page * arn_os_page;
    void *hints;
    if (arn_os_map(&hints, set->hints_size)) {
      arn_meta_give(ARN_META_ARENAS, set);
      return NULL;
    }
    set->hints = hints;
  }
  set->group = group;
  for (int step = 0; step < ARN_FULLNESS_STEPS; step++) store_relaxed(&set->first[step], 0);
  store_relaxed(&set->any_dirty, 0);
  store_relaxed(&set->next_purge, 0);
  return set;
}

/* The slots of an arena that pools and large blocks account for; *skip counts the arenas that belong
 * to a run begun before. */
static uint64_t owned_slots(uint32_t number, uint32_t *skip) {
  uint64_t owned = 0;
  if (*skip) {
    --*skip;
    return ALL_SLOTS;
  }
  arn_pool *pools = &arn_space.pools[(size_t)number * ARN_POOLS_PER_ARENA];
  for (uint32_t i = 0, slots; i < ARN_POOLS_PER_ARENA; i += slots) {
    slots = 1;
    switch ((arn_slot_kind)load_acquire(&pools[i].kind)) {
    case ARN_SLOT_POOL:
      if (load_relaxed(&pools[i].owner)) slots = arn_classes[pools[i].class].slots;
      else continue;
      break;
    case ARN_SLOT_SPAN:
      slots = load_relaxed(&pools[i].until);
      break;
    case ARN_SLOT_RUN:
      *skip = load_relaxed(&pools[i].until) - 1;
      return ALL_SLOTS;
    case ARN_SLOT_NONE:
    case ARN_SLOT_INSIDE:
      continue;
    }
    owned |= mask_of(i, slots);
  }
  return owned;
}

void arn_arenas_close(arn_arenas *set) {
  uint32_t end = load_acquire(&arn_space.frontier); /* advance's CAS releases */
  uint32_t skip = 0;
  uint64_t strangers[64];
  for (uint32_t first = 0, count; first < end; first += count) {
    for (count = 0; first + count < end && count < 64; count++) {
      arn_arena *arena = &arn_space.arenas[first + count];
      if (load_seq_cst(&arena->home) != set) break;
      uint64_t owned = owned_slots(first + count, &skip);
      strangers[count] = or_seq_cst(&arena->taken, ALL_SLOTS) & ~owned;
    }
    if (count == 0) {
      count = 1;
      continue;
    }
    /* An arena's descriptors fill whole pages of the table; zero is what they start with. */
    size_t table = (size_t)count * ARN_POOLS_PER_ARENA * sizeof(arn_pool);
    arn_pool *pools = &arn_space.pools[(size_t)first * ARN_POOLS_PER_ARENA];
    if (((uintptr_t)pools | table) % arn_os_page != 0 || !arn_os_purge(pools, table))
      for (size_t i = 0; i < (size_t)count * ARN_POOLS_PER_ARENA; i++) arn_slot_forget(&pools[i]);
    /* Idle arenas read as zero, whatever the system refuses. */
    void *data = arn_arena_base(first);
    if (!decommit(set->group, first, count) && !arn_os_purge(data, count * ARN_ARENA_SIZE))
      memset(data, 0, count * ARN_ARENA_SIZE);
    set_idle(set->group, first, count, strangers);
  }
  if (!arn_os_purge(set->hints, set->hints_size)) memset(set->hints, 0, set->hints_size);
  arn_meta_give(ARN_META_ARENAS, set);
}

uint32_t arn_arenas_after_fork(arn_arenas *set) {
  uint32_t end = load_acquire(&arn_space.frontier), skip = 0, arenas = 0;
  memset(set->hints, 0, (end + 63) / 64 * sizeof(arn_hints));
  for (uint32_t number = 0; number < end; number++) {
    arn_arena *arena = &arn_space.arenas[number];
    arn_arenas *home = load_relaxed(&arena->home);
    if (!home && load_relaxed(&arena->taken)) { /* somebody was about to take it, or to give it up */
      store_relaxed(&arena->taken, 0);
      hint_idle(number);
    }
    if (home != set) continue;
    arenas++;
    uint64_t owned = owned_slots(number, &skip), taken = load_relaxed(&arena->taken);
    for (uint32_t i = 0; i < ARN_POOLS_PER_ARENA; i++)
      if (!(owned >> i & 1)) arn_slot_forget(&arn_space.pools[(size_t)number * ARN_POOLS_PER_ARENA + i]);
    store_relaxed(&arena->dirty, load_relaxed(&arena->dirty) | (taken & ~owned));
    store_relaxed(&arena->purged, load_relaxed(&arena->purged) & ~load_relaxed(&arena->dirty));
    store_relaxed(&arena->taken, owned);
    place_hint(set, number, NOWHERE);
    hint_dirty(set, number);
  }
  for (int step = 0; step < ARN_FULLNESS_STEPS; step++) store_relaxed(&set->first[step], 0);
  return arenas;
}

uint32_t arn_arenas_check(arn_arenas *set) {
  uint32_t wrong = 0, end = load_acquire(&arn_space.frontier); /* advance's CAS releases */
  for (uint32_t number = 0; number < end; number++) {
    arn_arena *arena = &arn_space.arenas[number];
    if (load_relaxed(&arena->home) != set) continue;
    int step = step_of(load_relaxed(&arena->taken));
    uint64_t bit = UINT64_C(1) << number % 64;
    if (step != NOWHERE && !(load_relaxed(&set->hints[number / 64].by_fullness[step]) & bit)) wrong++;
    if (load_relaxed(&arena->dirty) & load_relaxed(&arena->purged)) wrong++;
  }
  return wrong;
}
