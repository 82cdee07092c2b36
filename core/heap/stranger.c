/* stranger.c - see stranger.h. */
#include "stranger.h"

#include "elsewhere.h"
#include "journeys.h"
#include "large.h"
#include "marks.h"
#include "panic.h"
#include "remote.h"

__attribute__((weak)) const arn_host *arn_host_of_strangers;

_Noreturn void arn_heap_missing(const char *function) {
  arn_panic("%s: this thread is not attached to a runtime, or does not hold its GIL", function);
}

static arn_heap *enter(bool to_free, const char *function) {
  if (!arn_host_of_strangers)
    arn_heap_missing(function);
  return arn_host_of_strangers->enter(to_free);
}

static void *leave(arn_heap *heap, void *block) {
  arn_host_of_strangers->leave(heap);
  return block;
}

void *arn_stranger_take(uint32_t class) {
  ARN_ELSEWHERE(malloc, arn_size_of_class(class));
  arn_heap *heap = enter(false, "arn_malloc");
  if (!heap)
    return NULL;
  return leave(heap, arn_take(heap, class));
}

void *arn_stranger_large(size_t size, size_t align, bool *clean) {
  if (*clean)
    ARN_ELSEWHERE(calloc, 1, size);
  ARN_ELSEWHERE(aligned_alloc, align, size);
  arn_heap *heap = enter(false, "arn_malloc");
  return heap ? leave(heap, arn_large_alloc(heap, size, align, clean)) : NULL;
}

void *arn_stranger_aligned(size_t align, size_t size) {
  ARN_ELSEWHERE(aligned_alloc, align, size);
  arn_heap *heap = enter(false, "arn_aligned_alloc");
  return heap ? leave(heap, arn_aligned_from(heap, align, size)) : NULL;
}

void *arn_stranger_realloc(void *block, size_t size, const char *function) {
  ARN_ELSEWHERE(realloc, block, size);
  arn_heap *heap = enter(false, function);
  return heap ? leave(heap, arn_realloc_from(heap, block, size, function)) : NULL;
}

void arn_stranger_free(void *block, const char *function) {
  ARN_ELSEWHERE(free, block);
  arn_heap *heap = enter(true, function);
  if (heap) {
    arn_journey_back(heap, block, function);
    arn_host_of_strangers->leave(heap);
    return;
  }
  arn_pool *pool = arn_pool_of(block);
  if (!pool) {
    arn_free_large(arn_self, block, function);
    return;
  }
  arn_pool_verify(pool, block, function);
  if (unlikely(!arn_mark_away(block)))
    arn_pool_reject(pool, block, function);
  arn_inbox_push(arn_pool_owner(pool), block, block, arn_classes[arn_pool_class(pool)].size);
}

size_t arn_stranger_size(const void *block, const char *function) {
  ARN_ELSEWHERE(usable_size, block);
  arn_panic("%s: %p is not a block of this process's arenas", function, block);
}
