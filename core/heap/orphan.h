/* orphan.h - memory of threads that are gone.
 *
 * An orphan's blocks live on and are freed to its inbox. Three ways lead back: a new thread adopts
 * the whole heap (arn_heap_adopt); a thread that would need a fresh pool drains orphans' inboxes
 * and takes a used pool of theirs; and whoever pushes an orphan's inbox past 64 KiB drains it.
 *
 * Frozen heaps are those of threads that fork left in the parent: their lists may have been in the
 * middle of a change, so their pools are never touched. What is freed to them is taken over from
 * their inboxes block by block and handed out again by whoever needs it.
 */
#ifndef ARN_HEAP_ORPHAN_H
#define ARN_HEAP_ORPHAN_H

#include "heap.h"

/* Looks for memory of the class among orphans and frozen heaps; true when heap->stash[class]
 * or heap->used[class] has something now. */
bool arn_scavenge(arn_heap *heap, uint32_t class);

/* Drains one orphan's inbox if it is an orphan and nobody else does. */
void arn_orphan_drain(arn_heap *orphan);

/* Drains all orphans' inboxes and purges their pools; bytes given back by purging. */
size_t arn_orphans_tidy(arn_group *group);

#endif
