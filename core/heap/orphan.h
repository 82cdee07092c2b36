/* orphan.h - memory of threads that are gone.
 *
 * An orphan's blocks live on and are freed to its inbox. Three ways lead back: a new thread adopts
 * the whole heap (arn_heap_adopt); a thread that would need a fresh pool drains orphans' inboxes
 * and takes a used pool of theirs; and whoever pushes an orphan's inbox past 64 KiB drains it.
 *
 * Frozen heaps are those of threads that fork left in the parent: their lists may have been in the
 * middle of a change, so their pools are never touched. What is freed to them is taken over from
 * their inboxes (takeover.h).
 */
#ifndef ARN_HEAP_ORPHAN_H
#define ARN_HEAP_ORPHAN_H

#include "heap.h"

/* Looks for a used pool of the class among orphans; true when heap->used[class] has it now. */
bool arn_scavenge(arn_heap *heap, uint32_t class);

/* Moves one used pool of the class from another heap, which is in the caller's hands, to the heap. */
bool arn_orphan_take_pool(arn_heap *heap, arn_heap *orphan, uint32_t class);

/* Drains one orphan's inbox if it is an orphan and nobody else does. */
void arn_orphan_drain(arn_heap *orphan);

/* Drains all orphans' inboxes and purges their pools; bytes given back by purging. */
size_t arn_orphans_tidy(arn_group *group);

/* The same for some of them, those whose turn it is, and of their pools only what is due. */
size_t arn_orphans_idle(arn_group *group);

#endif
