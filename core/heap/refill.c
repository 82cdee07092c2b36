/* refill.c - which block is next when the heap's bin is empty: the faster order.
 *
 * Step 4 of malloc's journey (journeys.h). What is found goes into the bin (bin.h), in order:
 *
 *   1  free blocks of a used pool
 *   2  blocks of other heaps that this one took over (its stash)
 *   3  untouched blocks of a used pool, at most one system page of them unless the pool has its pages
 *      already; purged ones
 *   4  the inbox, then 1 to 3 again
 *   5  pools of warm heaps and orphans
 *   6  an empty pool in slots that hold pages already: that the heap kept, or from its arenas
 *   7  what was freed to threads that sleep (takeover.h)
 *   8  when memory would grow past its peak, what emptied bins leave (gather.h)
 *   9  an empty pool from the fullest arena that has one, or from a fresh arena
 *
 * Free blocks come before untouched ones, as in CPython: on a prototype, that kept a small program's
 * peak RSS at 1.4 times glibc's instead of 3.0.
 *
 * A pool from which everything was taken is FULL, until an eighth of its blocks are free (below
 * that, a pool is not worth visiting: it would be full again at once).
 */
#include <errno.h>

#include "gather.h"
#include "kept.h"
#include "marks.h"
#include "orphan.h"
#include "remote.h"
#include "stranger.h"
#include "takeover.h"
#include "warm.h"

/* Refills of a busy thread from one look at the clock to the next: chosen. */
#define REFILLS_A_LOOK 4

static void *pop(arn_heap *heap, uint32_t class) {
  arn_bin *bin = &heap->bins[class];
  void *block = bin->list;
  bin->list = arn_link_get(block);
  bin->fill -= ARN_FILL_MALLOC;
  arn_mark_out(heap, block, class);
  return block;
}

__attribute__((noinline)) void *arn_refill(arn_heap *heap, uint32_t class) {
  if (class == 0) {
    class = 1;
    if (heap->bins[class].list)
      return pop(heap, class);
  }
  if (unlikely(arn_is_stranger(heap)))
    return arn_stranger_take(class);
  if (heap->frees_until_look != ARN_BUSY_FREES || ++heap->refills % REFILLS_A_LOOK == 0)
    arn_heap_tick(heap);
  if (arn_bin_refill(heap, class))
    return pop(heap, class);
  if (arn_inbox_drain(heap, ARN_DRAIN_SLICE) && arn_bin_refill(heap, class))
    return pop(heap, class);
  if (arn_scavenge(heap, class) && arn_bin_refill(heap, class))
    return pop(heap, class);
  arn_pool *pool = arn_heap_reuse_pool(heap, class);
  if (!pool) {
    /* Memory would grow. */
    if (arn_take_over(heap, class) && arn_bin_refill(heap, class))
      return pop(heap, class);
    arn_gather(heap, arn_classes[class].slots, true);
    pool = arn_heap_new_pool(heap, class);
  }
  if (!pool) {
    /* What is left: the rest of the inbox, and what lies in other bins. */
    if (arn_inbox_drain(heap, UINT32_MAX) && arn_bin_refill(heap, class))
      return pop(heap, class);
    arn_heap_settle(heap);
    arn_warm_end(heap->group);
    pool = arn_heap_new_pool(heap, class);
    if (!pool) {
      errno = ENOMEM;
      return NULL;
    }
  }
  arn_used_push_back(heap, pool);
  arn_bin_refill(heap, class);
  return pop(heap, class);
}

__attribute__((noinline)) void arn_pool_event(arn_heap *heap, arn_pool *pool) {
  switch ((arn_pool_place)load_relaxed(&pool->place)) {
  case ARN_PLACE_FULL:
    store_relaxed(&pool->until, load_relaxed(&pool->floor));
    store_relaxed(&pool->floor, 0);
    arn_used_push_front(heap, pool);
    break;
  case ARN_PLACE_USED:
    arn_used_remove(heap, pool);
    store_relaxed(&pool->place, ARN_PLACE_EMPTY);
    arn_heap_release_pool(heap, pool);
    break;
  case ARN_PLACE_EMPTY:
    break;
  }
}

void arn_heap_settle(arn_heap *heap) {
  arn_stash_settle(heap);
  for (uint32_t class = 1; class < ARN_CLASSES; class ++)
    arn_bin_settle(heap, class);
  arn_batches_send(heap);
  arn_inbox_drain(heap, UINT32_MAX);
  arn_kept_release(heap);
}
