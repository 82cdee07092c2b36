/* remote.h - freeing blocks that another heap owns.
 *
 *   free on thread A          A's batch for heap B         B's inbox          B's pools
 *   ----------------> block --(64 blocks or 4 KiB)--> one push --(B's refill)--> lists
 *
 * The inbox is a stack that is pushed by compare-and-swap and emptied by exchange, so it has no ABA
 * problem and needs no tags. A block keeps counting as outstanding until its pool's owner drains
 * it. Pools may change owner (orphan.c) while blocks are under way: whoever drains looks at each
 * block's owner and forwards what is not his. So no block is ever lost, whichever heap it reaches.
 *
 *   arn_remote_free, arn_batches_send   the owner of the batches
 *   arn_inbox_push                      any thread
 *   arn_inbox_drain                     the owner, or who claimed the heap
 *
 * All of them may run at the same time as each other.
 */
#ifndef ARN_HEAP_REMOTE_H
#define ARN_HEAP_REMOTE_H

#include "heap.h"

/* Frees a block of a pool that is not heap's. heap has a thread. */
void arn_remote_free(arn_heap *heap, arn_pool *pool, void *block);

/* The same by a thread that holds nothing: straight to the owner's inbox. */
void arn_inbox_push(arn_heap *owner, void *first, void *last, size_t bytes);

/* Sends all batches. */
void arn_batches_send(arn_heap *heap);

/* Puts at most limit of the blocks in the heap's inbox into its pools; forwards those of others.
 * Returns how many blocks. */
uint32_t arn_inbox_drain(arn_heap *heap, uint32_t limit);

/* What one malloc drains at most: some tens of microseconds. */
#define ARN_DRAIN_SLICE 1024

/* Bytes in the heap's batches: owner, or a quiet runtime. */
size_t arn_batches_bytes(const arn_heap *heap);

/* The group's deferred work is over its budget: does what anybody may do about it. */
void arn_deferred_relieve(arn_heap *heap);

#endif
