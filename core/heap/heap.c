/* heap.c - opening, adopting and orphaning heaps, and their rings of used pools; see heap.h. */
#include "heap.h"

#include <errno.h>
#include <string.h>

#include "kept.h"
#include "kin.h"
#include "marks.h"
#include "meta.h"
#include "os.h"
#include "remote.h"
#include "shuffle.h"
#include "warm.h"

arn_heap arn_no_heap = {.kin = ARN_KIN_NONE}, arn_ended_heap = {.kin = ARN_KIN_NONE};
_Thread_local arn_heap *arn_self = &arn_no_heap;

/* --- Life ------------------------------------------------------------------------------------ */

/* A VACANT heap of the group (an extra one: only these leave), or a new one. */
static arn_heap *find_vacant(arn_group *group, bool extra, bool *in_group) {
  *in_group = true;
  arn_heap *heap = extra ? load_acquire(&group->heaps) : NULL;
  for (; heap; heap = heap->next_in_group) {
    uint32_t state = ARN_HEAP_VACANT;
    if (load_relaxed(&heap->state) != state)
      continue;
    if (cas_acq_rel(&heap->state, &state, ARN_HEAP_OPENING))
      return heap; /* with vacate */
  }
  *in_group = false;
  return arn_meta_take(ARN_META_HEAP, sizeof(arn_heap));
}

arn_heap *arn_heap_open(arn_group *group, bool extra, bool own_arenas) {
  static _Atomic uint32_t last_id;
  arn_arenas *arenas = own_arenas ? arn_arenas_open(group) : group->arenas;
  if (!arenas)
    return NULL;
  bool in_group;
  arn_heap *heap = find_vacant(group, extra, &in_group);
  if (!heap) {
    if (own_arenas)
      arn_arenas_close(arenas);
    return NULL;
  }
  memset(heap, 0, offsetof(arn_heap, inbox));
  arn_bins_open(heap);
  arn_kin_forget(heap);
  arn_shuffle_start(heap);
  heap->arenas = arenas;
  heap->id = add_relaxed(&last_id, 1) + 1;
  heap->next_page_purge = heap->last_tick = heap->last_busy = arn_os_milliseconds();
  store_relaxed(&heap->inbox, NULL);
  store_relaxed(&heap->inbox_bytes, 0);
  store_relaxed(&heap->remote_frees, 0);
  store_relaxed(&heap->inbox_pushes, 0);
  store_relaxed(&heap->inbox_drains, 0);
  if (!in_group) {
    heap->group = group;
    heap->extra = extra;
  }
  if (!extra)
    add_relaxed(&group->live, 1);
  store_release(&heap->state, ARN_HEAP_LIVE); /* arn_heap_adopt's CAS acquires */
  if (in_group)
    return heap;
  arn_heap *head = load_relaxed(&group->heaps);
  do {
    heap->next_in_group = head;
  } while (!cas_release(&group->heaps, &head, heap)); /* load_acquire of heaps, everywhere */
  return heap;
}

/* A heap that was nobody's has a thread again, which is not idle. */
static arn_heap *adopted(arn_heap *heap) {
  add_relaxed(&heap->group->live, 1);
  add_relaxed(&heap->group->adoptions, 1);
  heap->last_tick = heap->last_busy = arn_os_milliseconds();
  heap->first_tick = load_relaxed(&heap->ticks);
  heap->slots_taken = 0; /* a thread that lives shortly keeps what it finds in the bins */
  arn_kin_forget(heap);  /* what pays may be something else now */
  return heap;
}

arn_heap *arn_heap_adopt(arn_group *group) {
  arn_heap *warm = arn_warm_take(group);
  if (warm) {
    store_relaxed(&warm->state, ARN_HEAP_LIVE);
    return adopted(warm);
  }
  if (load_relaxed(&group->orphans) == 0)
    return NULL;
  for (arn_heap *heap = load_acquire(&group->heaps); heap; heap = heap->next_in_group) {
    uint32_t orphan = ARN_HEAP_ORPHAN;
    if (load_relaxed(&heap->state) != orphan)
      continue;
    if (!cas_acq_rel(&heap->state, &orphan, ARN_HEAP_LIVE))
      continue; /* store_release of ORPHAN */
    sub_relaxed(&group->orphans, 1);
    return adopted(heap);
  }
  return NULL;
}

arn_heap *arn_heap_for_thread(arn_group *group) {
  arn_heap *heap = arn_heap_adopt(group);
  return heap ? heap : arn_heap_open(group, false, group->config.private_arenas);
}

void arn_heap_orphan(arn_heap *heap) {
  store_relaxed(&heap->request, 0);
  sub_relaxed(&heap->group->live, 1);
  if (!arn_warm_put(heap))
    arn_heap_make_orphan(heap);
}

void arn_heap_make_orphan(arn_heap *heap) {
  arn_heap_settle(heap);
  /* Arenas of its own are looked after by nobody until somebody adopts it. */
  if (heap->arenas != heap->group->arenas && heap->group->config.purge_delay_ms >= 0)
    arn_arenas_purge(heap->arenas, true, UINT32_MAX, 0);
  add_relaxed(&heap->group->orphans, 1);
  store_release(&heap->state, ARN_HEAP_ORPHAN); /* the CAS of who adopts or claims it */
}

/* --- Used pools ------------------------------------------------------------------------------ */

void arn_used_push_back(arn_heap *heap, arn_pool *pool) {
  arn_pool *first = heap->used[arn_pool_class(pool)];
  heap->used_count[arn_pool_class(pool)]++;
  store_relaxed(&pool->place, ARN_PLACE_USED);
  if (!first) {
    heap->used[arn_pool_class(pool)] = pool->next = pool->prev = pool;
    return;
  }
  pool->next = first;
  pool->prev = first->prev;
  first->prev->next = pool;
  first->prev = pool;
}

void arn_used_push_front(arn_heap *heap, arn_pool *pool) {
  arn_used_push_back(heap, pool);
  heap->used[arn_pool_class(pool)] = pool;
}

void arn_used_remove(arn_heap *heap, arn_pool *pool) {
  heap->used_count[arn_pool_class(pool)]--;
  if (pool->next == pool) {
    heap->used[arn_pool_class(pool)] = NULL;
  } else {
    pool->prev->next = pool->next;
    pool->next->prev = pool->prev;
    if (heap->used[arn_pool_class(pool)] == pool)
      heap->used[arn_pool_class(pool)] = pool->next;
  }
  pool->next = pool->prev = NULL;
}

static arn_pool *open_pool(arn_heap *heap, size_t slot, uint32_t class) {
  if (slot == SIZE_MAX)
    return NULL;
  arn_pool *pool = &arn_space.pools[slot];
  arn_pool_open(pool, heap, class);
  return pool;
}

arn_pool *arn_heap_reuse_pool(arn_heap *heap, uint32_t class) {
  uint32_t slots = arn_classes[class].slots;
  heap->slots_taken += slots;
  arn_pool *pool = arn_kept_take(heap, slots, 1);
  if (pool) {
    arn_pool_open(pool, heap, class);
    return pool;
  }
  if (!heap->used[class])
    return NULL; /* others' blocks of the class first (takeover.h) */
  pool = open_pool(heap, arn_arenas_take_dirty(heap->arenas, slots, 1), class);
  if (pool)
    pool->resident = true;
  return pool;
}

arn_pool *arn_heap_new_pool(arn_heap *heap, uint32_t class) {
  bool clean;
  size_t slot = arn_arenas_take(heap->arenas, arn_classes[class].slots, 1, &clean);
  return open_pool(heap, slot, class);
}

void arn_heap_release_pool(arn_heap *heap, arn_pool *pool) {
  const arn_class *k = &arn_classes[arn_pool_class(pool)];
  size_t used = (size_t)load_relaxed(&pool->carved) * k->size;
  arn_pool_close(pool);
  if (arn_kept_wants(heap, pool, k->slots)) {
    store_relaxed(&arn_pool_slot(pool)->kind, ARN_SLOT_KEPT);
    arn_kept_put(heap, pool, k->slots);
    return;
  }
  arn_arenas_give((size_t)(pool - arn_space.pools), k->slots,
                  (uint32_t)((used + ARN_POOL_SIZE - 1) >> ARN_POOL_SHIFT));
}
