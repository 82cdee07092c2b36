/* arena_set.c - sets of arenas: their beginning and end, after a fork, and their invariants. */
#include <string.h>

#include "arena_order.h"
#include "arena_parts.h"
#include "guard.h"
#include "marks.h"
#include "meta.h"
#include "os.h"

arn_arenas *arn_arenas_open(arn_group *group) {
  arn_arenas *set = arn_meta_take(ARN_META_ARENAS, sizeof *set);
  if (!set)
    return NULL;
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
  store_relaxed(&set->group, group);
  for (int step = 0; step < ARN_FULLNESS_STEPS; step++)
    store_relaxed(&set->first[step], 0);
  store_relaxed(&set->any_dirty, 0);
  store_relaxed(&set->resident, 0);
  store_relaxed(&set->peak, 0);
  store_relaxed(&set->next_purge, 0);
  return set;
}

/* The slots of an arena that pools and large blocks account for; *skip counts the arenas that
 * belong to a run begun before. */
static uint64_t owned_slots(uint32_t number, uint32_t *skip, bool with_kept) {
  uint64_t owned = 0;
  if (*skip) {
    --*skip;
    return ARN_ALL_SLOTS;
  }
  arn_pool *pools = &arn_space.pools[(size_t)number * ARN_POOLS_PER_ARENA];
  arn_slot *slot = arn_pool_slot(pools);
  for (uint32_t i = 0, slots; i < ARN_POOLS_PER_ARENA; i += slots) {
    slots = 1;
    switch ((arn_slot_kind)load_acquire(&slot[i].kind)) {
    case ARN_SLOT_POOL:
      if (load_relaxed(&slot[i].owner))
        slots = arn_classes[arn_pool_class(&pools[i])].slots;
      else
        continue;
      break;
    case ARN_SLOT_KEPT:
      if (!with_kept)
        continue;
      slots = load_relaxed(&pools[i].until);
      break;
    case ARN_SLOT_SPAN:
      slots = load_relaxed(&pools[i].until);
      break;
    case ARN_SLOT_RUN:
      *skip = load_relaxed(&pools[i].until) - 1;
      return ARN_ALL_SLOTS;
    case ARN_SLOT_NONE:
    case ARN_SLOT_INSIDE:
      continue;
    }
    owned |= arn_slot_mask(i, slots);
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
      if (load_seq_cst(&arena->home) != set)
        break;
      uint64_t owned = owned_slots(first + count, &skip, true);
      arn_guards_remove(first + count);
      strangers[count] = or_seq_cst(&arena->taken, ARN_ALL_SLOTS) & ~owned;
    }
    if (count == 0) {
      count = 1;
      continue;
    }
    /* An arena's pools' descriptors fill whole pages of the table. */
    size_t slots = (size_t)count * ARN_POOLS_PER_ARENA, table = slots * sizeof(arn_pool);
    arn_pool *pools = &arn_space.pools[(size_t)first * ARN_POOLS_PER_ARENA];
    for (size_t i = 0; i < slots; i++)
      arn_slot_forget(arn_pool_slot(pools) + i);
    if (((uintptr_t)pools | table) % arn_os_page == 0)
      arn_os_purge(pools, table);
    /* Idle arenas read as zero, whatever the system refuses. */
    void *data = arn_arena_base(first);
    if (!arn_arenas_decommit(arn_arenas_group(set), first, count) &&
        !arn_os_purge(data, count * ARN_ARENA_SIZE))
      memset(data, 0, count * ARN_ARENA_SIZE);
    arn_arenas_set_idle(arn_arenas_group(set), first, count, strangers);
  }
  if (!arn_os_purge(set->hints, set->hints_size))
    memset(set->hints, 0, set->hints_size);
  arn_meta_give(ARN_META_ARENAS, set);
}

uint32_t arn_arenas_after_fork(arn_arenas *set) {
  uint32_t end = load_acquire(&arn_space.frontier), skip = 0, arenas = 0;
  uint64_t resident = 0;
  memset(set->hints, 0, (end + 63) / 64 * sizeof(arn_hints));
  for (uint32_t number = 0; number < end; number++) {
    arn_arena *arena = &arn_space.arenas[number];
    arn_arenas *home = load_relaxed(&arena->home);
    if (!home &&
        load_relaxed(&arena->taken)) { /* somebody was about to take it, or to give it up */
      store_relaxed(&arena->taken, 0);
      arn_hint_idle(number);
    }
    if (home != set)
      continue;
    uint64_t owned = owned_slots(number, &skip, false), taken = load_relaxed(&arena->taken);
    if (!owned && !load_relaxed(&arena->committed) && arn_recommit(arn_arenas_group(set), number)) {
      /* Somebody was about to give it up, and without the system's help it is of no use. */
      arn_marks_forget(number, 1);
      store_relaxed(&arena->dirty, 0);
      store_relaxed(&arena->purged, 0);
      store_relaxed(&arena->home, NULL);
      store_relaxed(&arena->taken, 0);
      arn_hint_idle(number);
      continue;
    }
    arenas++;
    for (uint32_t i = 0; i < ARN_POOLS_PER_ARENA; i++)
      if (!(owned >> i & 1))
        arn_slot_forget(&arn_space.slots[(size_t)number * ARN_POOLS_PER_ARENA + i]);
    store_relaxed(&arena->dirty, load_relaxed(&arena->dirty) | (taken & ~owned));
    store_relaxed(&arena->purged, load_relaxed(&arena->purged) & ~load_relaxed(&arena->dirty));
    store_relaxed(&arena->taken, owned);
    resident += (uint64_t)__builtin_popcountll(owned | load_relaxed(&arena->dirty));
    arn_hint_place(set, number, ARN_NOWHERE);
    arn_hint_dirty(set, number);
  }
  store_relaxed(&set->resident, resident);
  store_relaxed(&set->peak, resident);
  for (int step = 0; step < ARN_FULLNESS_STEPS; step++)
    store_relaxed(&set->first[step], 0);
  return arenas;
}

uint32_t arn_arenas_check(arn_arenas *set) {
  uint64_t resident = 0;
  uint32_t wrong = 0, end = load_acquire(&arn_space.frontier); /* advance's CAS releases */
  for (uint32_t number = 0; number < end; number++) {
    arn_arena *arena = &arn_space.arenas[number];
    if (load_relaxed(&arena->home) != set)
      continue;
    int step = arn_step_of(load_relaxed(&arena->taken));
    resident +=
        (uint64_t)__builtin_popcountll(load_relaxed(&arena->taken) | load_relaxed(&arena->dirty));
    uint64_t bit = UINT64_C(1) << number % 64;
    if (step != ARN_NOWHERE && !(load_relaxed(&set->hints[number / 64].by_fullness[step]) & bit))
      wrong++;
    if (load_relaxed(&arena->dirty) & load_relaxed(&arena->purged))
      wrong++;
  }
  return wrong + (resident != load_relaxed(&set->resident));
}
