/* large_system.c - the textbook's large blocks: the system heap's, as CPython's are.
 *
 * The addresses are outside the reserved range, so free hands on what it finds there. A pointer
 * that the system heap did not give is its to notice. They do not count against limit_bytes and do
 * not go when the runtime does.
 */
#include <malloc.h>
#include <stdlib.h>

#include "large.h"
#include "stranger.h"

void *arn_large_alloc(arn_heap *heap, size_t size, size_t align, bool *clean) {
  if (unlikely(arn_is_stranger(heap)))
    return arn_stranger_large(size, align, clean);
  if (align > _Alignof(max_align_t)) {
    *clean = false;
    return memalign(align, size);
  }
  return *clean ? calloc(1, size) : malloc(size);
}

static bool is_ours(const void *block) {
  return arn_slot_of(block) < arn_slots_in_use();
}

bool arn_large_free(arn_heap *heap, void *block, const char *function) {
  (void)heap, (void)function;
  if (is_ours(block))
    return false;
  free(block);
  return true;
}

size_t arn_large_size(const void *block) {
  return is_ours(block) ? 0 : malloc_usable_size((void *)block);
}

void *arn_large_resize(arn_heap *heap, void *block, size_t size) {
  (void)heap;
  /* Kept in the system heap, also when it would be small enough for a pool: realloc there may
   * shrink in place. */
  return realloc(block, size ? size : 1);
}
