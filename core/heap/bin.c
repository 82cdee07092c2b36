/* bin.c - see bin.h. */
#include "bin.h"

#include "heap.h"
#include "kin.h"
#include "remote.h"
#include "takeover.h"
#include "shuffle.h"

/* The number of frees after which a full pool is used again. */
static uint32_t used_threshold(uint32_t capacity) {
  return capacity >= 8 ? capacity / 8 : 1;
}

static void set_fill(const arn_heap *heap, arn_bin *bin, uint32_t blocks) {
  bin->fill = arn_fill(blocks, bin->most, heap->frees_until_look);
}

/* How many blocks the bin may have, twice as many as it did, up to a limit. */
static void double_most(const arn_heap *heap, arn_bin *bin, uint32_t limit) {
  uint32_t blocks = arn_bin_blocks(bin), twice = 2u * bin->most; /* fill is about the old one */
  bin->most = (uint16_t)(twice < limit ? twice : limit);
  set_fill(heap, bin, blocks);
}

void arn_bins_open(arn_heap *heap) {
  heap->frees_until_look = ARN_BUSY_FREES;
  for (uint32_t class = 0; class < ARN_CLASSES; class ++) {
    arn_bin *bin = &heap->bins[class];
    bin->list = NULL;
    bin->most = (uint16_t)arn_bin_first(class);
    set_fill(heap, bin, 0);
  }
}

/* --- From a bin to the pools ----------------------------------------------------------------- */

/* The tables of the address space, which never change; the compiler cannot know that. */
typedef struct tables {
  uintptr_t base;
  arn_slot *slots;
  arn_pool *pools;
} tables;

static inline tables the_tables(void) {
  return (tables){arn_space.base, arn_space.slots, arn_space.pools};
}

/* A block of the class goes to its pool, or to its owner. */
static inline void send_home(arn_heap *heap, uint32_t class, uint32_t size, tables t, void *block) {
  size_t number = ((uintptr_t)block - t.base) >> ARN_POOL_SHIFT;
  arn_slot *slot = &t.slots[number];
  arn_pool *pool = &t.pools[number - load_relaxed(&slot->offset)];
  arn_heap *owner = load_relaxed(&slot->owner);
  if (likely(owner == heap)) {
    arn_pool_put(heap, pool, block, "free");
  } else if (owner == heap->taken_from && heap->stashed + size <= heap->stash_most) {
    /* It slept: what was taken over from it stays here until the heap settles, but no more than that. It
     * may be awake again, and allocate what this thread frees. */
    heap->stashed += size;
    arn_link_set(block, heap->stash[class]);
    heap->stash[class] = block;
  } else {
    arn_remote_free(heap, pool, block);
  }
}

void arn_bin_shorten(arn_heap *heap, uint32_t class, uint32_t keep) {
  arn_bin *bin = &heap->bins[class];
  uint32_t blocks = arn_bin_blocks(bin);
  if (blocks <= keep)
    return;
  uint32_t size = arn_classes[class].size;
  tables t = the_tables();
  void *block = bin->list;
  for (void *next; blocks > keep; block = next, blocks--) {
    next = arn_link_get(block);
    send_home(heap, class, size, t, block);
  }
  bin->list = block;
  set_fill(heap, bin, keep);
}

void arn_bin_settle(arn_heap *heap, uint32_t class) {
  arn_bin_shorten(heap, class, 0);
  heap->bins[class].most = (uint16_t)arn_bin_first(class);
  heap->bins[class].turns = heap->bins[class].overflows = 0;
  set_fill(heap, &heap->bins[class], 0);
}

void arn_stash_settle(arn_heap *heap) {
  arn_taken_return(heap);
  heap->taken_from = NULL; /* what is left of it goes home, too */
  for (uint32_t class = 1; class < ARN_CLASSES; class ++) {
    void *block = heap->stash[class];
    heap->stash[class] = NULL;
    for (void *next; block; block = next) {
      next = arn_link_get(block);
      send_home(heap, class, arn_classes[class].size, the_tables(), block);
    }
  }
  heap->stashed = heap->stash_most = 0;
}

/* After so many overflows, or turns, a bin may have more than binned; then twice as many again after
 * further turns. The first are high because threads that live shorter, and then wait, would keep all that
 * to themselves: with 64 and 32, the row `blocked` takes a tenth more memory. */
#define OVERFLOWS 128
#define TURNS 64
#define TURNS_AGAIN 8

/* Blocks that a bin which is too long gives away at a time: few enough for the links between them to be
 * in the nearest cache still, since each is read before the next can be. With half of what a bin of small
 * blocks may have, all that `phases` frees at its end took twice as long. */
#define PART 64

static void overflow(arn_heap *heap, uint32_t class) {
  arn_bin *bin = &heap->bins[class];
  const arn_class *k = &arn_classes[class];
  uint32_t blocks = arn_bin_blocks(bin), part = bin->most / 2 + 1;
  uint64_t sent = load_relaxed(&heap->remote_frees);
  part = part > PART ? PART : part;
  arn_bin_shorten(heap, class, blocks - part);
  bool turned = bin->emptied;
  bin->emptied = false;
  if (!turned && load_relaxed(&heap->remote_frees) - sent > part / 2)
    arn_kin_forget(heap);
  if (bin->most >= k->turning || bin->most < k->binned)
    return; /* it cannot grow; or it doubles whenever it is empty */
  bin->overflows++;
  bin->turns += turned;
  bool turns = bin->turns >= (bin->most == k->binned ? TURNS : TURNS_AGAIN);
  if (!turns && bin->overflows < OVERFLOWS)
    return;
  bin->overflows = bin->turns = 0;
  uint32_t limit = turns ? k->turning : k->overfull;
  if (bin->most < limit)
    double_most(heap, bin, limit);
}

__attribute__((noinline)) void arn_bin_event(arn_heap *heap, arn_bin *bin) {
  if (bin->fill & ARN_FILL_TOO_MANY)
    overflow(heap, (uint32_t)(bin - heap->bins));
  arn_heap_tick(heap);
  set_fill(heap, bin, arn_bin_blocks(bin));
}

/* --- From the pools to a bin ----------------------------------------------------------------- */

/* A pool that is on no list goes where it belongs: USED when there is something to take from it,
 * behind those that have free blocks if it has none itself; FULL otherwise. */
static void put_aside(arn_heap *heap, arn_pool *pool) {
  uint32_t capacity = arn_classes[arn_pool_class(pool)].capacity;
  if (pool->free) {
    arn_used_push_front(heap, pool);
    return;
  }
  if (load_relaxed(&pool->carved) < capacity || load_relaxed(&pool->purged)) {
    arn_used_push_back(heap, pool);
    return;
  }
  uint32_t threshold = used_threshold(capacity);
  store_relaxed(&pool->place, ARN_PLACE_FULL);
  store_relaxed(&pool->floor, capacity - threshold);
  store_relaxed(&pool->until, threshold);
}

/* Moves at most so many blocks from a list to the bin, which is empty. */
static uint32_t move(arn_heap *heap, arn_bin *bin, void **list, uint32_t most) {
  void *rest = *list, *last = NULL;
  uint32_t blocks = 0;
  for (; blocks < most && rest; blocks++) {
    last = rest;
    rest = arn_link_get(rest);
  }
  if (blocks) {
    bin->list = *list;
    *list = rest;
    arn_link_set(last, NULL);
  }
  set_fill(heap, bin, blocks);
  return blocks;
}

/* Pools looked at for a free block. Those that have one stand before the others; but purging turns the
 * ring, and may have left it so that some of the others come first. */
#define POOLS_A_LOOK 8

/* The next used pool that has a free block, in the ring no more; NULL when none is found. */
static arn_pool *next_with_free(arn_heap *heap, uint32_t class) {
  arn_pool *next = heap->used[class];
  for (uint32_t i = 0; next && i < POOLS_A_LOOK; i++, next = next->next) {
    if (!next->free)
      continue;
    arn_used_remove(heap, next);
    return next;
  }
  return NULL;
}

/* Moves the free blocks of a pool to the bin, which is empty: all of them if the class's bins may
 * hold as many, so that nothing has to be counted block by block. */
static void move_free(arn_heap *heap, arn_bin *bin, arn_pool *pool, uint32_t half) {
  uint32_t outstanding = load_relaxed(&pool->until); /* floor is 0 while USED */
  uint32_t blocks = load_relaxed(&pool->carved) - load_relaxed(&pool->purged) - outstanding;
  if (blocks <= arn_classes[arn_pool_class(pool)].binned) {
    bin->list = pool->free;
    pool->free = NULL;
    if (bin->most < blocks)
      bin->most = (uint16_t)blocks;
    set_fill(heap, bin, blocks);
  } else {
    blocks = move(heap, bin, &pool->free, half);
  }
  store_relaxed(&pool->until, outstanding + blocks);
}

bool arn_bin_refill(arn_heap *heap, uint32_t class) {
  arn_bin *bin = &heap->bins[class];
  uint32_t half = bin->most / 2 + 1;
  bin->emptied = true;
  if (bin->most < arn_classes[class].binned)
    double_most(heap, bin, arn_classes[class].binned);
  arn_pool *pool = next_with_free(heap, class);
  if (pool) {
    move_free(heap, bin, pool, half);
    bin->list = arn_shuffle(heap, bin->list);
    pool->seen = 0;
    put_aside(heap, pool);
    return true;
  }
  if (heap->stash[class]) {
    heap->stashed -= move(heap, bin, &heap->stash[class], half) * (size_t)arn_classes[class].size;
    return true;
  }
  /* A used pool that has nothing but untouched or purged blocks. */
  pool = heap->used[class];
  if (!pool)
    return false;
  arn_used_remove(heap, pool);
  void *list = arn_pool_carve(pool, half);
  if (!list)
    list = arn_pool_unpurge(pool);
  pool->seen = 0;
  put_aside(heap, pool);
  list = arn_shuffle(heap, list);
  return move(heap, bin, &list, UINT32_MAX) != 0;
}
