/* large.c - spans and runs of arenas; see large.h. */
#include "large.h"

#include <errno.h>

#include "gather.h"
#include "guard.h"
#include "huge.h"
#include "kept.h"
#include "panic.h"
#include "stranger.h"

static uint32_t slots_for(size_t size) {
  return size ? (uint32_t)((size + ARN_POOL_SIZE - 1) >> ARN_POOL_SHIFT) : 1;
}

static uint32_t arenas_for(uint32_t slots) {
  return (slots + ARN_POOLS_PER_ARENA - 1) / ARN_POOLS_PER_ARENA;
}

/* The descriptor of a large block's first slot: until counts its slots (of a run: arenas). The block
 * needs so many slots; when there is one more, that may become a guard. */
static void *open_large(size_t slot, arn_slot_kind kind, uint32_t count, uint32_t needs,
                        uint32_t guard, bool clean) {
  arn_pool *head = &arn_space.pools[slot];
  store_relaxed(&head->until, count);
  arn_guard_none(head);
  store_release(&arn_pool_slot(head)->kind, kind);
  if (guard)
    arn_guard_put(head, needs, clean);
  return arn_pool_base(head);
}

/* --- Allocation ------------------------------------------------------------------------------ */

static void *take_span(arn_heap *heap, uint32_t slots, size_t align, uint32_t guard, bool *clean) {
  uint32_t step = align <= ARN_POOL_SIZE ? 1 : (uint32_t)(align >> ARN_POOL_SHIFT);
  uint32_t all = slots + guard;
  heap->slots_taken += all;
  arn_pool *kept = arn_kept_take(heap, all, step);
  if (kept) {
    *clean = false;
    return open_large((size_t)(kept - arn_space.pools), ARN_SLOT_SPAN, all, slots, guard, false);
  }
  *clean = false;
  size_t slot = arn_arenas_take_dirty(heap->arenas, all, step);
  if (slot == SIZE_MAX) {
    arn_gather(heap, all, false);
    slot = arn_arenas_take(heap->arenas, all, step, clean);
  }
  return slot == SIZE_MAX ? NULL : open_large(slot, ARN_SLOT_SPAN, all, slots, guard, *clean);
}

static void *take_run(arn_heap *heap, uint32_t slots, size_t align, uint32_t guard, bool *clean) {
  uint32_t step = align <= ARN_ARENA_SIZE ? 1 : (uint32_t)(align >> ARN_ARENA_SHIFT);
  uint32_t count = arenas_for(slots + guard);
  arn_wish wish = *clean ? ARN_WISH_ANY : ARN_WISH_DIRTY;
  heap->slots_taken += count * ARN_POOLS_PER_ARENA;
  arn_gather(heap, count * ARN_POOLS_PER_ARENA, true);
  uint32_t first = arn_arenas_take_run(heap->arenas, count, step, wish, clean);
  return first == UINT32_MAX ? NULL
                             : open_large((size_t)first * ARN_POOLS_PER_ARENA, ARN_SLOT_RUN, count,
                                          slots, guard, *clean);
}

static void *allocate(arn_heap *heap, size_t size, size_t align, bool *clean) {
  bool span = size <= ARN_SPAN_LIMIT && align <= ARN_SPAN_LIMIT;
  bool run = !span && size <= ARN_RUN_LIMIT && align <= ARN_RUN_LIMIT;
  if (span || run) {
    uint32_t slots = slots_for(size), guard = arn_guard_slots(heap);
    if (span && slots == ARN_POOLS_PER_ARENA)
      guard = 0;
    void *block = span ? take_span(heap, slots, align, guard, clean)
                       : take_run(heap, slots, align, guard, clean);
    if (!block && guard) /* rather without one than not at all */
      block =
          span ? take_span(heap, slots, align, 0, clean) : take_run(heap, slots, align, 0, clean);
    if (block)
      return block;
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
  uint8_t kind = load_acquire(&arn_pool_slot(head)->kind); /* open_large releases */
  return kind == ARN_SLOT_SPAN || kind == ARN_SLOT_RUN ? head : NULL;
}

bool arn_large_free(arn_heap *heap, void *block, const char *function) {
  arn_pool *head = head_of(block);
  if (!head)
    return arn_huge_free(block);
  /* Before it is anybody else's. If the system refuses, the block stays for ever. */
  if (arn_guard_at(head) && !arn_guard_remove(head))
    return true;
  size_t slot = (size_t)(head - arn_space.pools);
  uint32_t count = load_relaxed(&head->until);
  uint8_t kind = load_relaxed(&arn_pool_slot(head)->kind);
  bool keep = kind == ARN_SLOT_SPAN && arn_kept_wants(heap, head, count);
  /* Two threads that free it at once: one of them is told. */
  if (!cas_acq_rel(&arn_pool_slot(head)->kind, &kind, keep ? ARN_SLOT_KEPT : ARN_SLOT_NONE))
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
  if (arn_guard_at(head))
    return arn_guard_at(head) * ARN_POOL_SIZE;
  bool span = load_relaxed(&arn_pool_slot(head)->kind) == ARN_SLOT_SPAN;
  return load_relaxed(&head->until) * (span ? ARN_POOL_SIZE : ARN_ARENA_SIZE);
}

/* A span to so many slots, in place. */
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

/* A span or a run to what it needs, in place; its guard goes with its end. */
static bool resize(arn_pool *head, uint32_t slots, bool span) {
  uint32_t guard = arn_guard_at(head);
  if (guard && (guard == slots || !arn_guard_remove(head)))
    return guard == slots;
  uint32_t more = guard && !(span && slots == ARN_POOLS_PER_ARENA);
  bool done = span ? resize_span(head, slots + more) : resize_run(head, arenas_for(slots + more));
  if (!done && guard)
    arn_guard_put(head, guard, false);
  else if (more)
    arn_guard_put(head, slots, false);
  return done;
}

/* A run that cannot grow where it is, to more arenas elsewhere. */
static void *move_run(arn_heap *heap, arn_pool *head, uint32_t count) {
  int before = errno;
  uint32_t had = load_relaxed(&head->until);
  store_relaxed(&arn_pool_slot(head)->kind, ARN_SLOT_NONE); /* before it is anybody else's */
  uint32_t to = arn_arenas_move_run(heap->arenas, arn_pool_arena(head), had, count);
  errno = before;
  if (to == UINT32_MAX) {
    store_relaxed(&arn_pool_slot(head)->kind, ARN_SLOT_RUN);
    return NULL;
  }
  return open_large((size_t)to * ARN_POOLS_PER_ARENA, ARN_SLOT_RUN, count, 0, 0, false);
}

void *arn_large_resize(arn_heap *heap, void *block, size_t size) {
  arn_pool *head = head_of(block);
  if (!head)
    return size > ARN_RUN_LIMIT / 2 ? arn_huge_resize(block, size) : NULL;
  bool span = load_relaxed(&arn_pool_slot(head)->kind) == ARN_SLOT_SPAN;
  size_t least = span ? ARN_MEDIUM_LIMIT : ARN_SPAN_LIMIT;
  size_t most = span ? ARN_SPAN_LIMIT : ARN_RUN_LIMIT;
  if (size <= least || size > most)
    return NULL;
  if (resize(head, slots_for(size), span))
    return block;
  return span || arn_guard_at(head) ? NULL : move_run(heap, head, arenas_for(slots_for(size)));
}
