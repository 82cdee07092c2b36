/* large.h - blocks above the medium limit.
 *
 *   size                        what                        given back
 *   .. an arena                 span: whole slots           to the arena's word
 *   .. 32 MiB                   run of whole arenas         to the arenas' words
 *   above, or no arenas left    a mapping of its own        to the system, at once (huge.c)
 *
 * None has an owner: any thread frees them, by one atomic operation on the arena's word, or into
 * the few free runs of slots that its heap keeps (kept.h). The first slot's descriptor says what the block is; until
 * counts its slots or arenas.
 *
 * In the textbook geometry everything above the small limit goes to the system heap instead
 * (large_system.c), as CPython does.
 */
#ifndef ARN_HEAP_LARGE_H
#define ARN_HEAP_LARGE_H

#include "heap.h"

/* size bytes at a multiple of align (a power of two, at least 16); NULL with errno when out of
 * memory. *clean says on entry that the caller wants zeros, and afterwards that the block has them.
 */
void *arn_large_alloc(arn_heap *heap, size_t size, size_t align, bool *clean);

/* Frees block if it is a large one; false when it is not. */
bool arn_large_free(arn_heap *heap, void *block, const char *function);

/* Its size, or 0 when it is none. */
size_t arn_large_size(const void *block);

/* Resizes in place or by moving pages, without copying; the new address, or NULL when only copying
 * would do it (errno unchanged). The block must be a large one. */
void *arn_large_resize(arn_heap *heap, void *block, size_t size);

#endif
