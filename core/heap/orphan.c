/* orphan.c - see orphan.h. */
#include "orphan.h"

#include "kept.h"
#include "remote.h"
#include "warm.h"

/* Orphans searched, and heaps passed by, for one refill: enough to find memory where there is some,
 * and a bound on how long one malloc takes when thousands of threads have come and gone. The next
 * refill goes on where this one stopped. */
#define ORPHANS_A_LOOK 8
#define HEAPS_A_LOOK 64

/* Used pools of one orphan that one arn_idle looks into. */
#define POOLS_WHEN_IDLE 8

/* Takes the orphan for a moment; false when somebody else has it. */
static bool hold(arn_heap *orphan) {
  uint32_t state = ARN_HEAP_ORPHAN;
  return load_relaxed(&orphan->state) == ARN_HEAP_ORPHAN &&
         cas_acq_rel(&orphan->state, &state, ARN_HEAP_CLAIMED); /* with let_go, arn_heap_orphan */
}

static void let_go(arn_heap *orphan) {
  arn_kept_release(orphan); /* draining keeps runs of slots for an owner, who may never come */
  store_release(&orphan->state, ARN_HEAP_ORPHAN); /* with hold, arn_heap_adopt */
}

void arn_orphan_drain(arn_heap *orphan) {
  if (!hold(orphan))
    return;
  arn_inbox_drain(orphan, UINT32_MAX);
  let_go(orphan);
}

bool arn_orphan_take_pool(arn_heap *heap, arn_heap *orphan, uint32_t class) {
  arn_pool *pool = orphan->used[class];
  /* Arenas of its own are not for others: they go when the heap that has them goes. */
  if (!pool || heap->arenas != orphan->arenas)
    return false;
  arn_used_remove(orphan, pool);
  arn_pool_give_to(pool, heap);
  arn_used_push_front(heap, pool);
  add_relaxed(&heap->group->scavenged, 1);
  return true;
}

bool arn_scavenge(arn_heap *heap, uint32_t class) {
  arn_group *group = heap->group;
  if (heap->extra)
    return false;
  if (arn_warm_scavenge(heap, class))
    return true;
  if (load_relaxed(&group->orphans) == 0)
    return false;
  arn_heap *other = heap->scavenge_at;
  for (int heaps = 0, orphans = 0; heaps < HEAPS_A_LOOK && orphans < ORPHANS_A_LOOK; heaps++) {
    if (!other)
      other = load_acquire(&group->heaps);
    if (hold(other)) {
      orphans++;
      arn_inbox_drain(other, ARN_DRAIN_SLICE);
      bool found = arn_orphan_take_pool(heap, other, class);
      let_go(other);
      if (found)
        return true; /* and look here again next time */
    }
    heap->scavenge_at = other = other->next_in_group;
  }
  return false;
}

size_t arn_orphans_tidy(arn_group *group) {
  arn_warm_end(group);
  size_t bytes = 0;
  for (arn_heap *other = load_acquire(&group->heaps); other; other = other->next_in_group) {
    if (!hold(other))
      continue;
    arn_inbox_drain(other, UINT32_MAX);
    bytes += arn_heap_purge_pages(other);
    let_go(other);
  }
  return bytes;
}

size_t arn_orphans_idle(arn_group *group) {
  size_t bytes = 0;
  if (load_relaxed(&group->orphans) == 0)
    return 0;
  arn_heap *other = load_acquire(&group->idle_at); /* heaps last as long as the group */
  const arn_heap *first = NULL;
  for (int heaps = 0, orphans = 0; heaps < HEAPS_A_LOOK && orphans < ORPHANS_A_LOOK; heaps++) {
    if (!other)
      other = load_acquire(&group->heaps);
    if (other == first)
      break; /* that was all of them */
    if (!first)
      first = other;
    if (hold(other)) {
      orphans++;
      arn_inbox_drain(other, ARN_DRAIN_SLICE);
      bytes += arn_heap_purge_due(other, POOLS_WHEN_IDLE);
      let_go(other);
    }
    other = other->next_in_group;
  }
  store_release(&group->idle_at, other);
  return bytes;
}
