/* warm.h - heaps of threads that ended a moment ago, kept for the next threads as they were left.
 *
 * Where threads live briefly, most of what the heap does for them is to put a thread's few free blocks
 * back into pools, and the pools into arenas, at its end, and to fetch the same again for the next one.
 * So a heap keeps a little of what its bins hold when its thread ends, and whoever comes next adopts
 * it first. On the row `threadchurn` at 2 threads that is worth two thirds of the time
 * (docs/results.md).
 *
 *   LIVE --its thread ends--> WARM --a thread comes--> LIVE
 *                               \--the purge delay is over, or somebody asks--> ORPHAN
 *
 * A warm heap stands in one of the group's ARN_WARM_HEAPS places; whoever takes it out of there, by one
 * atomic exchange, has it for himself. The order of the two steps matters to fork alone: a heap that
 * is WARM and in no place was in somebody's hands, and is frozen in the child.
 *
 * What is kept is bounded, so it is no cost to a server: ARN_WARM_HEAPS heaps, and of each class
 * ARN_WARM_BYTES in blocks. It goes when the purge delay is over (whoever ticks next sees to it), and
 * at once when malloc would be refused, when too much is freed to it, and when the heap is trimmed, checked,
 * walked or counted: what these see of an ended thread is an orphan.
 */
#ifndef ARN_HEAP_WARM_H
#define ARN_HEAP_WARM_H

#include "heap.h"

/* The bytes of blocks that a warm heap's bin of one class may hold. */
#define ARN_WARM_BYTES 2048

/* The owner's thread ends: false when its heap is not to stay warm, because the thread did not live briefly
 * or all places are taken. Otherwise it is warm, or became an orphan after all, and the caller's no more. */
bool arn_warm_put(arn_heap *heap);

/* A warm heap, which is the caller's now; NULL when there is none. */
arn_heap *arn_warm_take(arn_group *group);

/* Makes an orphan of one warm heap that has been so for the purge delay; false when there is none. */
bool arn_warm_tick(arn_group *group, uint64_t now);

/* Makes an orphan of this one, if it is warm still. Any thread. */
void arn_warm_end_one(arn_heap *heap);

/* Makes orphans of all warm heaps. Any thread. */
void arn_warm_end(arn_group *group);

/* Moves one used pool of the class from a warm heap to the heap. */
bool arn_warm_scavenge(arn_heap *heap, uint32_t class);

/* In the child of a fork: counts the warm heaps, and clears places that were being emptied. */
uint32_t arn_warm_after_fork(arn_group *group);

/* Whether the heap is in a place. */
bool arn_warm_has(const arn_group *group, const arn_heap *heap);

#endif
