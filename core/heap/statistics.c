/* statistics.c - counting where every byte of a group is, by walking it; see arenite/stats.h. */
#include <arenite/stats.h>
#include <string.h>

#include "meta.h"
#include "remote.h"
#include "walk.h"
#include "warm.h"

/* Whether the caller may look into the heap's bins and batches: its own. An orphan's are empty. */
static bool readable(const arn_heap *heap) {
  return heap == arn_self;
}

static int count_arena(void *context, uint32_t number, arn_arena *arena) {
  (void)number;
  arn_stats *s = context;
  uint64_t free = ~load_relaxed(&arena->taken);
  uint64_t dirty = free & load_relaxed(&arena->dirty), purged = free & load_relaxed(&arena->purged);
  s->arenas++;
  s->pools_free += (uint64_t)__builtin_popcountll(free);
  s->free_bytes += (uint64_t)__builtin_popcountll(dirty) * ARN_POOL_SIZE;
  s->purged_bytes += (uint64_t)__builtin_popcountll(purged & ~dirty) * ARN_POOL_SIZE;
  s->untouched_bytes += (uint64_t)__builtin_popcountll(free & ~dirty & ~purged) * ARN_POOL_SIZE;
  return 0;
}

static uint32_t at_most(uint32_t n, uint32_t most) {
  return n < most ? n : most;
}

/* Everything is read once, and made to fit together: the pool may be in the middle of a change, or
 * gone. */
static int count_pool(void *context, arn_pool *pool) {
  arn_stats *s = context;
  uint32_t class = arn_pool_class(pool);
  const arn_heap *owner = arn_pool_owner(pool);
  if (class == 0 || !owner)
    return 0;
  const arn_class *k = &arn_classes[class];
  uint32_t carved = at_most(load_relaxed(&pool->carved), k->capacity);
  uint32_t purged = at_most(load_relaxed(&pool->purged), carved);
  uint32_t used = at_most(arn_pool_outstanding(pool), carved - purged);
  uint32_t free = carved - purged - used;
  if (readable(owner)) {
    uint32_t binned = arn_binned_blocks(owner, pool);
    used -= binned;
    free += binned;
  }
  uint32_t untouched = k->capacity - carved;
  arn_class_stats *c = &s->classes[class - 1];
  c->pools++;
  c->blocks_used += used;
  c->blocks_free += free;
  c->blocks_untouched += untouched;
  c->blocks_purged += purged;
  s->live_bytes += (uint64_t)used * k->size;
  s->free_bytes += (uint64_t)free * k->size;
  s->untouched_bytes += (uint64_t)untouched * k->size;
  s->purged_bytes += (uint64_t)purged * k->size;
  s->overhead_bytes += k->slots * ARN_POOL_SIZE - (uint64_t)k->capacity * k->size;
  if (load_relaxed(&owner->state) == ARN_HEAP_FROZEN)
    s->frozen_bytes += (uint64_t)used * k->size;
  return 0;
}

static int count_large(void *context, void *block, size_t size, bool kept) {
  (void)block;
  arn_stats *s = context;
  if (kept) {
    s->free_bytes += size;
    return 0;
  }
  s->large_blocks++;
  s->large_bytes += size;
  s->live_bytes += size;
  return 0;
}

/* Bytes of other heaps' blocks that the heap holds, to hand out or to send home. */
static uint64_t foreign_bytes(const arn_heap *heap) {
  uint64_t bytes = 0;
  for (uint32_t class = 1; class < ARN_CLASSES; class ++) {
    void *const lists[] = {heap->bins[class].list, heap->stash[class]};
    for (int i = 0; i < 2; i++)
      for (void *block = lists[i]; block; block = arn_link_get(block))
        if (arn_pool_owner(arn_pool_of(block)) != heap)
          bytes += arn_classes[class].size;
  }
  return bytes;
}

void arn_group_stats(arn_group *group, arn_stats *s) {
  memset(s, 0, sizeof *s);
  arn_warm_end(group);
  s->mode = group->config.mode;
  s->huge_pages = arn_space.huge_pages;
  s->class_count = ARN_CLASSES - 1;
  for (uint32_t i = 0; i < s->class_count; i++)
    s->classes[i].block_size = arn_classes[i + 1].size;
  arn_walk_arenas(group, &(arn_walk){s, count_arena, count_pool, count_large, NULL});

  for (arn_heap *heap = load_acquire(&group->heaps); heap; heap = heap->next_in_group) {
    uint32_t state = load_relaxed(&heap->state);
    if (state == ARN_HEAP_VACANT)
      continue;
    s->heaps++;
    s->remote_frees += load_relaxed(&heap->remote_frees);
    s->inbox_pushes += load_relaxed(&heap->inbox_pushes);
    s->inbox_drains += load_relaxed(&heap->inbox_drains);
    int64_t waiting = load_relaxed(&heap->inbox_bytes);
    if (waiting > 0)
      s->deferred_bytes += (uint64_t)waiting;
    if (readable(heap))
      s->deferred_bytes += arn_batches_bytes(heap) + foreign_bytes(heap);
  }
  if (s->deferred_bytes > s->live_bytes)
    s->deferred_bytes = s->live_bytes;
  s->live_bytes -= s->deferred_bytes;

  s->arena_bytes = s->arenas * ARN_ARENA_SIZE;
  s->arenas_allocated = load_relaxed(&group->arenas_allocated);
  s->arenas_reclaimed = load_relaxed(&group->arenas_reclaimed);
  s->arenas_highwater = load_relaxed(&group->arenas_highwater);
  s->huge_bytes = load_relaxed(&group->huge_bytes);
  s->huge_blocks = load_relaxed(&group->huge_blocks);
  s->metadata_bytes = arn_meta_bytes() + arn_space_metadata();
  s->purges = load_relaxed(&group->purges);
  s->forwarded = load_relaxed(&group->forwarded);
  s->orphans = load_relaxed(&group->orphans);
  s->adoptions = load_relaxed(&group->adoptions);
  s->scavenged_pools = load_relaxed(&group->scavenged);
  s->takeovers = load_relaxed(&group->taken_over);
}
