/* link.h - the link in a free block's first word.
 *
 * Everything that lists blocks through their first words goes through these two functions: pools'
 * lists, bins, stashes, batches, inboxes. In the normal build they are a load and a store.
 *
 * In the hardened build what is stored is mixed with a random number of the process and with the
 * block's address, as in glibc's safe-linking and in mimalloc. Who writes into a freed block does not
 * know what to write to make malloc return an address of his choice; what he writes comes out as no
 * address of a block, and the process ends. The address is mixed in with its bytes turned round: those
 * in front, which all blocks have in common, would otherwise cancel out those of the link.
 */
#ifndef ARN_HEAP_LINK_H
#define ARN_HEAP_LINK_H

#include "hardened.h"
#include "space.h"

#if ARN_HARDENED

/* const after arn_link_start */
extern uintptr_t arn_link_key;

/* Chooses the number. Before any block is linked. */
void arn_link_start(void);

/* Ends the process: block's link was overwritten. */
_Noreturn void arn_link_broken(const void *block) __attribute__((cold));

static inline void *arn_link_mix(const void *block, void *link) {
  return (void *)((uintptr_t)link ^ arn_link_key ^ __builtin_bswap64((uintptr_t)block));
}

static inline void *arn_link_get(const void *block) {
  void *next = arn_link_mix(block, *(void *const *)block);
  size_t slot = ((uintptr_t)next - arn_space.base) >> ARN_POOL_SHIFT;
  if (next && __builtin_expect(slot >= arn_slots_in_use() || (uintptr_t)next % ARN_STEP != 0, 0))
    arn_link_broken(block);
  return next;
}

static inline void arn_link_set(void *block, void *next) {
  *(void **)block = arn_link_mix(block, next);
}

#else

static inline void arn_link_start(void) {}

static inline void *arn_link_get(const void *block) {
  return *(void *const *)block;
}

static inline void arn_link_set(void *block, void *next) {
  *(void **)block = next;
}

#endif

#endif
