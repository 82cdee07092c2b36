/* walk.c - see walk.h. */
#include "walk.h"

/* The slots of one arena; *skip is how many arenas after this one belong to a run in it. */
static int walk_slots(uint32_t number, const arn_walk *walk, uint32_t *skip) {
  uint64_t taken = load_acquire(&arn_space.arenas[number].taken);
  size_t first = (size_t)number * ARN_POOLS_PER_ARENA;
  for (uint32_t i = 0, slots; i < ARN_POOLS_PER_ARENA; i += slots) {
    slots = 1;
    if (!(taken >> i & 1))
      continue;
    arn_pool *head = &arn_space.pools[first + i];
    int result = 0;
    switch ((arn_slot_kind)load_acquire(&arn_pool_slot(head)->kind)) {
    case ARN_SLOT_POOL:
      slots = arn_classes[arn_pool_class(head)].slots;
      if (walk->pool)
        result = walk->pool(walk->context, head);
      break;
    case ARN_SLOT_SPAN:
    case ARN_SLOT_KEPT:
      slots = load_relaxed(&head->until);
      if (walk->large)
        result = walk->large(walk->context, arn_pool_base(head), slots * ARN_POOL_SIZE,
                             load_relaxed(&arn_pool_slot(head)->kind) == ARN_SLOT_KEPT);
      break;
    case ARN_SLOT_RUN:
      slots = ARN_POOLS_PER_ARENA;
      *skip = load_relaxed(&head->until) - 1;
      if (walk->large)
        result =
            walk->large(walk->context, arn_pool_base(head), (*skip + 1) * ARN_ARENA_SIZE, false);
      break;
    case ARN_SLOT_NONE:
    case ARN_SLOT_INSIDE:
      if (walk->stray)
        result = walk->stray(walk->context, first + i);
      break;
    }
    if (result)
      return result;
    if (slots == 0)
      slots = 1; /* half-made, in a busy runtime */
  }
  return 0;
}

int arn_walk_arenas(const arn_group *group, const arn_walk *walk) {
  uint32_t end = load_acquire(&arn_space.frontier); /* arn_space_advance's CAS releases */
  for (uint32_t number = 0, skip = 0; number < end; number++) {
    arn_arena *arena = &arn_space.arenas[number];
    arn_arenas *home = load_acquire(&arena->home);
    if (!home || arn_arenas_group(home) != group)
      continue;
    int result = walk->arena ? walk->arena(walk->context, number, arena) : 0;
    if (skip)
      skip--;
    else if (!result)
      result = walk_slots(number, walk, &skip);
    if (result)
      return result;
  }
  return 0;
}

uint32_t arn_binned_blocks(const arn_heap *heap, const arn_pool *pool) {
  uint32_t blocks = 0;
  if (arn_pool_owner(pool) != heap)
    return 0;
  for (void *block = heap->bins[arn_pool_class(pool)].list; block; block = arn_link_get(block))
    if (arn_pool_of(block) == pool)
      blocks++;
  return blocks;
}
