/* takeover.h - blocks that wait for an owner who does not come.
 *
 * What is freed to a heap by other threads waits in its inbox until its own thread allocates. A
 * thread that sleeps leaves it there for as long as it sleeps; the thread of a frozen heap (fork) is
 * not even in this process. So a heap that would make memory grow takes such an inbox over, all of
 * it, sorts the blocks into its stash, and hands them out itself: no handshake is needed, because
 * their owner counts them as outstanding all the while. Freed again, they stay with that heap, as its
 * own do, until it settles or takes over another inbox.
 *
 * Only from owners that sleep: taking from one that runs would make it need fresh pools in its turn
 * (a prototype that did was up to 1.8 times as slow). A thread sleeps that is on no processor: that is
 * asked of the system, and only for an inbox of 32 KiB and more, which a thread that runs seldom lets come
 * together; and more and more seldom while the answer is no.
 *
 * All functions are the owner's of the heap that takes.
 */
#ifndef ARN_HEAP_TAKEOVER_H
#define ARN_HEAP_TAKEOVER_H

#include "heap.h"

/* Looks for blocks of the class in inboxes that nobody drains; true when the stash has some. At most
 * ARN_DRAIN_SLICE blocks are sorted; the rest of what was taken waits for the next call. */
bool arn_take_over(arn_heap *heap, uint32_t class);

/* Sends what was taken and not sorted back to where it was. */
void arn_taken_return(arn_heap *heap);

#endif
