/* refill.c - which block is next when the heap's list is empty: the faster order.
 *
 * The heap takes the whole free list of a pool at once, so that arn_malloc never touches a
 * descriptor; that pool is LENT. Step 4 of malloc's journey (malloc.c), in order:
 *
 *   1  the current pool's own list: what was freed to it since it was lent
 *   2  the list of the next used pool
 *   3  untouched blocks of the current pool, at most one system page of them; purged ones
 *   4  the inbox, then 1 and 2 again
 *   5  orphans' pools, and what was freed to frozen heaps
 *   6  an empty pool: from the fullest arena that has one, or from a fresh arena
 *
 * Free blocks come before untouched ones, as in CPython: on a prototype, that kept a small program's
 * peak RSS at 1.4 times glibc's instead of 3.0.
 *
 * When the current pool is replaced, everything it had is handed out: it is FULL, until an eighth
 * of its blocks are free (below that, a pool is not worth visiting: it would be full again at
 * once).
 */
#include <errno.h>

#include "heap.h"
#include "large.h"
#include "orphan.h"
#include "remote.h"
#include "stranger.h"

/* The number of frees after which a full pool is used again. */
static uint32_t used_threshold(uint32_t capacity) {
  return capacity >= 8 ? capacity / 8 : 1;
}

/* The pool becomes current: its own list is the heap's. */
static void lend(arn_heap *heap, arn_pool *pool) {
  uint32_t outstanding = load_relaxed(&pool->carved) - load_relaxed(&pool->purged);
  store_relaxed(&pool->place, ARN_PLACE_LENT);
  heap->current[arn_pool_class(pool)] = pool;
  heap->list[arn_pool_class(pool)] = pool->free;
  heap->freed_to[arn_pool_class(pool)] = NULL;
  pool->free = NULL;
  store_relaxed(&pool->floor, 0);
  store_relaxed(&pool->until, outstanding);
}

/* The current pool, whose list and own list are both empty, stops being current. */
static void retire(arn_heap *heap, arn_pool *pool) {
  uint32_t capacity = arn_classes[arn_pool_class(pool)].capacity;
  heap->current[arn_pool_class(pool)] = NULL;
  if (load_relaxed(&pool->carved) < capacity || load_relaxed(&pool->purged)) {
    arn_used_push_back(heap, pool); /* behind the pools that have free blocks */
    return;
  }
  uint32_t threshold = used_threshold(capacity);
  store_relaxed(&pool->place, ARN_PLACE_FULL);
  store_relaxed(&pool->floor, capacity - threshold);
  store_relaxed(&pool->until, threshold);
}

/* Steps 1 to 3: without leaving the heap. */
static bool refill_from_pools(arn_heap *heap, uint32_t class) {
  arn_pool *pool = heap->current[class];
  if (pool && pool->free) {
    lend(heap, pool);
    return true;
  }
  arn_pool *next = heap->used[class];
  if (next && (next->free || !pool)) {
    if (pool)
      retire(heap, pool);
    arn_used_remove(heap, next);
    lend(heap, next);
    if (heap->list[class])
      return true;
    pool = next;
  }
  if (pool) {
    heap->list[class] = arn_pool_carve(pool, UINT32_MAX);
    if (!heap->list[class])
      heap->list[class] = arn_pool_unpurge(pool);
  }
  if (heap->list[class])
    return true;
  /* Only now a used pool that has nothing but untouched or purged blocks. */
  if (heap->used[class]) {
    if (pool)
      retire(heap, pool);
    pool = heap->used[class];
    arn_used_remove(heap, pool);
    lend(heap, pool);
    if (!heap->list[class])
      heap->list[class] = arn_pool_carve(pool, UINT32_MAX);
    if (!heap->list[class])
      heap->list[class] = arn_pool_unpurge(pool);
  }
  return heap->list[class] != NULL;
}

static void *pop(arn_heap *heap, uint32_t class) {
  void *block = heap->list[class];
  heap->list[class] = *(void **)block;
  return block;
}

__attribute__((noinline)) void *arn_refill(arn_heap *heap, uint32_t class) {
  if (class == 0) {
    class = 1;
    if (heap->list[class])
      return pop(heap, class);
  }
  if (unlikely(arn_is_stranger(heap)))
    return arn_stranger_take(class);
  arn_heap_tick(heap);
  if (refill_from_pools(heap, class))
    return pop(heap, class);
  if (arn_inbox_drain(heap, ARN_DRAIN_SLICE) && refill_from_pools(heap, class))
    return pop(heap, class);
  if (arn_scavenge(heap, class) && (heap->list[class] || refill_from_pools(heap, class)))
    return pop(heap, class);

  arn_pool *pool = arn_heap_new_pool(heap, class);
  if (!pool) {
    /* What is left: the rest of the inbox, and empty pools that are still current. */
    if (arn_inbox_drain(heap, UINT32_MAX) && refill_from_pools(heap, class))
      return pop(heap, class);
    arn_heap_settle(heap);
    pool = arn_heap_new_pool(heap, class);
    if (!pool) {
      errno = ENOMEM;
      return NULL;
    }
  }
  if (heap->current[class])
    retire(heap, heap->current[class]);
  lend(heap, pool);
  heap->list[class] = arn_pool_carve(pool, UINT32_MAX);
  return pop(heap, class);
}

/* All blocks of the current pool of a class are free, and on its own list. It stays current, for
 * the next malloc of the class, but of such pools a heap keeps only a few. */
static void keep_spare(arn_heap *heap, uint32_t class) {
  bool large = arn_classes[class].size > ARN_SPARE_LARGE;
  uint8_t *spares = large ? heap->large_spares : heap->spares;
  uint32_t count = large ? ARN_LARGE_SPARES : ARN_SPARES;
  for (uint32_t i = 0; i < count; i++)
    if (spares[i] == class)
      return;
  uint8_t *place = &spares[heap->next_spare++ % count];
  uint32_t old = *place;
  *place = (uint8_t) class;
  arn_pool *pool = heap->current[old];
  if (!pool || load_relaxed(&pool->until) != 0)
    return; /* in use again, or class 0: none yet */
  heap->freed_to[old] = NULL;
  heap->current[old] = NULL;
  store_relaxed(&pool->place, ARN_PLACE_EMPTY);
  arn_heap_release_pool(heap, pool);
}

__attribute__((noinline)) void arn_pool_event(arn_heap *heap, arn_pool *pool) {
  switch ((arn_pool_place)load_relaxed(&pool->place)) {
  case ARN_PLACE_FULL:
    store_relaxed(&pool->until, load_relaxed(&pool->floor));
    store_relaxed(&pool->floor, 0);
    arn_used_push_front(heap, pool);
    break;
  case ARN_PLACE_USED:
    heap->freed_to[arn_pool_class(pool)] = NULL;
    arn_used_remove(heap, pool);
    store_relaxed(&pool->place, ARN_PLACE_EMPTY);
    arn_heap_release_pool(heap, pool);
    break;
  case ARN_PLACE_LENT:
    keep_spare(heap, arn_pool_class(pool));
    break;
  case ARN_PLACE_EMPTY:
    break;
  }
}

/* A pool that is not current any more, with its free blocks on its own list. */
static void place_settled(arn_heap *heap, arn_pool *pool) {
  if (load_relaxed(&pool->until) == 0) {
    store_relaxed(&pool->place, ARN_PLACE_EMPTY);
    arn_heap_release_pool(heap, pool);
  } else if (pool->free) {
    arn_used_push_front(heap, pool);
  } else {
    heap->current[arn_pool_class(pool)] = pool;
    retire(heap, pool);
  }
}

void arn_heap_settle(arn_heap *heap) {
  arn_large_release_kept(heap);
  for (uint32_t class = 1; class < ARN_CLASSES; class ++) {
    void *block = heap->list[class];
    heap->list[class] = NULL;
    heap->freed_to[class] = NULL;
    for (void *next; block; block = next) {
      next = *(void **)block;
      arn_pool *pool = arn_pool_of(block);
      if (load_relaxed(&pool->owner) == heap)
        arn_pool_put(heap, pool, block, "arn_trim");
      else /* taken over from a frozen heap */
        arn_inbox_push(arn_pool_owner(pool), block, block, arn_classes[class].size);
    }
    arn_pool *pool = heap->current[class];
    heap->current[class] = NULL;
    if (pool)
      place_settled(heap, pool);
  }
}
