/* kept.c - see kept.h. */
#include "kept.h"

bool arn_kept_wants(const arn_heap *heap, const arn_pool *head, uint32_t slots) {
  return !ARN_TEXTBOOK && slots * ARN_POOL_SIZE <= ARN_KEPT_BYTES &&
         load_relaxed(&arn_space.arenas[arn_pool_arena(head)].home) == heap->arenas;
}

static void release(arn_pool *head) {
  uint32_t slots = load_relaxed(&head->until);
  store_relaxed(&arn_pool_slot(head)->kind, ARN_SLOT_NONE);
  arn_arenas_give((size_t)(head - arn_space.pools), slots, slots);
}

void arn_kept_put(arn_heap *heap, arn_pool *head, uint32_t slots) {
  store_relaxed(&head->until, slots);
  arn_pool **place = &heap->kept[heap->next_kept++ % ARN_KEPT_RUNS];
  arn_pool *old = *place;
  *place = head;
  if (old)
    release(old);
}

arn_pool *arn_kept_take(arn_heap *heap, uint32_t slots, uint32_t step) {
  for (uint32_t i = 0; i < ARN_KEPT_RUNS; i++) {
    /* The one kept last first. */
    arn_pool **place = &heap->kept[(heap->next_kept - 1 - i) % ARN_KEPT_RUNS];
    arn_pool *head = *place;
    if (!head || load_relaxed(&head->until) != slots || (size_t)(head - arn_space.pools) % step)
      continue;
    *place = NULL;
    return head;
  }
  return NULL;
}

void arn_kept_release(arn_heap *heap) {
  for (uint32_t i = 0; i < ARN_KEPT_RUNS; i++) {
    if (heap->kept[i])
      release(heap->kept[i]);
    heap->kept[i] = NULL;
  }
}
