/* malloc.c - the two journeys: how a block is found, and how it goes back.
 *
 * malloc(n)
 *   1. The thread's heap: one thread-local load. A thread that has none has arn_no_heap, whose
 *      lists are empty, and is told so in step 4. Nothing here knows whether there is a GIL.
 *   2. n to size class: a shift; above the small limit a few instructions of arithmetic.
 *   3. The block of the class that was freed last is taken first: it is in the cache. Otherwise pop
 *      the class's list in the heap, and prefetch the next block for writing: the caller of the
 *      next malloc will write it. No descriptor is touched then.
 *   4. The list is empty: arn_refill (refill.c, refill_textbook.c) finds the next free blocks.
 *
 * free(p)
 *   1. Slot number: the distance from the start of the address space, shifted. Outside of what is
 *      in use (NULL too): the slow path.
 *   2. The slot's descriptor: one index into the pool table. Slots inside a pool of several slots,
 *      or of large blocks, have no owner, so their blocks take the slow path too.
 *   3. Its owner is my heap: push on the pool's own list, remember the pool, count down. At zero,
 *      arn_pool_event: the pool is usable again, or empty.
 *   4. Not mine: free_elsewhere sorts it out: a pool's later slot, a large block, a block of
 *      another heap (remote.c), or an error.
 *
 * Why the block freed last comes first: a program that frees and allocates in turn gets the block
 * back that its cache has. Without it, malloc would wait for the first word of a block that was
 * freed long ago: measured, 15 instead of 11 ns a pair with 10,000 live blocks of 512 bytes, freed
 * at random.
 *
 * A pointer into a pool is checked in step 3 at the cost of one multiplication off the critical
 * path: that it is the start of a block, and that it is not the block freed last.
 */
#include <arenite/heap.h>
#include <errno.h>
#include <string.h>

#include "heap.h"
#include "large.h"
#include "panic.h"
#include "remote.h"

/* --- malloc ---------------------------------------------------------------------------------- */

/* The block of the class that was freed last, or NULL. It is one more outstanding block of its
 * pool. In the textbook geometry all blocks come from refill_textbook.c. */
static inline __attribute__((always_inline)) void *take_freed_last(arn_heap *heap, uint32_t class) {
  if (ARN_TEXTBOOK)
    return NULL;
  arn_pool *pool = heap->freed_to[class];
  if (!pool)
    return NULL;
  heap->freed_to[class] = NULL;
  void *block = pool->free;
  pool->free = *(void **)block;
  store_relaxed(&pool->until, load_relaxed(&pool->until) + 1);
  return block;
}

static inline __attribute__((always_inline)) void *take(arn_heap *heap, uint32_t class) {
  void *block = take_freed_last(heap, class);
  if (block)
    return block;
  block = heap->list[class];
  if (unlikely(!block))
    return arn_refill(heap, class);
  void *next = *(void **)block;
  heap->list[class] = next;
  __builtin_prefetch(next, 1, 3);
  return block;
}

static __attribute__((noinline)) void *malloc_above_small(arn_heap *heap, size_t size) {
  if (size <= ARN_MEDIUM_LIMIT)
    return take(heap, arn_medium_class(size));
  bool clean = false;
  return arn_large_alloc(heap, size, 16, &clean);
}

static inline __attribute__((always_inline)) void *heap_malloc(arn_heap *heap, size_t size) {
  if (unlikely(size > ARN_SMALL_LIMIT))
    return malloc_above_small(heap, size);
  return take(heap, arn_small_class(size));
}

void *arn_malloc(size_t size) {
  return heap_malloc(arn_self, size);
}

void *arn_heap_malloc(arn_heap *heap, size_t size) {
  return heap_malloc(heap, size);
}

/* --- free ------------------------------------------------------------------------------------ */

static __attribute__((noinline)) void free_elsewhere(arn_heap *heap, void *block,
                                                     const char *function) {
  if (!block)
    return;
  if (unlikely(heap == &arn_no_heap))
    arn_heap_missing(function);
  arn_pool *pool = arn_pool_of(block);
  if (pool) {
    if (load_relaxed(&pool->owner) == heap) {
      arn_pool_put(heap, pool, block, function);
      return;
    }
    uint32_t size = arn_classes[arn_pool_class(pool)].size;
    if (unlikely((size_t)((char *)block - arn_pool_base(pool)) % size != 0))
      arn_pool_reject(pool, block, function);
    arn_remote_free(heap, pool, block);
    return;
  }
  if (likely(arn_large_free(heap, block, function)))
    return;
  arn_panic("%s: %p is not a block of this process's arenas", function, block);
}

static inline __attribute__((always_inline)) void heap_free(arn_heap *heap, void *block,
                                                            const char *function) {
  size_t slot = arn_slot_of(block);
  if (unlikely(slot >= arn_slots_in_use())) {
    free_elsewhere(heap, block, function);
    return;
  }
  arn_pool *pool = &arn_space.pools[slot];
  if (unlikely(load_relaxed(&pool->owner) != heap)) {
    free_elsewhere(heap, block, function);
    return;
  }
  void *head = pool->free;
  uint32_t offset = (uint32_t)((uintptr_t)block & (ARN_POOL_SIZE - 1));
  if (unlikely(!arn_is_multiple(offset, pool->magic) || head == block))
    arn_pool_reject(pool, block, function);
  *(void **)block = head;
  pool->free = block;
  if (!ARN_TEXTBOOK)
    heap->freed_to[arn_pool_class(pool)] = pool;
  uint32_t until = load_relaxed(&pool->until) - 1;
  store_relaxed(&pool->until, until);
  if (unlikely(until == 0))
    arn_pool_event(heap, pool);
}

void arn_free(void *block) {
  heap_free(arn_self, block, "arn_free");
}

void arn_free_sized(void *block, size_t size) {
  (void)size; /* the descriptor is needed all the same */
  heap_free(arn_self, block, "arn_free_sized");
}

void arn_heap_free(arn_heap *heap, void *block) {
  heap_free(heap, block, "arn_heap_free");
}

/* --- What is made of them -------------------------------------------------------------------- */

static void *heap_calloc(arn_heap *heap, size_t count, size_t size) {
  size_t bytes;
  if (unlikely(__builtin_mul_overflow(count, size, &bytes))) {
    errno = ENOMEM;
    return NULL;
  }
  bool large = bytes > ARN_MEDIUM_LIMIT, clean = large;
  void *block = large ? arn_large_alloc(heap, bytes, 16, &clean) : heap_malloc(heap, bytes);
  if (block && !clean)
    memset(block, 0, bytes);
  return block;
}

void *arn_calloc(size_t count, size_t size) {
  return heap_calloc(arn_self, count, size);
}

void *arn_zalloc(size_t size) {
  return heap_calloc(arn_self, 1, size);
}

void *arn_heap_calloc(arn_heap *heap, size_t count, size_t size) {
  return heap_calloc(heap, count, size);
}

static void *heap_aligned(arn_heap *heap, size_t align, size_t size) {
  if (unlikely(align == 0 || (align & (align - 1)) != 0)) {
    errno = EINVAL;
    return NULL;
  }
  if (align <= ARN_STEP)
    return heap_malloc(heap, size);
  /* A class whose block size is a multiple of the alignment has only aligned blocks, because pools
   * begin at multiples of their size. */
  if (align <= ARN_POOL_SIZE) {
    size_t least = size < align ? align : size;
    uint32_t class = least <= ARN_SMALL_LIMIT    ? arn_small_class(least)
                     : least <= ARN_MEDIUM_LIMIT ? arn_medium_class(least)
                                                 : ARN_CLASSES;
    for (; class < ARN_CLASSES; class ++)
      if (arn_classes[class].size % align == 0)
        return heap_malloc(heap, arn_classes[class].size);
  }
  bool clean = false;
  return arn_large_alloc(heap, size, align, &clean);
}

void *arn_aligned_alloc(size_t alignment, size_t size) {
  return heap_aligned(arn_self, alignment, size);
}

void *arn_heap_aligned_alloc(arn_heap *heap, size_t alignment, size_t size) {
  return heap_aligned(heap, alignment, size);
}

static size_t usable_size(const void *block, const char *function) {
  if (!block)
    return 0;
  arn_pool *pool = arn_pool_of(block);
  if (pool) {
    uint32_t size = arn_classes[arn_pool_class(pool)].size;
    if (unlikely((size_t)((const char *)block - arn_pool_base(pool)) % size != 0))
      arn_pool_reject(pool, block, function);
    return size;
  }
  size_t size = arn_large_size(block);
  if (unlikely(size == 0))
    arn_panic("%s: %p is not a block of this process's arenas", function, block);
  return size;
}

size_t arn_usable_size(const void *block) {
  return usable_size(block, "arn_usable_size");
}

static void *heap_realloc(arn_heap *heap, void *block, size_t size) {
  if (!block)
    return heap_malloc(heap, size);
  if (unlikely(heap == &arn_no_heap))
    arn_heap_missing("arn_realloc");
  if (unlikely(size > PTRDIFF_MAX)) {
    errno = ENOMEM;
    return NULL;
  }
  size_t had = usable_size(block, "arn_realloc");
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
  void *fresh = heap_malloc(heap, size);
  if (!fresh)
    return NULL;
  memcpy(fresh, block, had < size ? had : size);
  heap_free(heap, block, "arn_realloc");
  return fresh;
}

void *arn_realloc(void *block, size_t size) {
  return heap_realloc(arn_self, block, size);
}

void *arn_heap_realloc(arn_heap *heap, void *block, size_t size) {
  return heap_realloc(heap, block, size);
}

void *arn_reallocarray(void *block, size_t count, size_t size) {
  size_t bytes;
  if (unlikely(__builtin_mul_overflow(count, size, &bytes))) {
    errno = ENOMEM;
    return NULL;
  }
  return heap_realloc(arn_self, block, bytes);
}
