/* check.c - arn_check: every invariant of a group's heaps, asserted.
 *
 * By number, as the messages name them:
 *   1  every taken slot belongs to a pool, a span or a run; all slots of these are taken
 *   2  outstanding + free + purged + untouched == capacity, outstanding == floor + until
 *   3  every free block is the start of a block that is not untouched, and is on the list once
 *   4  a pool's place agrees with the one list that it is on
 *   5  a heap's bins hold blocks of their class, of the heaps of the runtime, as many as they count
 *   6  an inbox's bytes are what its counter says; the group's are the sum
 *   7  arenas: hints where they belong, no slot both dirty and purged, the counters right
 *   8  every byte of the arenas has one name (stats.h)
 */
#include <arenite/inspect.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>

#include "elsewhere.h"
#include "kin.h"
#include "walk.h"
#include "warm.h"

typedef struct check {
  arn_group *group;
  int broken;
  char *message;
  size_t size;
  uint64_t arenas;
  arn_arenas *last_set; /* whose hints were checked last */
} check;

static void fail(check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(check *c, const char *format, ...) {
  if (c->broken++ || !c->message || !c->size)
    return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(c->message, c->size, format, arguments);
  va_end(arguments);
}

/* --- Pools ----------------------------------------------------------------------------------- */

#define MOST_BLOCKS (ARN_POOL_SIZE / ARN_STEP)

/* 3: counts the blocks of one list, each in the pool and seen for the first time. */
static uint32_t count_list(check *c, const arn_pool *pool, void *list, uint64_t *seen,
                           const char *whose) {
  const arn_class *k = &arn_classes[arn_pool_class(pool)];
  char *base = arn_pool_base(pool);
  uint32_t blocks = 0;
  for (void *block = list; block; block = arn_link_get(block)) {
    size_t offset = (size_t)((char *)block - base), index = offset / k->size;
    if (offset % k->size != 0 || index >= load_relaxed(&pool->carved)) {
      fail(c, "3: %p on %s list of pool %p is no block of %u bytes that was handed out", block,
           whose, (void *)base, k->size);
      return blocks;
    }
    if (seen[index / 64] >> index % 64 & 1) {
      fail(c, "3: %p is twice on %s list of pool %p", block, whose, (void *)base);
      return blocks;
    }
    seen[index / 64] |= UINT64_C(1) << index % 64;
    blocks++;
  }
  return blocks;
}

static bool in_ring(const arn_heap *heap, const arn_pool *pool) {
  const arn_pool *first = heap->used[arn_pool_class(pool)];
  for (const arn_pool *at = first; at; at = at->next == first ? NULL : at->next)
    if (at == pool)
      return true;
  return false;
}

static int check_pool(void *context, arn_pool *pool) {
  check *c = context;
  const arn_class *k = &arn_classes[arn_pool_class(pool)];
  arn_heap *owner = arn_pool_owner(pool);
  void *base = arn_pool_base(pool);
  if (!owner || owner->group != c->group) {
    fail(c, "1: pool %p has no owner in its runtime", base);
    return 0;
  }
  uint64_t taken = load_relaxed(&arn_space.arenas[arn_pool_arena(pool)].taken);
  for (uint32_t i = 0; i < k->slots; i++) {
    size_t slot = (size_t)(pool - arn_space.pools) + i;
    if (!(taken >> slot % ARN_POOLS_PER_ARENA & 1))
      fail(c, "1: slot %u of pool %p is not taken", i, base);
  }
  /* A fork may have frozen a pool that was being closed: nothing of it is out, and it stays as it is. */
  if (load_relaxed(&owner->state) == ARN_HEAP_FROZEN)
    return 0;
  for (uint32_t i = 0; i < k->slots; i++)
    if (load_relaxed(&arn_pool_slot(pool)[i].kin) != arn_kin_of_pools(owner, k->size))
      fail(c, "1: slot %u of pool %p has the wrong kin", i, base);

  uint64_t seen[(MOST_BLOCKS + 63) / 64] = {0};
  uint32_t free = count_list(c, pool, pool->free, seen, "the own");
  uint32_t carved = load_relaxed(&pool->carved), purged = load_relaxed(&pool->purged);
  uint32_t outstanding = arn_pool_outstanding(pool);
  if (outstanding + free + purged != carved || carved > k->capacity)
    fail(c,
         "2: pool %p of %u-byte blocks: %u outstanding + %u free + %u purged + %u untouched != %u",
         base, k->size, outstanding, free, purged, k->capacity - carved, k->capacity);
  if (pool->end != base + (size_t)carved * k->size)
    fail(c, "2: the blocks of pool %p end at %p, not after %u of %u bytes", base, pool->end, carved,
         k->size);
  switch ((arn_pool_place)load_relaxed(&pool->place)) {
  case ARN_PLACE_USED:
    if (!in_ring(owner, pool))
      fail(c, "4: used pool %p is not in its heap's ring", base);
    if (outstanding == 0)
      fail(c, "4: used pool %p has no outstanding block", base);
    break;
  case ARN_PLACE_FULL:
    if (pool->next || carved != k->capacity)
      fail(c, "4: full pool %p is on a list or has room", base);
    break;
  case ARN_PLACE_EMPTY:
    fail(c, "4: empty pool %p was not given back", base);
    break;
  }
  return 0;
}

static int check_stray(void *context, size_t slot) {
  fail(context, "1: slot %zu is taken by nothing", slot);
  return 0;
}

static int check_arena(void *context, uint32_t number, arn_arena *arena) {
  check *c = context;
  c->arenas++;
  arn_arenas *set = load_relaxed(&arena->home);
  if (set != c->last_set) {
    uint32_t wrong = arn_arenas_check(set);
    if (wrong)
      fail(c, "7: %u arenas have wrong hints or slots both dirty and purged", wrong);
    c->last_set = set;
  }
  uint64_t free = ~load_relaxed(&arena->taken);
  for (uint32_t i = 0; i < ARN_POOLS_PER_ARENA; i++) {
    arn_slot *slot = &arn_space.slots[(size_t)number * ARN_POOLS_PER_ARENA + i];
    if ((free >> i & 1) && (load_relaxed(&slot->kind) != ARN_SLOT_NONE ||
                            load_relaxed(&slot->owner) || load_relaxed(&slot->kin)))
      fail(c, "1: free slot %u of arena %u is described as in use", i, number);
  }
  return 0;
}

/* --- Heaps ----------------------------------------------------------------------------------- */

static int64_t check_inbox(check *c, arn_heap *heap) {
  int64_t bytes = 0;
  for (void *block = load_acquire(&heap->inbox); block; block = arn_link_get(block)) {
    arn_pool *pool = arn_pool_of(block);
    if (!pool) {
      fail(c, "6: %p in the inbox of heap %u is in no pool", block, heap->id);
      return bytes;
    }
    bytes += arn_classes[arn_pool_class(pool)].size;
  }
  for (void *block = heap->pending; block; block = arn_link_get(block))
    bytes += arn_classes[arn_pool_class(arn_pool_of(block))].size;
  for (arn_heap *by = load_acquire(&c->group->heaps); by; by = by->next_in_group)
    for (void *block = by->taken_from == heap ? by->taken : NULL; block;
         block = arn_link_get(block))
      bytes += arn_classes[arn_pool_class(arn_pool_of(block))].size;
  if (bytes != load_relaxed(&heap->inbox_bytes))
    fail(c, "6: the inbox of heap %u holds %lld bytes, its counter says %lld", heap->id,
         (long long)bytes, (long long)load_relaxed(&heap->inbox_bytes));
  return bytes;
}

/* 5: counts a list of blocks that the heap may hand out. */
static uint32_t count_bin(check *c, const arn_heap *heap, uint32_t class, void *list) {
  uint32_t blocks = 0;
  for (void *block = list; block; block = arn_link_get(block), blocks++) {
    arn_pool *pool = arn_pool_of(block);
    const arn_heap *owner = pool ? arn_pool_owner(pool) : NULL;
    if (!owner || arn_pool_class(pool) != class || owner->group != c->group) {
      fail(c, "5: %p in the bin of class %u of heap %u is not a block of that class", block, class,
           heap->id);
      break;
    }
  }
  return blocks;
}

static void check_bin(check *c, arn_heap *heap, uint32_t class) {
  const arn_bin *bin = &heap->bins[class];
  uint32_t blocks = count_bin(c, heap, class, bin->list);
  count_bin(c, heap, class, heap->stash[class]);
  if (blocks != arn_bin_blocks(bin))
    fail(c, "5: %u blocks in the bin of class %u of heap %u, its counter says %u", blocks, class,
         heap->id, arn_bin_blocks(bin));
}

static void check_heap(check *c, arn_heap *heap) {
  for (uint32_t class = 1; class < ARN_CLASSES; class ++) {
    check_bin(c, heap, class);
    const arn_pool *first = heap->used[class];
    for (const arn_pool *at = first; at; at = at->next == first ? NULL : at->next)
      if (arn_pool_class(at) != class || arn_pool_owner(at) != heap || at->next->prev != at ||
          load_relaxed(&at->place) != ARN_PLACE_USED) {
        fail(c, "4: the ring of class %u of heap %u is broken at pool %p", class, heap->id,
             (void *)arn_pool_base(at));
        break;
      }
  }
}

/* The background thread may give pages back at any time, and what it has claimed for that looks like
 * slots that nobody has: it is kept out. */
static void keep_purges_out(arn_group *group) {
  add_seq_cst(&group->checking, 1);
  while (load_seq_cst(&group->purging)) /* acquires what purges released */
    sched_yield();
}

static void let_purges_in(arn_group *group) {
  sub_release(&group->checking, 1);
}

int arn_check(arn_runtime *runtime, char *message, size_t size) {
  ARN_ELSEWHERE(check, runtime, message, size);
  if (message && size)
    *message = 0;
  arn_group *group = arn_runtime_group(runtime);
  check c = {.group = group, .message = message, .size = size};
  arn_warm_end(group); /* which purges */
  keep_purges_out(group);
  arn_warm_end(group); /* those that were in the background thread's hands */
  arn_walk walk = {&c, check_arena, check_pool, NULL, check_stray};
  arn_walk_arenas(group, &walk);

  int64_t deferred = 0;
  for (arn_heap *heap = load_acquire(&group->heaps); heap; heap = heap->next_in_group) {
    uint32_t state = load_relaxed(&heap->state);
    if (state == ARN_HEAP_VACANT)
      continue;
    deferred += check_inbox(&c, heap);
    if (state != ARN_HEAP_FROZEN)
      check_heap(&c, heap);
  }
  if (deferred != load_relaxed(&group->deferred))
    fail(&c, "6: %lld bytes are deferred, the counter says %lld", (long long)deferred,
         (long long)load_relaxed(&group->deferred));

  if (c.arenas != load_relaxed(&group->arenas_held))
    fail(&c, "7: %llu arenas are held, the counter says %llu", (unsigned long long)c.arenas,
         (unsigned long long)load_relaxed(&group->arenas_held));
  size_t committed = c.arenas * ARN_ARENA_SIZE + load_relaxed(&group->huge_bytes);
  if (committed != load_relaxed(&group->committed))
    fail(&c, "7: %zu bytes are committed, the counter says %zu", committed,
         (size_t)load_relaxed(&group->committed));

  arn_stats s;
  arn_group_stats(group, &s);
  uint64_t named = s.live_bytes + s.free_bytes + s.untouched_bytes + s.purged_bytes +
                   s.deferred_bytes + s.overhead_bytes;
  if (named != s.arena_bytes)
    fail(&c, "8: %llu bytes of arenas, %llu of them named", (unsigned long long)s.arena_bytes,
         (unsigned long long)named);
  let_purges_in(group);
  return c.broken;
}
