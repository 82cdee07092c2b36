/* guard.c - see guard.h. Compiled in the hardened build only. */
#include "guard.h"

#if !ARN_TEXTBOOK

#include "arena_parts.h"
#include "os.h"

static _Atomic uint32_t guards; /* how many there are */

uint32_t arn_guard_slots(const arn_heap *heap) {
  return load_relaxed(&guards) < ARN_GUARDS && arn_default_source(heap->group);
}

void arn_guard_put(arn_pool *head, uint32_t slots, bool clean) {
  char *at = arn_pool_base(head) + (size_t)slots * ARN_POOL_SIZE;
  if (add_relaxed(&guards, 1) < ARN_GUARDS) {
    if (!clean)
      arn_os_purge(at, ARN_POOL_SIZE); /* it shall cost no memory */
    if (arn_os_guard(at, ARN_POOL_SIZE)) {
      store_relaxed(&head->floor, slots);
      return;
    }
  }
  sub_relaxed(&guards, 1);
}

bool arn_guard_remove(arn_pool *head) {
  /* Exchanged: of two threads that free the block at once, one removes it. */
  uint32_t slots = exchange_acq_rel(&head->floor, 0);
  if (!slots)
    return true;
  if (!arn_os_unguard(arn_pool_base(head) + (size_t)slots * ARN_POOL_SIZE, ARN_POOL_SIZE)) {
    store_relaxed(&head->floor, slots);
    return false;
  }
  sub_relaxed(&guards, 1);
  return true;
}

void arn_guards_remove(uint32_t arena) {
  arn_pool *pools = &arn_space.pools[(size_t)arena * ARN_POOLS_PER_ARENA];
  for (uint32_t i = 0; i < ARN_POOLS_PER_ARENA; i++) {
    uint8_t kind = load_acquire(&arn_pool_slot(&pools[i])->kind); /* large.c releases */
    if (kind == ARN_SLOT_SPAN || kind == ARN_SLOT_RUN)
      arn_guard_remove(&pools[i]);
  }
}

#endif
