/* pool.h - the slot table and the pool table: two descriptors per pool-sized slot of the address space.
 *
 * What a free asks of an address, by any thread, is in the slot's (arn_slot): it changes when the slot
 * is taken, given back, or gets another owner. What the owner counts all the time is in the pool's
 * (arn_pool), on lines of their own: otherwise a thread that frees another's blocks would wait for
 * lines that the other one writes. A slot's is short, so that those of a program's whole working set stay
 * in the nearest cache, and says where to go on, so that a free computes little: what else it executes keeps
 * the caller's next loads out of the processor's window.
 *
 * A pool is a power-of-two run of slots cut into blocks of one size class, blocks first to last
 * from its first byte. The descriptors lie in a table of their own, so that the data holds no
 * metadata and a block's pool is arithmetic on its address. At any time a block of a pool is
 *
 *   untouched   never handed out since the memory was fresh (index >= carved)
 *   purged      free, unlinked, its page given back to the system
 *   free        on the pool's own list
 *   outstanding everything else: allocated, in a bin, or waiting in a batch or an inbox
 *
 * Invariants (arn_check asserts them):
 *
 *   outstanding + free + purged + untouched == capacity
 *   outstanding == floor + until
 *
 * until counts down by one at each free and reaches 0 at the pool's next event, so that arn_free
 * has one test; floor is how many blocks are still outstanding then.
 *
 *   state   on                            floor                  event when until reaches 0
 *   FULL    no list                       capacity - capacity/8  becomes USED
 *   USED    heap->used[class], a ring     0                      becomes EMPTY
 *   EMPTY   (on its way to its arena)     0
 *
 *   EMPTY -> USED (taken from an arena) -> FULL (all its blocks are taken)
 *   FULL -> USED (enough blocks were freed) -> EMPTY (all freed)
 *
 * In the ring a used pool goes to the front when it gets a free block, and to the back when a refill
 * leaves it with untouched or purged ones only. In the textbook geometry USED pools serve malloc
 * where they are (refill_textbook.c), and a full pool's floor is capacity - 1.
 */
#ifndef ARN_HEAP_POOL_H
#define ARN_HEAP_POOL_H

#include <arenite/heap.h>

#include "atomics.h"
#include "classes.h"
#include "link.h"
#include "space.h"

typedef enum arn_slot_kind {
  ARN_SLOT_NONE,   /* free, or the later part of a run of arenas */
  ARN_SLOT_POOL,   /* first slot of a pool */
  ARN_SLOT_INSIDE, /* later slot of a pool: offset slots behind the first */
  ARN_SLOT_SPAN,   /* first slot of a span of whole slots, one block */
  ARN_SLOT_KEPT,   /* first slot of a free run of slots that a heap keeps (kept.c) */
  ARN_SLOT_RUN,    /* first slot of a run of whole arenas, one block */
} arn_slot_kind;

typedef enum arn_pool_place {
  ARN_PLACE_EMPTY,
  ARN_PLACE_USED,
  ARN_PLACE_FULL,
} arn_pool_place;

typedef struct arn_slot arn_slot;
typedef struct arn_pool arn_pool;

/* const while the slot is in use, but for the owner; the thread that frees a block got it from one that
 * saw them. All but kind are right in all slots of a pool. */
struct arn_slot {
  /* Any thread reads (arn_free relaxed, to compare; arn_pool_owner with acquire); the owner writes,
   * or whoever claimed the owner when that is an orphan, with release. NULL when the slot is in no
   * pool; the same in all slots of one. */
  _Atomic(arn_heap *) owner;
  uint32_t magic, bias; /* arn_begins_block */
  uint16_t bin;         /* where in a heap the class's bin is, in bytes */
  _Atomic uint8_t class;
  _Atomic uint8_t kind;   /* arn_slot_kind; spans and runs: exchanged by the thread that frees */
  _Atomic uint8_t offset; /* of an INSIDE slot */
  _Atomic uint8_t
      kin; /* whose bins the blocks may lie in, beside the owner's (kin.h); 0: nobody's */
};

/* In use in the first slot of a pool; until and floor also in that of a span or a run. Owner only;
 * statistics read some, which is why their access is relaxed. */
struct arn_pool {
  _Alignas(64) void *free; /* this pool's own list, linked through the blocks' first words */
  _Atomic uint32_t until;
  _Atomic uint32_t floor;
  _Atomic uint16_t carved; /* blocks that are not untouched */
  _Atomic uint16_t purged; /* blocks */
  _Atomic uint8_t place;   /* arn_pool_place */
  bool resident;           /* all its slots may hold pages since before it was opened */
  uint32_t seen;           /* outstanding blocks when purging last looked */
  uint64_t purged_pages;   /* bit i: the pool's ith system page is purged */
  arn_pool *next, *prev;   /* ring of heap->used[class] */
  const char *end;         /* of the blocks that are not untouched */
};
_Static_assert(sizeof(arn_pool) == 64, "one descriptor, one cache line");

/* The descriptor of the slot that a pool begins in. */
static inline arn_slot *arn_pool_slot(const arn_pool *pool) {
  return &arn_space.slots[pool - arn_space.pools];
}

static inline uint32_t arn_pool_class(const arn_pool *pool) {
  return load_relaxed(&arn_pool_slot(pool)->class);
}

/* Number of a slot and the addresses around it. */
static inline size_t arn_slot_of(const void *address) {
  return ((uintptr_t)address - arn_space.base) >> ARN_POOL_SHIFT;
}
static inline char *arn_pool_base(const arn_pool *pool) {
  return (char *)arn_space.base + ((size_t)(pool - arn_space.pools) << ARN_POOL_SHIFT);
}
static inline uint32_t arn_pool_arena(const arn_pool *pool) {
  return (uint32_t)((size_t)(pool - arn_space.pools) / ARN_POOLS_PER_ARENA);
}

/* Whether an address in the slot is that of a block, used or not: how far it is behind the start of the
 * pool is a multiple of the block size. By one multiplication: with magic = ceil(2^32 / size), exactly the
 * multiples have a product below magic (Lemire, Kaser, Kurz: Faster remainder by direct computation,
 * 2019). It holds while distance and size have at most 32 bits together, which those of every pool
 * have. All that is modulo 2^32, so the start's part of the product is known beforehand: bias. */
static inline bool arn_begins_block(const arn_slot *slot, const void *address) {
  return (uint32_t)(uintptr_t)address * slot->magic - slot->bias < slot->magic;
}

/* The owner, for who is going to look into it: it may be a heap that was opened after the caller's
 * block was allocated, and took the pool over. Pairs with the release of who made it the owner. */
static inline arn_heap *arn_pool_owner(const arn_pool *pool) {
  return load_acquire(&arn_pool_slot(pool)->owner);
}

/* The pool that an address is in, whichever of its slots it is in; NULL when it is in none. */
static inline arn_pool *arn_pool_of(const void *address) {
  size_t number = arn_slot_of(address);
  if (number >= arn_slots_in_use())
    return NULL;
  arn_slot *slot = &arn_space.slots[number];
  if (load_relaxed(&slot->kind) == ARN_SLOT_INSIDE)
    slot -= load_relaxed(&slot->offset);
  return load_relaxed(&slot->kind) == ARN_SLOT_POOL ? &arn_space.pools[slot - arn_space.slots]
                                                    : NULL;
}

static inline uint32_t arn_pool_outstanding(const arn_pool *pool) {
  return load_relaxed(&pool->floor) + load_relaxed(&pool->until);
}

/* The slot is nobody's. */
static inline void arn_slot_forget(arn_slot *slot) {
  store_relaxed(&slot->kin, 0);
  store_relaxed(&slot->owner, NULL);
  store_relaxed(&slot->kind, ARN_SLOT_NONE);
}

/* Makes heap the owner, in all slots of the pool. */
void arn_pool_give_to(arn_pool *pool, arn_heap *heap);

/* Makes the slots a pool of a class, owned by heap; EMPTY, everything untouched. */
void arn_pool_open(arn_pool *pool, arn_heap *heap, uint32_t class);

/* Forgets the pool: its slots are nobody's. Nothing may be outstanding. */
void arn_pool_close(arn_pool *pool);

/* Links untouched blocks and returns them as a list; NULL when none is left: at most limit, and unless the
 * pool is resident, at most those that begin on one system page. They count as outstanding afterwards. */
void *arn_pool_carve(arn_pool *pool, uint32_t limit);

/* Gives the pages of the pool that hold only free blocks back to the system and unlinks those
 * blocks. Returns the bytes given back. */
size_t arn_pool_purge(arn_pool *pool);

/* Whether the block is one of the purged. */
bool arn_pool_block_purged(const arn_pool *pool, uint32_t block);

/* Undoes the purge of one page: returns its blocks as a list, outstanding; NULL when no page of the
 * pool is purged. */
void *arn_pool_unpurge(arn_pool *pool);

/* Ends the process: block, handed to function, is none of the pool's allocated blocks. */
_Noreturn void arn_pool_reject(const arn_pool *pool, const void *block, const char *function)
    __attribute__((cold));

/* Ends the process unless block, an address in the pool, is the start of one. */
static inline void arn_pool_verify(const arn_pool *pool, const void *block, const char *function) {
  if (unlikely(!arn_begins_block(arn_pool_slot(pool), block)))
    arn_pool_reject(pool, block, function);
}

#endif
