/* heap.h - allocation.
 *
 * All sizes are bytes. All functions are for a thread that is attached to a runtime and, in GIL
 * mode, holds the GIL; anything else ends the process with one sentence that says so (SIGABRT),
 * because the caller has no heap. arn_free, arn_usable_size and the realloc functions take a block
 * that any thread of the process allocated, from any heap of any runtime.
 *
 * Out of memory is NULL with errno = ENOMEM, and changes nothing. A request above PTRDIFF_MAX is
 * out of memory. A request for 0 bytes gives a unique block. Every block is aligned to 16 bytes (8
 * in the classic geometry, whose step is 8 bytes). errno is not changed by success.
 *
 * A pointer that is not an allocated block (of the stack, inside a block, freed just now) ends the
 * process with a sentence where that is seen; docs/design.md lists what is.
 */
#ifndef ARENITE_HEAP_H
#define ARENITE_HEAP_H

#include <arenite/api.h>
#include <stdbool.h>

ARN_BEGIN_DECLS

/* size bytes, not initialised (malloc(3)). */
ARN_API void *arn_malloc(size_t size) ARN_ATTR_MALLOC ARN_ATTR_SIZE(1);

/* count * size bytes of zeros; ENOMEM when the product overflows (calloc(3)). Memory of more than
 * 32 KiB that the system has just cleared is not touched. */
ARN_API void *arn_calloc(size_t count, size_t size) ARN_ATTR_MALLOC ARN_ATTR_SIZE2(1, 2);

/* size bytes of zeros: arn_calloc(1, size). */
ARN_API void *arn_zalloc(size_t size) ARN_ATTR_MALLOC ARN_ATTR_SIZE(1);

/* Resizes (realloc(3)). NULL as block allocates. Size 0 gives a block of the smallest size, as
 * CPython's PyMem_Realloc does. On NULL the old block is as it was. Huge blocks grow without
 * copying (mremap(2)). A block that is resized in place stays in the heap that it came from; one
 * that moves is then the caller's heap's. */
ARN_API void *arn_realloc(void *block, size_t size) __attribute__((warn_unused_result))
ARN_ATTR_SIZE(2);

/* arn_realloc to count * size; ENOMEM when the product overflows (reallocarray(3)). */
ARN_API void *arn_reallocarray(void *block, size_t count, size_t size)
    __attribute__((warn_unused_result)) ARN_ATTR_SIZE2(2, 3);

/* size bytes aligned to alignment, a power of two; otherwise NULL with errno = EINVAL
 * (aligned_alloc(3)). The size need not be a multiple of the alignment. */
ARN_API void *arn_aligned_alloc(size_t alignment, size_t size) __attribute__((warn_unused_result))
ARN_ATTR_SIZE(2);

/* Gives a block back; NULL does nothing (free(3)). Never fails, keeps errno. */
ARN_API void arn_free(void *block);

/* arn_free for a caller that knows the size it asked for (C23's free_sized). */
ARN_API void arn_free_sized(void *block, size_t size);

/* Bytes that the block really has, at least what was asked for; 0 for NULL
 * (malloc_usable_size(3)). */
ARN_API size_t arn_usable_size(const void *block);

/* Extra heaps: memory that one part of a program fills and then drops at once.
 *
 * An extra heap has arenas of its own. One thread at a time may call the arn_heap_ functions on it;
 * its blocks may be freed with arn_free by any attached thread. They need no attached thread and no
 * GIL. */

/* Creates an extra heap in runtime. 0, or ENOMEM. Any thread. */
ARN_API int arn_heap_create(arn_runtime *runtime, arn_heap **heap);

/* Frees every block of the heap at once, and the heap (in the classic geometry, blocks above the
 * small limit are the system heap's and stay). No other thread may use its blocks then. NULL does
 * nothing. Any thread; not for a thread's own heap (that ends the process with a sentence). */
ARN_API void arn_heap_destroy(arn_heap *heap);

ARN_API void *arn_heap_malloc(arn_heap *heap, size_t size) ARN_ATTR_MALLOC ARN_ATTR_SIZE(2);
ARN_API void *arn_heap_calloc(arn_heap *heap, size_t count, size_t size) ARN_ATTR_MALLOC
    ARN_ATTR_SIZE2(2, 3);
ARN_API void *arn_heap_realloc(arn_heap *heap, void *block, size_t size)
    __attribute__((warn_unused_result)) ARN_ATTR_SIZE(3);
ARN_API void *arn_heap_aligned_alloc(arn_heap *heap, size_t alignment, size_t size)
    __attribute__((warn_unused_result)) ARN_ATTR_SIZE(3);
ARN_API void arn_heap_free(arn_heap *heap, void *block);

/* Gives back to the operating system, now, all free pages that the runtime can reach: of the
 * calling thread's heap, of orphans, and of arenas. keep_bytes of free pools may stay. Returns the
 * bytes given back (malloc_trim(3)). Any thread; the caller's heap takes part when it is attached
 * to the runtime. */
ARN_API size_t arn_trim(arn_runtime *runtime, size_t keep_bytes);

/* What malloc does on the way now and then, for a program that calls no malloc for a while: drains
 * what waits for the calling thread and for some whose thread has ended, and gives back what has been free
 * for the purge delay, a slice of it (some hundred microseconds). Call it from an idle loop. Returns the bytes given back; 0 does
 * not mean that nothing is left, since free pages are looked at twice, the delay apart. Any thread;
 * the caller's heap takes part when it is attached to the runtime. */
ARN_API size_t arn_idle(arn_runtime *runtime);

ARN_END_DECLS
#endif
