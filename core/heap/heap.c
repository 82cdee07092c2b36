/* heap.c - opening, adopting and orphaning heaps, and their rings of used pools; see heap.h. */
#include "heap.h"

#include <errno.h>
#include <string.h>

#include "meta.h"
#include "os.h"
#include "panic.h"
#include "remote.h"

arn_heap arn_no_heap;
_Thread_local arn_heap *arn_self = &arn_no_heap;

/* Every so many slow paths the clock is looked at: it costs about as much as a refill does. */
#define TICK_REFILLS 16

/* Used pools looked into in one slice of purging: up to some thousand list steps, some tens of
 * microseconds. */
#define PAGE_SLICE 8

_Noreturn void arn_heap_missing(const char *function) {
  arn_panic("%s: this thread is not attached to a runtime, or does not hold its GIL", function);
}

/* --- Life ------------------------------------------------------------------------------------ */

/* A heap that left the group, VACANT, or a new one. */
static arn_heap *find_vacant(arn_group *group, bool *in_group) {
  for (arn_heap *heap = load_acquire(&group->heaps); heap; heap = heap->next_in_group) {
    uint32_t state = ARN_HEAP_VACANT;
    if (load_relaxed(&heap->state) != state) continue;
    *in_group = true;
    if (cas_acq_rel(&heap->state, &state, ARN_HEAP_CLAIMED)) return heap; /* with vacate */
  }
  *in_group = false;
  return arn_meta_take(ARN_META_HEAP, sizeof(arn_heap));
}

static arn_arenas *own_set(arn_group *group) {
  arn_arenas *set = arn_meta_take(ARN_META_ARENAS, sizeof *set);
  if (!set || arn_arenas_start(set, group) == 0) return set;
  arn_meta_give(ARN_META_ARENAS, set);
  return NULL;
}

arn_heap *arn_heap_open(arn_group *group, bool extra, bool own_arenas) {
  static _Atomic uint32_t last_id;
  arn_arenas *arenas = own_arenas ? own_set(group) : &group->arenas;
  if (!arenas) return NULL;
  bool in_group;
  arn_heap *heap = find_vacant(group, &in_group);
  if (!heap) {
    if (own_arenas) {
      arn_arenas_end(arenas);
      arn_meta_give(ARN_META_ARENAS, arenas);
    }
    return NULL;
  }
  memset(heap, 0, offsetof(arn_heap, inbox));
  heap->group = group;
  heap->arenas = arenas;
  heap->extra = extra;
  heap->id = add_relaxed(&last_id, 1) + 1;
  heap->next_page_purge = arn_os_milliseconds();
  store_relaxed(&heap->inbox, NULL);
  store_relaxed(&heap->inbox_bytes, 0);
  store_release(&heap->state, ARN_HEAP_LIVE); /* arn_heap_adopt's CAS acquires */
  if (in_group) return heap;
  arn_heap *head = load_relaxed(&group->heaps);
  do {
    heap->next_in_group = head;
  } while (!cas_release(&group->heaps, &head, heap)); /* load_acquire of heaps, everywhere */
  return heap;
}

arn_heap *arn_heap_adopt(arn_group *group) {
  if (load_relaxed(&group->orphans) == 0) return NULL;
  for (arn_heap *heap = load_acquire(&group->heaps); heap; heap = heap->next_in_group) {
    uint32_t orphan = ARN_HEAP_ORPHAN;
    if (load_relaxed(&heap->state) != orphan) continue;
    if (!cas_acq_rel(&heap->state, &orphan, ARN_HEAP_LIVE)) continue; /* store_release of ORPHAN */
    sub_relaxed(&group->orphans, 1);
    add_relaxed(&group->adoptions, 1);
    return heap;
  }
  return NULL;
}

void arn_heap_orphan(arn_heap *heap) {
  arn_batches_send(heap);
  arn_inbox_drain(heap);
  arn_heap_settle(heap);
  store_relaxed(&heap->request, 0);
  add_relaxed(&heap->group->orphans, 1);
  store_release(&heap->state, ARN_HEAP_ORPHAN); /* the CAS of who adopts or claims it */
}

void arn_heap_freeze_others(arn_group *group, const arn_heap *mine) {
  for (arn_heap *heap = load_acquire(&group->heaps); heap; heap = heap->next_in_group) {
    uint32_t state = load_relaxed(&heap->state);
    if (heap == mine || heap->extra || (state != ARN_HEAP_LIVE && state != ARN_HEAP_CLAIMED))
      continue;
    /* A claimed one was counted as an orphan all the time. */
    if (state == ARN_HEAP_CLAIMED) sub_relaxed(&group->orphans, 1);
    store_relaxed(&heap->state, ARN_HEAP_FROZEN);
    add_relaxed(&group->frozen, 1);
  }
}

/* --- Used pools ------------------------------------------------------------------------------ */

void arn_used_push_back(arn_heap *heap, arn_pool *pool) {
  arn_pool *first = heap->used[pool->class];
  store_relaxed(&pool->place, ARN_PLACE_USED);
  if (!first) {
    heap->used[pool->class] = pool->next = pool->prev = pool;
    return;
  }
  pool->next = first;
  pool->prev = first->prev;
  first->prev->next = pool;
  first->prev = pool;
}

void arn_used_push_front(arn_heap *heap, arn_pool *pool) {
  arn_used_push_back(heap, pool);
  heap->used[pool->class] = pool;
}

void arn_used_remove(arn_heap *heap, arn_pool *pool) {
  if (pool->next == pool) {
    heap->used[pool->class] = NULL;
  } else {
    pool->prev->next = pool->next;
    pool->next->prev = pool->prev;
    if (heap->used[pool->class] == pool) heap->used[pool->class] = pool->next;
  }
  pool->next = pool->prev = NULL;
}

arn_pool *arn_heap_new_pool(arn_heap *heap, uint32_t class) {
  bool clean;
  /* The first pool of a class may stay mostly untouched; the ones after it will be filled. */
  bool first = !heap->current[class] && !heap->used[class];
  size_t slot = arn_arenas_take(heap->arenas, arn_classes[class].slots, 1,
                                first ? ARN_WISH_CLEAN : ARN_WISH_DIRTY, &clean);
  if (slot == SIZE_MAX) {
    errno = ENOMEM;
    return NULL;
  }
  arn_pool *pool = &arn_space.pools[slot];
  arn_pool_open(pool, heap, class);
  return pool;
}

void arn_heap_release_pool(arn_heap *heap, arn_pool *pool) {
  (void)heap;
  const arn_class *k = &arn_classes[pool->class];
  size_t used = (size_t)load_relaxed(&pool->carved) * k->size;
  arn_pool_close(pool);
  arn_arenas_give((size_t)(pool - arn_space.pools), k->slots,
                  (uint32_t)((used + ARN_POOL_SIZE - 1) >> ARN_POOL_SHIFT));
}

/* --- The owner frees ------------------------------------------------------------------------- */

void arn_pool_put(arn_heap *heap, arn_pool *pool, void *block, const char *function) {
  uint32_t size = arn_classes[pool->class].size;
  size_t offset = (size_t)((char *)block - arn_pool_base(pool));
  void *head = pool->free;
  if (unlikely(offset % size != 0 || offset / size >= load_relaxed(&pool->carved) || head == block))
    arn_pool_reject(pool, block, function);
  *(void **)block = head;
  pool->free = block;
  uint32_t until = load_relaxed(&pool->until) - 1;
  store_relaxed(&pool->until, until);
  if (unlikely(until == 0)) arn_pool_event(heap, pool);
}

/* --- Purging --------------------------------------------------------------------------------- */

size_t arn_heap_purge_pages(arn_heap *heap, uint32_t budget) {
  bool all = budget == UINT32_MAX;
  size_t bytes = 0;
  /* The textbook gives small blocks' memory back with their arena and in no other way. */
  if (ARN_TEXTBOOK) return 0;
  for (uint32_t i = 1; i < ARN_CLASSES && budget; i++) {
    uint32_t class = heap->purge_class % (ARN_CLASSES - 1) + 1;
    arn_pool *pool = heap->used[class];
    heap->freed_to[class] = NULL; /* its list may lose that block */
    for (; pool && budget; budget--) {
      /* Purged only when nothing was freed or allocated since the last look. */
      uint32_t outstanding = arn_pool_outstanding(pool) + 1;
      if (pool->free && (all || pool->seen == outstanding)) bytes += arn_pool_purge(pool);
      pool->seen = outstanding;
      pool = pool->next == heap->used[class] ? NULL : pool->next;
    }
    if (pool && !all) {
      /* Out of budget inside the class: turn the ring, so that the rest comes first next time. */
      heap->used[class] = pool;
      break;
    }
    heap->purge_class = class;
  }
  if (bytes) add_relaxed(&heap->group->purges, 1);
  return bytes;
}

void arn_heap_tick(arn_heap *heap) {
  if (++heap->refills % TICK_REFILLS != 0) return;
  arn_arenas_tick(heap->arenas);
  int32_t delay = heap->group->config.purge_delay_ms;
  if (ARN_TEXTBOOK || delay < 0) return;
  uint64_t now = arn_os_milliseconds();
  if (now < heap->next_page_purge) return;
  uint32_t before = heap->purge_class;
  arn_heap_purge_pages(heap, PAGE_SLICE);
  /* Once round all classes, then rest for the delay. */
  if (heap->purge_class <= before) heap->next_page_purge = now + (uint64_t)delay;
}
