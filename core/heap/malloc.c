/* malloc.c - arn_malloc, arn_free and what is made of the two journeys (journeys.h). */
#include <arenite/heap.h>
#include <errno.h>
#include <string.h>

#include "elsewhere.h"
#include "journeys.h"
#include "kin.h"
#include "large.h"
#include "marks.h"
#include "panic.h"
#include "remote.h"
#include "stranger.h"

__attribute__((noinline)) void *arn_malloc_large(arn_heap *heap, size_t size) {
  bool clean = false;
  return arn_large_alloc(heap, size, 16, &clean);
}

void arn_free_large(arn_heap *heap, void *block, const char *function) {
  if (unlikely(!arn_large_free(heap, block, function)))
    arn_panic("%s: %p is not a block of this process's arenas", function, block);
}

/* Whether a block of another heap that came the slow way may be handed out again by this one (kin.h). Only
 * in classes that the heap allocates from, and half of a bin. */
static bool may_keep(arn_heap *heap, const arn_slot *slot, uint32_t class) {
  const arn_bin *bin = &heap->bins[class];
  if (ARN_TEXTBOOK)
    return false; /* its bins stay empty */
  if (load_relaxed(&slot->owner) == heap->taken_from)
    return true; /* as if it were its own: takeover.h */
  uint8_t kin = load_relaxed(&slot->kin);
  return arn_bin_refilled(bin, class) && arn_bin_blocks(bin) <= bin->most / 2 && kin &&
         kin == heap->group->kin && !heap->extra;
}

static void free_foreign(arn_heap *heap, arn_pool *pool, void *block, const char *function) {
  uint32_t class = arn_pool_class(pool);
  arn_pool_verify(pool, block, function);
  if (unlikely(!arn_mark_away(block)))
    arn_pool_reject(pool, block, function);
  if (!may_keep(heap, arn_pool_slot(pool), class)) {
    arn_remote_free(heap, pool, block);
    return;
  }
  arn_kin_kept(heap);
  arn_bin *bin = &heap->bins[class];
  if (unlikely(bin->list == block))
    arn_pool_reject(pool, block, function);
  arn_link_set(block, bin->list);
  bin->list = block;
  bin->fill += ARN_FILL_FREE;
  if (unlikely(bin->fill & ARN_FILL_EVENT))
    arn_bin_event(heap, bin);
}

__attribute__((noinline)) void arn_free_elsewhere(void *block, arn_heap *heap,
                                                  const char *function) {
  if (!block)
    return;
  if (unlikely(arn_is_stranger(heap))) {
    arn_stranger_free(block, function);
    return;
  }
  arn_pool *pool = arn_pool_of(block);
  if (!pool)
    arn_free_large(heap, block, function);
  else
    free_foreign(heap, pool, block, function);
}

void *arn_calloc_from(arn_heap *heap, size_t count, size_t size) {
  size_t bytes;
  if (unlikely(__builtin_mul_overflow(count, size, &bytes))) {
    errno = ENOMEM;
    return NULL;
  }
  bool large = bytes > ARN_MEDIUM_LIMIT, clean = large;
  void *block = large ? arn_large_alloc(heap, bytes, 16, &clean) : arn_journey_out(heap, bytes);
  if (block && !clean)
    memset(block, 0, bytes);
  return block;
}

void *arn_aligned_from(arn_heap *heap, size_t align, size_t size) {
  if (unlikely(align == 0 || (align & (align - 1)) != 0)) {
    errno = EINVAL;
    return NULL;
  }
  if (align <= ARN_STEP)
    return arn_journey_out(heap, size);
  if (unlikely(arn_is_stranger(heap)))
    return arn_stranger_aligned(align, size);
  /* A class whose block size is a multiple of the alignment has only aligned blocks, because pools
   * begin at multiples of their size. */
  if (align <= ARN_POOL_SIZE) {
    size_t least = size < align ? align : size;
    uint32_t class = least <= ARN_SMALL_LIMIT    ? arn_small_class(least)
                     : least <= ARN_MEDIUM_LIMIT ? arn_medium_class(least)
                                                 : ARN_CLASSES;
    for (; class < ARN_CLASSES; class ++)
      if (arn_classes[class].size % align == 0)
        return arn_journey_out(heap, arn_classes[class].size);
  }
  bool clean = false;
  return arn_large_alloc(heap, size, align, &clean);
}

size_t arn_usable_size_of(const void *block, const char *function) {
  if (!block)
    return 0;
  arn_pool *pool = arn_pool_of(block);
  if (pool) {
    arn_pool_verify(pool, block, function);
    if (unlikely(!arn_mark_is_out(block)))
      arn_pool_reject(pool, block, function);
    return arn_classes[arn_pool_class(pool)].size;
  }
  size_t size = arn_large_size(block);
  return likely(size != 0) ? size : arn_stranger_size(block, function);
}

void *arn_realloc_from(arn_heap *heap, void *block, size_t size, const char *function) {
  if (!block)
    return arn_journey_out(heap, size);
  if (unlikely(arn_is_stranger(heap)))
    return arn_stranger_realloc(block, size, function);
  if (unlikely(size > PTRDIFF_MAX)) {
    errno = ENOMEM;
    return NULL;
  }
  size_t had = arn_usable_size_of(block, function);
  /* CPython's rule: a block that would shrink by less than a quarter stays. */
  if (size <= had && size > had / 4 * 3)
    return block;
  if (!arn_pool_of(block)) {
    void *same = arn_large_resize(heap, block, size);
    if (same)
      return same;
    if (ARN_TEXTBOOK)
      return NULL; /* the system heap's word */
  }
  bool large = !ARN_TEXTBOOK && size > ARN_MEDIUM_LIMIT, clean = false;
  void *fresh = large ? arn_large_alloc(heap, size, 16, &clean) : arn_journey_out(heap, size);
  if (!fresh)
    return NULL;
  memcpy(fresh, block, had < size ? had : size);
  arn_journey_back(heap, block, function);
  return fresh;
}

/* --- For the calling thread's heap ----------------------------------------------------------- */

void *arn_malloc(size_t size) {
  return arn_journey_out(arn_self, size);
}

void arn_free(void *block) {
  arn_journey_back(arn_self, block, "arn_free");
}

void arn_free_sized(void *block, size_t size) {
  (void)size; /* the descriptor is needed all the same */
  arn_journey_back(arn_self, block, "arn_free_sized");
}

void *arn_calloc(size_t count, size_t size) {
  return arn_calloc_from(arn_self, count, size);
}

void *arn_zalloc(size_t size) {
  return arn_calloc_from(arn_self, 1, size);
}

void *arn_aligned_alloc(size_t alignment, size_t size) {
  return arn_aligned_from(arn_self, alignment, size);
}

size_t arn_usable_size(const void *block) {
  return arn_usable_size_of(block, "arn_usable_size");
}

void *arn_realloc(void *block, size_t size) {
  return arn_realloc_from(arn_self, block, size, "arn_realloc");
}

void *arn_reallocarray(void *block, size_t count, size_t size) {
  size_t bytes;
  if (unlikely(__builtin_mul_overflow(count, size, &bytes))) {
    errno = ENOMEM;
    return NULL;
  }
  return arn_realloc_from(arn_self, block, bytes, "arn_reallocarray");
}

/* --- For a heap ------------------------------------------------------------------------------ */

void *arn_heap_malloc(arn_heap *heap, size_t size) {
  ARN_ELSEWHERE(heap_malloc, heap, size);
  return arn_journey_out(heap, size);
}

void arn_heap_free(arn_heap *heap, void *block) {
  ARN_ELSEWHERE(heap_free, heap, block);
  arn_journey_back(heap, block, "arn_heap_free");
}

void *arn_heap_calloc(arn_heap *heap, size_t count, size_t size) {
  ARN_ELSEWHERE(heap_calloc, heap, count, size);
  return arn_calloc_from(heap, count, size);
}

void *arn_heap_realloc(arn_heap *heap, void *block, size_t size) {
  ARN_ELSEWHERE(heap_realloc, heap, block, size);
  return arn_realloc_from(heap, block, size, "arn_heap_realloc");
}

void *arn_heap_aligned_alloc(arn_heap *heap, size_t alignment, size_t size) {
  ARN_ELSEWHERE(heap_aligned_alloc, heap, alignment, size);
  return arn_aligned_from(heap, alignment, size);
}
