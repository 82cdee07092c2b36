/* large.c - spans and runs of arenas; see large.h. */
#include "large.h"

#include <errno.h>

#include "huge.h"
#include "kept.h"
#include "panic.h"
#include "stranger.h"

/* The descriptor of a large block's first slot: until counts its slots (of a run: arenas). */
static void *open_large(size_t slot, arn_slot_kind kind, uint32_t count) {
  arn_pool *head = &arn_space.pools[slot];
  store_relaxed(&head->until, count);
  store_release(&head->kind, kind);
  return arn_pool_base(head);
}

/* --- Allocation ------------------------------------------------------------------------------ */

static void *allocate(arn_heap *heap, size_t size, size_t align, bool *clean) {
  if (size <= ARN_SPAN_LIMIT && align <= ARN_SPAN_LIMIT) {
    uint32_t slots = (uint32_t)((size + ARN_POOL_SIZE - 1) >> ARN_POOL_SHIFT);
    if (slots == 0)
      slots = 1;
    uint32_t step = align <= ARN_POOL_SIZE ? 1 : (uint32_t)(align >> ARN_POOL_SHIFT);
    arn_pool *kept = arn_kept_take(heap, slots, step);
    if (kept) {
      *clean = false;
      return open_large((size_t)(kept - arn_space.pools), ARN_SLOT_SPAN, slots);
    }
    size_t slot = arn_arenas_take(heap->arenas, slots, step, ARN_WISH_DIRTY, clean);
    if (slot != SIZE_MAX)
      return open_large(slot, ARN_SLOT_SPAN, slots);
  } else if (size <= ARN_RUN_LIMIT && align <= ARN_RUN_LIMIT) {
    uint32_t count = (uint32_t)((size + ARN_ARENA_SIZE - 1) >> ARN_ARENA_SHIFT);
    if (count == 0)
      count = 1;
    uint32_t step = align <= ARN_ARENA_SIZE ? 1 : (uint32_t)(align >> ARN_ARENA_SHIFT);
    uint32_t first = arn_arenas_take_run(heap->arenas, count, step, clean);
    if (first != UINT32_MAX)
      return open_large((size_t)first * ARN_POOLS_PER_ARENA, ARN_SLOT_RUN, count);
  }
  /* Also when the address space for arenas is used up, as it may be under a small RLIMIT_AS. */
  *clean = true;
  return arn_huge_alloc(heap->arenas, size, align);
}

void *arn_large_alloc(arn_heap *heap, size_t size, size_t align, bool *clean) {
  if (unlikely(arn_is_stranger(heap)))
    return arn_stranger_large(size, align, clean);
  if (unlikely(size > PTRDIFF_MAX)) {
    errno = ENOMEM;
    return NULL;
  }
  arn_heap_tick(heap);
  int before = errno;
  void *block = allocate(heap, size, align, clean);
  if (unlikely(!block) && arn_group_last_resort(heap, size)) {
    errno = before;
    block = allocate(heap, size, align, clean);
  }
  return block;
}

/* The first slot's descriptor when block is a span or a run. */
static arn_pool *head_of(const void *block) {
  size_t slot = arn_slot_of(block);
  if (slot >= arn_slots_in_use() || (uintptr_t)block % ARN_POOL_SIZE != 0)
    return NULL;
  arn_pool *head = &arn_space.pools[slot];
  uint8_t kind = load_acquire(&head->kind); /* open_large releases */
  return kind == ARN_SLOT_SPAN || kind == ARN_SLOT_RUN ? head : NULL;
}

bool arn_large_free(arn_heap *heap, void *block, const char *function) {
  arn_pool *head = head_of(block);
  if (!head)
    return arn_huge_free(block);
  size_t slot = (size_t)(head - arn_space.pools);
  uint32_t count = load_relaxed(&head->until);
  uint8_t kind = load_relaxed(&head->kind);
  bool keep = kind == ARN_SLOT_SPAN && arn_kept_wants(heap, head, count);
  /* Two threads that free it at once: one of them is told. */
  if (!cas_acq_rel(&head->kind, &kind, keep ? ARN_SLOT_KEPT : ARN_SLOT_NONE))
    arn_panic("%s: the large block %p is already free (double free)", function, block);
  if (keep)
    arn_kept_put(heap, head, count);
  else if (kind == ARN_SLOT_SPAN)
    arn_arenas_give(slot, count, count);
  else
    arn_arenas_give_run((uint32_t)(slot / ARN_POOLS_PER_ARENA), count, count * ARN_POOLS_PER_ARENA);
  return true;
}

size_t arn_large_size(const void *block) {
  arn_pool *head = head_of(block);
  if (!head)
    return arn_huge_size(block);
  bool span = load_relaxed(&head->kind) == ARN_SLOT_SPAN;
  return load_relaxed(&head->until) * (span ? ARN_POOL_SIZE : ARN_ARENA_SIZE);
}

/* A span to a number of slots, in place. */
static bool resize_span(arn_pool *head, uint32_t slots) {
  size_t slot = (size_t)(head - arn_space.pools);
  uint32_t had = load_relaxed(&head->until);
  if (slots > had && !arn_arenas_extend(slot + had, slots - had))
    return false;
  store_relaxed(&head->until, slots);
  if (slots < had)
    arn_arenas_give(slot + slots, had - slots, had - slots);
  return true;
}

/* A run to a number of arenas, in place. */
static bool resize_run(arn_pool *head, uint32_t count) {
  uint32_t first = arn_pool_arena(head), had = load_relaxed(&head->until);
  arn_arenas *set = load_relaxed(&arn_space.arenas[first].home); /* stable: the block is ours */
  if (count > had && !arn_arenas_extend_run(set, first + had, count - had))
    return false;
  store_relaxed(&head->until, count);
  if (count < had)
    arn_arenas_give_run(first + count, had - count, (had - count) * ARN_POOLS_PER_ARENA);
  return true;
}

void *arn_large_resize(arn_heap *heap, void *block, size_t size) {
  (void)heap;
  arn_pool *head = head_of(block);
  if (!head)
    return size > ARN_RUN_LIMIT / 2 ? arn_huge_resize(block, size) : NULL;
  if (load_relaxed(&head->kind) == ARN_SLOT_SPAN) {
    if (size <= ARN_MEDIUM_LIMIT || size > ARN_SPAN_LIMIT)
      return NULL;
    return resize_span(head, (uint32_t)((size + ARN_POOL_SIZE - 1) >> ARN_POOL_SHIFT)) ? block
                                                                                       : NULL;
  }
  if (size <= ARN_SPAN_LIMIT || size > ARN_RUN_LIMIT)
    return NULL;
  return resize_run(head, (uint32_t)((size + ARN_ARENA_SIZE - 1) >> ARN_ARENA_SHIFT)) ? block
                                                                                      : NULL;
}
