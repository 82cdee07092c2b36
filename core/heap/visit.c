/* visit.c - arn_heap_visit: a user's way through arenas, heaps, pools and blocks. */
#include "walk.h"

#include <arenite/inspect.h>

#include "elsewhere.h"
#include "huge.h"
#include "warm.h"

typedef struct visit {
  int (*visitor)(const arn_visit *what, void *context);
  void *context;
  arn_heap *only; /* NULL: all heaps */
  arn_heap *now;  /* whose pools are visited */
  bool blocks;
} visit;

static bool wanted(const visit *v, const arn_arenas *set) {
  return !v->only || v->only->arenas == set;
}

static int visit_arena(void *context, uint32_t number, arn_arena *arena) {
  visit *v = context;
  if (!wanted(v, load_relaxed(&arena->home)))
    return 0;
  arn_visit what = {.kind = ARN_VISIT_ARENA,
                    .address = arn_arena_base(number),
                    .size = ARN_ARENA_SIZE,
                    .free = (uint32_t)__builtin_popcountll(~load_relaxed(&arena->taken))};
  return v->visitor(&what, v->context);
}

static int visit_large(void *context, void *block, size_t size, bool kept) {
  visit *v = context;
  if (v->only || kept)
    return 0; /* large blocks have no owner */
  arn_visit what = {.kind = ARN_VISIT_LARGE, .address = block, .size = size, .in_use = true};
  return v->visitor(&what, v->context);
}

static int visit_huge(void *block, size_t size, void *context) {
  return visit_large(context, block, size, false);
}

#define MOST_BLOCKS (ARN_POOL_SIZE / ARN_STEP)

static void mark(uint64_t *bits, const arn_pool *pool, void *list) {
  uint32_t size = arn_classes[arn_pool_class(pool)].size;
  char *base = arn_pool_base(pool);
  for (void *block = list; block; block = arn_link_get(block)) {
    if (arn_pool_of(block) != pool)
      continue;
    size_t index = (size_t)((char *)block - base) / size;
    bits[index / 64] |= UINT64_C(1) << index % 64;
  }
}

static int visit_blocks(visit *v, arn_pool *pool, arn_visit what) {
  uint64_t free[(MOST_BLOCKS + 63) / 64] = {0};
  mark(free, pool, pool->free);
  mark(free, pool, v->now->bins[arn_pool_class(pool)].list);
  uint32_t carved = load_relaxed(&pool->carved),
           capacity = arn_classes[arn_pool_class(pool)].capacity;
  what.kind = ARN_VISIT_BLOCK;
  what.size = what.block_size;
  for (uint32_t i = 0; i < capacity; i++) {
    what.address = arn_pool_base(pool) + (size_t)i * what.block_size;
    what.in_use = i < carved && !(free[i / 64] >> i % 64 & 1) && !arn_pool_block_purged(pool, i);
    int result = v->visitor(&what, v->context);
    if (result)
      return result;
  }
  return 0;
}

static int visit_pool(void *context, arn_pool *pool) {
  visit *v = context;
  if (arn_pool_owner(pool) != v->now)
    return 0;
  static const arn_pool_state states[] = {
      [ARN_PLACE_EMPTY] = ARN_POOL_EMPTY,
      [ARN_PLACE_USED] = ARN_POOL_USED,
      [ARN_PLACE_FULL] = ARN_POOL_FULL,
  };
  const arn_class *k = &arn_classes[arn_pool_class(pool)];
  uint32_t carved = load_relaxed(&pool->carved);
  arn_visit what = {.kind = ARN_VISIT_POOL,
                    .address = arn_pool_base(pool),
                    .size = k->slots * ARN_POOL_SIZE,
                    .heap = v->now,
                    .size_class = arn_pool_class(pool) - 1u,
                    .block_size = k->size,
                    .state = states[load_relaxed(&pool->place)],
                    .used = arn_pool_outstanding(pool) - arn_binned_blocks(v->now, pool),
                    .untouched = k->capacity - carved,
                    .purged = load_relaxed(&pool->purged)};
  what.free = carved - what.purged - what.used;
  int result = v->visitor(&what, v->context);
  return result || !v->blocks ? result : visit_blocks(v, pool, what);
}

int arn_heap_visit(arn_runtime *runtime, arn_heap *only, bool blocks,
                   int (*visitor)(const arn_visit *what, void *context), void *context) {
  ARN_ELSEWHERE(heap_visit, runtime, only, blocks, visitor, context);
  arn_group *group = arn_runtime_group(runtime);
  arn_warm_end(group);
  visit v = {.visitor = visitor, .context = context, .only = only, .blocks = blocks};
  int result = arn_walk_arenas(group, &(arn_walk){&v, visit_arena, NULL, NULL, NULL});
  if (!result)
    result = arn_walk_arenas(group, &(arn_walk){&v, NULL, NULL, visit_large, NULL});
  if (!result && !only)
    result = arn_huge_each(group, visit_huge, &v);
  arn_heap *heap = load_acquire(&group->heaps);
  for (; heap && !result; heap = heap->next_in_group) {
    uint32_t state = load_relaxed(&heap->state);
    if (state == ARN_HEAP_VACANT || state == ARN_HEAP_FROZEN || (only && heap != only))
      continue;
    int64_t waiting = load_relaxed(&heap->inbox_bytes);
    arn_visit what = {.kind = ARN_VISIT_HEAP,
                      .address = heap,
                      .size = waiting > 0 ? (size_t)waiting : 0,
                      .heap = heap};
    result = visitor(&what, context);
    v.now = heap;
    if (!result)
      result = arn_walk_arenas(group, &(arn_walk){&v, NULL, visit_pool, NULL, NULL});
  }
  return result;
}
