/* pool.c - opening, carving and purging pools; see pool.h for the data model. */
#include "pool.h"

#include <string.h>

#include "heap.h"
#include "kin.h"
#include "marks.h"
#include "os.h"
#include "panic.h"

void arn_pool_open(arn_pool *pool, arn_heap *heap, uint32_t class) {
  const arn_class *k = &arn_classes[class];
  pool->free = NULL;
  store_relaxed(&pool->until, 0);
  store_relaxed(&pool->floor, 0);
  store_relaxed(&pool->carved, 0);
  pool->end = arn_pool_base(pool);
  store_relaxed(&pool->purged, 0);
  pool->purged_pages = 0;
  pool->next = pool->prev = NULL;
  pool->seen = 0;
  pool->resident = false;
  store_relaxed(&pool->place, ARN_PLACE_EMPTY);
  arn_slot *slot = arn_pool_slot(pool);
  for (uint32_t i = 0; i < k->slots; i++) {
    slot[i].magic = k->magic;
    slot[i].bias = (uint32_t)(uintptr_t)arn_pool_base(pool) * k->magic;
    slot[i].bin = (uint16_t)(offsetof(arn_heap, bins) + class * sizeof(arn_bin));
    store_relaxed(&slot[i].class, (uint8_t) class);
    store_relaxed(&slot[i].offset, (uint8_t)i);
    store_relaxed(&slot[i].kind, i ? ARN_SLOT_INSIDE : ARN_SLOT_POOL);
  }
  arn_marks_open(pool, k->slots);
  arn_pool_give_to(pool, heap);
}

void arn_pool_give_to(arn_pool *pool, arn_heap *heap) {
  arn_slot *slot = arn_pool_slot(pool);
  const arn_class *k = &arn_classes[arn_pool_class(pool)];
  uint8_t kin = arn_kin_of_pools(heap, k->size);
  for (uint32_t i = k->slots; i-- > 0;) {
    store_relaxed(&slot[i].kin, kin);
    store_release(&slot[i].owner, heap); /* with arn_pool_owner */
  }
}

void arn_pool_close(arn_pool *pool) {
  arn_slot *slot = arn_pool_slot(pool);
  for (uint32_t i = arn_classes[arn_pool_class(pool)].slots; i-- > 0;)
    arn_slot_forget(&slot[i]);
}

/* Links the blocks first .. first + count - 1, in address order. */
static void *link_blocks(char *base, uint32_t size, uint32_t first, uint32_t count, void *then) {
  char *block = base + (size_t)first * size;
  char *last = block + (size_t)(count - 1) * size;
  void *list = block;
  for (; block < last; block += size)
    arn_link_set(block, block + size);
  arn_link_set(last, then);
  return list;
}

void *arn_pool_carve(arn_pool *pool, uint32_t limit) {
  const arn_class *k = &arn_classes[arn_pool_class(pool)];
  uint32_t first = load_relaxed(&pool->carved);
  if (first == k->capacity)
    return NULL;
  /* A block's first word is all that linking writes, so the blocks that begin before the page ends
   * touch no other page. */
  size_t start = (size_t)first * k->size;
  size_t page_end = (start & ~(arn_os_page - 1)) + arn_os_page;
  uint32_t count = (uint32_t)((page_end - start + k->size - 1) / k->size);
  if (pool->resident || count > k->capacity - first)
    count = k->capacity - first;
  if (count > limit)
    count = limit;
  store_relaxed(&pool->carved, (uint16_t)(first + count));
  pool->end = arn_pool_base(pool) + start + (size_t)count * k->size;
  store_relaxed(&pool->until, load_relaxed(&pool->until) + count);
  return link_blocks(arn_pool_base(pool), k->size, first, count, NULL);
}

/* The blocks of a pool that overlap one of its pages: [first, end). */
typedef struct page_blocks {
  uint32_t first, end;
} page_blocks;

static page_blocks blocks_on_page(const arn_pool *pool, uint32_t page) {
  const arn_class *k = &arn_classes[arn_pool_class(pool)];
  page_blocks on;
  on.first = (uint32_t)(page * arn_os_page / k->size);
  on.end = (uint32_t)(((page + 1) * arn_os_page + k->size - 1) / k->size);
  if (on.end > k->capacity)
    on.end = k->capacity;
  if (on.first > on.end)
    on.first = on.end;
  return on;
}

/* The pages that a block overlaps, as bits. */
static uint64_t pages_of_block(uint32_t size, uint32_t block) {
  size_t begin = (size_t)block * size;
  uint32_t first = (uint32_t)(begin / arn_os_page);
  uint32_t last = (uint32_t)((begin + size - 1) / arn_os_page);
  return (~UINT64_C(0) << first) & (~UINT64_C(0) >> (63 - last));
}

size_t arn_pool_purge(arn_pool *pool) {
  const arn_class *k = &arn_classes[arn_pool_class(pool)];
  char *base = arn_pool_base(pool);
  uint32_t pages = (uint32_t)(k->slots * ARN_POOL_SIZE / arn_os_page);
  uint32_t carved = load_relaxed(&pool->carved);
  uint16_t free_on[64] = {0};

  for (void *block = pool->free; block; block = arn_link_get(block)) {
    uint64_t bits = pages_of_block(k->size, (uint32_t)(((char *)block - base) / k->size));
    for (; bits; bits &= bits - 1)
      free_on[__builtin_ctzll(bits)]++;
  }
  uint64_t purge = 0;
  for (uint32_t page = 0; page < pages; page++) {
    page_blocks on = blocks_on_page(pool, page);
    uint64_t bit = UINT64_C(1) << page;
    /* A page with untouched blocks stays: they will be carved, and are not purged ones. */
    if (on.first == on.end || on.end > carved || (pool->purged_pages & bit))
      continue;
    uint32_t free = free_on[page];
    /* A block that reaches into a purged neighbour is purged, not on the list. Only the first and
     * the last block of a page can. */
    if (pages_of_block(k->size, on.first) & pool->purged_pages)
      free++;
    if (on.end - 1 != on.first && (pages_of_block(k->size, on.end - 1) & pool->purged_pages))
      free++;
    if (free == on.end - on.first)
      purge |= bit;
  }
  if (!purge)
    return 0;

  /* Unlink first: the list runs through the pages that go. */
  void *keep = NULL, *tail = NULL;
  uint32_t gone = 0;
  for (void *block = pool->free, *next; block; block = next) {
    next = arn_link_get(block);
    if (pages_of_block(k->size, (uint32_t)(((char *)block - base) / k->size)) & purge) {
      gone++;
    } else {
      if (tail)
        arn_link_set(tail, block);
      else
        keep = block;
      tail = block;
    }
  }
  if (tail)
    arn_link_set(tail, NULL);
  pool->free = keep;
  pool->purged_pages |= purge;
  store_relaxed(&pool->purged, (uint16_t)(load_relaxed(&pool->purged) + gone));

  arn_group *group = arn_pool_owner(pool)->group;
  size_t bytes = 0;
  while (purge) {
    uint32_t first = (uint32_t)__builtin_ctzll(purge);
    uint64_t rest = ~(purge >> first);
    uint32_t count = rest ? (uint32_t)__builtin_ctzll(rest) : 64 - first;
    /* When the system refuses, the pages stay resident and the blocks are found again all the same:
     * what is lost is only that these bytes are counted as given back. */
    if (arn_arenas_purge_range(group, base + first * arn_os_page, count * arn_os_page))
      bytes += count * arn_os_page;
    purge &= count + first >= 64 ? 0 : ~UINT64_C(0) << (first + count);
  }
  return bytes;
}

bool arn_pool_block_purged(const arn_pool *pool, uint32_t block) {
  return (pages_of_block(arn_classes[arn_pool_class(pool)].size, block) & pool->purged_pages) != 0;
}

void *arn_pool_unpurge(arn_pool *pool) {
  const arn_class *k = &arn_classes[arn_pool_class(pool)];
  /* A page may hold no block of its own: both its blocks reach into purged neighbours. */
  while (pool->purged_pages) {
    uint32_t page = (uint32_t)__builtin_ctzll(pool->purged_pages);
    pool->purged_pages &= pool->purged_pages - 1;
    page_blocks on = blocks_on_page(pool, page);
    void *list = NULL;
    uint32_t count = 0;
    for (uint32_t block = on.end; block-- > on.first;) {
      if (pages_of_block(k->size, block) & pool->purged_pages)
        continue;
      void *address = arn_pool_base(pool) + (size_t)block * k->size;
      arn_link_set(address, list);
      list = address;
      count++;
    }
    if (!count)
      continue;
    store_relaxed(&pool->purged, (uint16_t)(load_relaxed(&pool->purged) - count));
    store_relaxed(&pool->until, load_relaxed(&pool->until) + count);
    return list;
  }
  return NULL;
}

_Noreturn void arn_pool_reject(const arn_pool *pool, const void *block, const char *function) {
  uint32_t size = arn_classes[arn_pool_class(pool)].size;
  char *base = arn_pool_base(pool);
  size_t offset = (size_t)((const char *)block - base);
  uint32_t index = (uint32_t)(offset / size);
  if (offset % size != 0)
    arn_panic("%s: %p is inside the block %p of %u bytes (%zu bytes behind its start)", function,
              block, (void *)(base + (size_t)index * size), size, offset % size);
  arn_panic("%s: the block %p of %u bytes is already free (double free)", function, block, size);
}
