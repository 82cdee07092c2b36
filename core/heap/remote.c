/* remote.c - see remote.h. */
#include "remote.h"

#include "orphan.h"
#include "warm.h"

/* Whoever pushes an orphan's inbox past this drains it, so that what nobody owns cannot grow. */
#define ORPHAN_INBOX_BYTES (64 << 10)

static uint32_t size_of(const arn_pool *pool) {
  return arn_classes[arn_pool_class(pool)].size;
}

/* The textbook has blocks of one word, and in the hardened build a freed block names no other. */
#define HAS_TRAILS (!ARN_TEXTBOOK && !ARN_HARDENED)

/* A block of a batch has in its second word the one that its owner comes to some blocks after it: a hint
 * to fetch it, which nobody follows. Blocks that came in another way have anything there. */
static void set_ahead(void *block, arn_trail *trail) {
  if (!HAS_TRAILS)
    return;
  void **oldest = &trail->blocks[trail->next++ % ARN_TRAIL_BLOCKS];
  ((void **)block)[1] = *oldest;
  *oldest = block;
}

static void fetch_ahead(void *block) {
  if (HAS_TRAILS)
    __builtin_prefetch(((void **)block)[1]);
}

void arn_inbox_push(arn_heap *owner, void *first, void *last, size_t bytes) {
  arn_group *group = owner->group;
  add_relaxed(&group->deferred, (int64_t)bytes);
  int64_t waiting = add_relaxed(&owner->inbox_bytes, (int64_t)bytes) + (int64_t)bytes;
  void *head = load_relaxed(&owner->inbox);
  do {
    arn_link_set(last, head);
  } while (!cas_release(&owner->inbox, &head, first)); /* with arn_inbox_drain's exchange */
  if (likely(waiting <= ORPHAN_INBOX_BYTES))
    return;
  if (unlikely(load_relaxed(&owner->state) == ARN_HEAP_WARM))
    arn_warm_end_one(owner);
  if (load_relaxed(&owner->state) == ARN_HEAP_ORPHAN)
    arn_orphan_drain(owner);
}

static void send(arn_heap *heap, arn_batch *batch) {
  bump(&heap->inbox_pushes, 1);
  arn_heap *owner = batch->owner;
  batch->owner = NULL;
  /* The owner read when each block came in may be out of date by now. That is looked at once, where
   * it is drained; reading it again here would only make the case rarer. */
  arn_inbox_push(owner, batch->first, batch->last, batch->bytes);
  int64_t deferred = load_relaxed(&heap->group->deferred);
  if (unlikely(deferred > 0 && (size_t)deferred > heap->group->config.deferred_budget)) {
    store_relaxed(&owner->request, 1); /* the owner drains at its next safepoint */
    arn_deferred_relieve(heap);
  }
}

void arn_remote_free(arn_heap *heap, arn_pool *pool, void *block) {
  arn_heap *owner = arn_pool_owner(pool);
  uint32_t bytes = size_of(pool);
  bump(&heap->remote_frees, 1);
  if (owner->group != heap->group || owner->extra || heap->extra) {
    /* Another runtime's budget, or an owner that may be destroyed at once: hold nothing back. */
    arn_inbox_push(owner, block, block, bytes);
    return;
  }
  arn_batch *batch = &heap->batches[owner->id % ARN_BATCHES];
  if (batch->owner != owner) {
    if (batch->owner)
      send(heap, batch);
    batch->owner = owner;
    batch->last = block;
    batch->count = batch->bytes = 0;
  }
  arn_link_set(block, batch->count ? batch->first : NULL);
  set_ahead(block, &heap->trails[owner->id % ARN_TRAILS]);
  batch->first = block;
  batch->bytes += bytes;
  if (++batch->count == ARN_BATCH_BLOCKS || batch->bytes >= ARN_BATCH_BYTES)
    send(heap, batch);
}

void arn_batches_send(arn_heap *heap) {
  for (int i = 0; i < ARN_BATCHES; i++)
    if (heap->batches[i].owner)
      send(heap, &heap->batches[i]);
}

size_t arn_batches_bytes(const arn_heap *heap) {
  size_t bytes = 0;
  for (int i = 0; i < ARN_BATCHES; i++)
    if (heap->batches[i].owner)
      bytes += heap->batches[i].bytes;
  return bytes;
}

uint32_t arn_inbox_drain(arn_heap *heap, uint32_t limit) {
  uint32_t blocks = 0, forwarded = 0;
  int64_t bytes = 0;
  while (blocks < limit) {
    if (!heap->pending) {
      if (!load_relaxed(&heap->inbox))
        break;
      heap->pending = exchange_acquire(&heap->inbox, NULL); /* with arn_inbox_push's release */
      bump(&heap->inbox_drains, 1);
    }
    void *block = heap->pending, *next = arn_link_get(block);
    fetch_ahead(block);
    heap->pending = next;
    blocks++;
    if (next) { /* both were written by another thread last */
      __builtin_prefetch(next);
      __builtin_prefetch(&arn_space.slots[arn_slot_of(next)]);
      __builtin_prefetch(&arn_space.pools[arn_slot_of(next)]);
    }
    size_t number = arn_slot_of(block);
    arn_slot *slot = &arn_space.slots[number];
    arn_pool *pool = &arn_space.pools[number - load_relaxed(&slot->offset)];
    arn_heap *owner = load_acquire(&slot->owner); /* as in arn_pool_owner */
    uint32_t size = arn_classes[load_relaxed(&slot->class)].size;
    bytes += size;
    if (likely(owner == heap)) {
      arn_pool_put(heap, pool, block, "arn_free (by another thread)");
    } else {
      arn_inbox_push(owner, block, block, size);
      forwarded++;
    }
  }
  if (!blocks)
    return 0;
  sub_relaxed(&heap->inbox_bytes, bytes);
  sub_relaxed(&heap->group->deferred, bytes);
  if (forwarded)
    add_relaxed(&heap->group->forwarded, forwarded);
  return blocks;
}

void arn_deferred_relieve(arn_heap *heap) {
  arn_inbox_drain(heap, UINT32_MAX);
  arn_group *group = heap->group;
  arn_warm_end(group);
  if (load_relaxed(&group->orphans) == 0)
    return;
  for (arn_heap *other = load_acquire(&group->heaps); other; other = other->next_in_group)
    if (load_relaxed(&other->state) == ARN_HEAP_ORPHAN && load_relaxed(&other->inbox))
      arn_orphan_drain(other);
}
