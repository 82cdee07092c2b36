/* obmalloc_model.h - CPython's small-object allocator as rules, without any memory behind it.
 *
 * Written from the rules of Objects/obmalloc.c (CPython 3.8), not from Arenite's code, so that the
 * two can be compared. A place is what a malloc returns: the number of the arena, of the pool in
 * the arena, and the offset in the pool.
 *
 *   1. Take a block of the head pool of usedpools[class]: the block freed last in that pool, or,
 *      when it has none, its first untouched one. A pool that becomes full leaves usedpools.
 *   2. No pool there: take an empty pool of the first usable arena: the one that became empty last,
 *      or, when none ever did, the arena's first pool that was never used.
 *   3. No usable arena: take a new one. The lowest unused number is its number.
 *   4. A freed block goes to the front of its pool's list. A full pool goes to the front of
 *      usedpools; a pool with no block in use leaves usedpools and goes to the front of its arena's
 *      freepools.
 *   5. Usable arenas are sorted, the fewest free pools first; an arena that got a free pool more
 *      stands before those that have the same number (what nfp2lasta does in CPython).
 *   6. An arena with all pools free is given back at once, and its number is unused again. (CPython
 *      reuses arena numbers last in, first out; numbers are not addresses there.)
 *
 * Two things differ from CPython, because Arenite's pools keep no header in the data: blocks start
 * at offset 0, and all 64 pools of an arena are used. A third is a choice, MODEL_KEEPS_LIST.
 */
#ifndef ARENITE_TESTS_OBMALLOC_MODEL_H
#define ARENITE_TESTS_OBMALLOC_MODEL_H

#include <stddef.h>
#include <stdint.h>

/* CPython does not initialise an empty pool that is taken again for the class it had last, so the
 * order of its old list goes on. Arenite starts afresh, with ascending offsets (0). */
#define MODEL_KEEPS_LIST 0

enum {
  MODEL_ARENAS = 320,
  MODEL_POOLS = 64,
  MODEL_POOL_SIZE = 4096,
  MODEL_STEP = 8,
  MODEL_CLASSES = 64,
  MODEL_BLOCKS = MODEL_POOL_SIZE / MODEL_STEP,
};

struct model_place {
  uint16_t arena, pool, offset;
};

struct model_pool {
  int16_t size_class; /* of its last use; -1: never used */
  uint16_t used;      /* blocks in use */
  uint16_t freed;     /* entries of list, the last one is the front */
  uint16_t untouched; /* number of the first untouched block */
  uint16_t list[MODEL_BLOCKS];
};

struct model_arena {
  uint16_t free_pools; /* emptied ones and never used ones */
  uint16_t never_used; /* number of the first pool that was never used */
  uint16_t emptied;    /* entries of freepools, the last one is the front */
  uint16_t freepools[MODEL_POOLS];
  int held;
  struct model_pool pools[MODEL_POOLS];
};

struct model {
  struct model_arena arenas[MODEL_ARENAS];
  uint16_t usable[MODEL_ARENAS]; /* sorted; the first is taken first */
  unsigned usable_count;
  /* usedpools: arena * MODEL_POOLS + pool; the last one is the head. */
  uint16_t usedpools[MODEL_CLASSES][MODEL_ARENAS * MODEL_POOLS];
  unsigned usedpools_count[MODEL_CLASSES];
  unsigned held, reclaimed;
};

/* A model with nothing in it, from calloc. */
struct model *model_create(void);
struct model_place model_malloc(struct model *model, size_t size);
void model_free(struct model *model, struct model_place place);

#endif
