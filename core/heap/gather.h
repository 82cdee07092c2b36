/* gather.h - before memory grows past its peak, what lies in a heap's bins goes to their pools.
 *
 * Blocks in bins keep pools from being empty. Where memory has been before, that is what bins are for: the
 * blocks are wanted again. But a heap that is about to take slots beyond the most that its arenas ever had
 * resident empties its bins, but for those of small blocks, and lets go of the runs that it keeps; and the
 * pools that become empty are taken first. Emptying a bin costs about what filling it did, so a heap does it
 * once for so many slots that it has taken; one whose memory goes up and down below its peak never does.
 *
 * The owner's.
 */
#ifndef ARN_HEAP_GATHER_H
#define ARN_HEAP_GATHER_H

#include "heap.h"

/* The heap is about to take so many slots. fits: any that are free will do, so that memory does not grow
 * while there are as many that hold pages already; false when none of these were found to suit. */
void arn_gather(arn_heap *heap, uint32_t slots, bool fits);

#endif
