/* kept.h - free runs of slots that a heap keeps for its next pools and spans.
 *
 * Taking slots from an arena and giving them back are atomic operations on words that all threads
 * write. What a heap gives back and soon wants again goes no further than here: a few runs of at
 * most ARN_KEPT_BYTES each, in place of the oldest. They go with arn_kept_release: when the heap
 * has been idle for the purge delay, before memory grows past its peak (gather.h), when it is trimmed, and
 * when its thread ends.
 *
 * All functions are the owner's. A kept slot's descriptor is KEPT, and until counts the slots.
 */
#ifndef ARN_HEAP_KEPT_H
#define ARN_HEAP_KEPT_H

#include "heap.h"

/* Whether the heap keeps such a run: of its own arenas, and not too long. */
bool arn_kept_wants(const arn_heap *heap, const arn_pool *head, uint32_t slots);

/* Keeps a run whose first slot is KEPT already. */
void arn_kept_put(arn_heap *heap, arn_pool *head, uint32_t slots);

/* A run of so many slots, at a multiple of step slots; NULL when there is none. */
arn_pool *arn_kept_take(arn_heap *heap, uint32_t slots, uint32_t step);

/* Gives all of them back to their arenas. */
void arn_kept_release(arn_heap *heap);

#endif
