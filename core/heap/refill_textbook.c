/* refill_textbook.c - which block is next: CPython's order, block by block.
 *
 * After Objects/obmalloc.c of CPython 3.9, pymalloc_alloc and pymalloc_free. free puts a block on its
 * pool's list and fills no bin, so that malloc comes here:
 *
 *   1  The head of usedpools of the class serves, from its own list: the block freed last comes
 *      first. When the list is empty, the next untouched block; when nothing is left, the pool is
 *      full and leaves usedpools.
 *   2  No used pool: an empty one, from the arena with the fewest free pools: the one freed last
 *      there, or its next pool that was never used; or from a new arena.
 *   3  A full pool goes to the front of usedpools at its first free. A pool whose blocks are all
 *      free goes back to its arena; an arena whose pools are all free, to the system (arena.c).
 *
 * One thing differs: CPython links the second block of a fresh pool at once. Here a block is linked
 * when it is needed, because linking writes to it, and untouched memory stays untouched; the order
 * is the same. And a pool taken again is always cut afresh.
 */
#include <errno.h>

#include "heap.h"
#include "marks.h"
#include "orphan.h"
#include "remote.h"
#include "stranger.h"
#include "takeover.h"

/* A block of a used pool. */
static void *take(arn_heap *heap, arn_pool *pool) {
  void *block = pool->free;
  uint32_t outstanding = load_relaxed(&pool->until); /* floor is 0 while USED */
  if (block) {
    pool->free = arn_link_get(block);
    store_relaxed(&pool->until, ++outstanding);
  } else {
    block = arn_pool_carve(pool, 1); /* counts it */
    outstanding++;
  }
  if (outstanding == arn_classes[arn_pool_class(pool)].capacity) {
    arn_used_remove(heap, pool);
    store_relaxed(&pool->place, ARN_PLACE_FULL);
    store_relaxed(&pool->floor, outstanding - 1);
    store_relaxed(&pool->until, 1);
  }
  arn_mark_out(heap, block, arn_pool_class(pool));
  return block;
}

__attribute__((noinline)) void *arn_refill(arn_heap *heap, uint32_t class) {
  if (unlikely(arn_is_stranger(heap)))
    return arn_stranger_take(class);
  if (class == 0)
    class = 1;
  arn_pool *pool = heap->used[class];
  if (likely(pool != NULL))
    return take(heap, pool);

  if (arn_inbox_drain(heap, ARN_DRAIN_SLICE) && heap->used[class])
    return take(heap, heap->used[class]);
  if (arn_scavenge(heap, class))
    return take(heap, heap->used[class]);
  if (arn_take_over(heap, class)) {
    void *block = heap->stash[class];
    heap->stash[class] = arn_link_get(block);
    arn_mark_out(heap, block, class);
    return block;
  }
  pool = arn_heap_new_pool(heap, class);
  if (!pool && arn_inbox_drain(heap, UINT32_MAX)) {
    if (heap->used[class])
      return take(heap, heap->used[class]);
    pool = arn_heap_new_pool(heap, class);
  }
  if (!pool) {
    errno = ENOMEM;
    return NULL;
  }
  arn_used_push_front(heap, pool);
  return take(heap, pool);
}

__attribute__((noinline)) void arn_pool_event(arn_heap *heap, arn_pool *pool) {
  if (load_relaxed(&pool->place) == ARN_PLACE_FULL) {
    uint32_t outstanding = load_relaxed(&pool->floor);
    store_relaxed(&pool->until, outstanding);
    store_relaxed(&pool->floor, 0);
    arn_used_push_front(heap, pool);
    if (outstanding)
      return;
  }
  arn_used_remove(heap, pool);
  store_relaxed(&pool->place, ARN_PLACE_EMPTY);
  arn_heap_release_pool(heap, pool);
}

void arn_heap_settle(arn_heap *heap) {
  for (uint32_t class = 1; class < ARN_CLASSES; class ++) {
    for (void *block = heap->stash[class], *next; block; block = next) {
      next = arn_link_get(block);
      arn_heap *owner = arn_pool_owner(arn_pool_of(block));
      arn_inbox_push(owner, block, block, arn_classes[class].size);
    }
    heap->stash[class] = NULL;
  }
  arn_taken_return(heap);
  arn_batches_send(heap);
  arn_inbox_drain(heap, UINT32_MAX);
}
