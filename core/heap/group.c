/* group.c - see group.h; also extra heaps and arn_trim, which are about whole heaps. */
#include "group.h"

#include <arenite/heap.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "elsewhere.h"
#include "heap.h"
#include "huge.h"
#include "kin.h"
#include "meta.h"
#include "orphan.h"
#include "os.h"
#include "panic.h"
#include "remote.h"
#include "shuffle.h"
#include "stranger.h"
#include "warm.h"

int arn_group_start(arn_group *group, const arn_config *config) {
  int error = arn_space_start();
  if (error)
    return error;
  *group = (arn_group){.config = *config};
  group->arenas = arn_arenas_open(group);
  if (!group->arenas)
    return ENOMEM;
  group->kin = arn_kin_take();
  return 0;
}

/* Frees all that is in arenas of the heap's own; the heap stays in the group, VACANT. */
static void vacate(arn_heap *heap) {
  if (heap->arenas != heap->group->arenas) {
    arn_huge_free_all(heap->arenas);
    arn_arenas_close(heap->arenas);
  }
  sub_relaxed(&heap->group->deferred, load_relaxed(&heap->inbox_bytes));
  store_relaxed(&heap->inbox, NULL);
  store_relaxed(&heap->inbox_bytes, 0);
  store_release(&heap->state, ARN_HEAP_VACANT); /* with arn_heap_open's CAS */
}

void arn_group_end(arn_group *group) {
  arn_huge_free_all(group->arenas);
  arn_heap *heap = load_acquire(&group->heaps);
  for (arn_heap *next; heap; heap = next) {
    next = heap->next_in_group;
    if (load_relaxed(&heap->state) != ARN_HEAP_VACANT)
      vacate(heap);
    arn_meta_give(ARN_META_HEAP, heap);
  }
  store_relaxed(&group->heaps, NULL);
  arn_arenas_close(group->arenas);
  arn_kin_give(group->kin);
}

/* --- The limit -------------------------------------------------------------------------------- */

/* Near the limit: above all but this part of it. There free pages go back before new ones are taken,
 * but not again before so many milliseconds: a program that stays there, and takes and gives arenas
 * all the time, shall not fetch all its free pages from the system each time. Chosen, not measured. */
#define NEAR_PART 8
#define NEAR_PAUSE_MS 20

/* How often a thread steps aside for others that are giving back, before it is refused: a bound, for
 * one of them may be stopped. */
#define ASIDE 200

/* Counts bytes against the limit, or does not. */
static bool count_in(arn_group *group, size_t bytes) {
  size_t limit = group->config.limit_bytes, before = load_relaxed(&group->committed);
  do {
    if (limit && (before > limit || bytes > limit - before))
      return false;
  } while (!cas_seq_cst(&group->committed, &before, before + bytes));
  return true;
}

/* Whether bytes more are near the limit and it is time to do something about it. */
static bool near_limit(arn_group *group, size_t bytes) {
  size_t limit = group->config.limit_bytes, much = limit - limit / NEAR_PART;
  if (!limit || bytes > limit || load_relaxed(&group->committed) + bytes <= much ||
      !arn_group_dirty(group))
    return false;
  uint32_t time = (uint32_t)arn_os_milliseconds(), next = load_relaxed(&group->next_near_purge);
  return (int32_t)(time - next) >= 0 &&
         cas_seq_cst(&group->next_near_purge, &next, time + NEAR_PAUSE_MS);
}

bool arn_group_charge(arn_group *group, size_t bytes) {
  if (unlikely(near_limit(group, bytes)))
    arn_group_purge(group, 0);
  if (likely(count_in(group, bytes)))
    return true;
  if (bytes > group->config.limit_bytes)
    return false;
  /* When nothing has been given to the arenas since they were last purged, this costs a look at a
   * word. Twice, because what the system refuses to take stays there to be given. What others are
   * giving back cannot be seen here: for a moment they hold it. */
  for (int purges = 0, aside = 0; aside < ASIDE; aside++) {
    if (purges < 2 && arn_group_dirty(group)) {
      arn_group_purge(group, 0);
      purges++;
    } else if (load_relaxed(&group->purging)) {
      sched_yield();
    } else {
      return false;
    }
    if (count_in(group, bytes))
      return true;
  }
  return false;
}

bool arn_group_last_resort(arn_heap *heap, size_t size) {
  arn_group *group = heap->group;
  if (size > group->config.limit_bytes)
    return false; /* no limit, too */
  arn_heap_settle(heap);
  arn_warm_end(group);
  for (arn_heap *other = load_acquire(&group->heaps); other; other = other->next_in_group)
    if (load_relaxed(&other->inbox))
      arn_orphan_drain(other);
  return arn_group_dirty(group);
}

void arn_group_discharge(arn_group *group, size_t bytes) {
  sub_relaxed(&group->committed, bytes);
}

bool arn_group_begin_purge(arn_group *group) {
  add_seq_cst(&group->purging, 1);
  if (!load_seq_cst(&group->checking)) /* arn_check writes it, then looks at purging */
    return true;
  sub_relaxed(&group->purging, 1);
  return false;
}

void arn_group_end_purge(arn_group *group) {
  sub_release(&group->purging, 1); /* with arn_check's acquire */
}

/* --- Giving back ------------------------------------------------------------------------------ */

/* Whether the heap's own arenas, if it has some, stay as long as the group does. Those of an extra
 * heap may go any time. */
static bool lasts(const arn_heap *heap) {
  return !heap->extra;
}

/* Purges all sets of arenas that last: with now, everything; otherwise what is due, a slice of it.
 */
static size_t purge_sets(arn_group *group, bool now, uint32_t budget, size_t keep_bytes) {
  size_t bytes = 0;
  for (arn_heap *heap = load_acquire(&group->heaps); heap; heap = heap->next_in_group)
    if (lasts(heap) && heap->arenas != group->arenas)
      bytes += arn_arenas_purge(heap->arenas, now, budget, 0);
  return bytes + arn_arenas_purge(group->arenas, now, budget, keep_bytes);
}

bool arn_group_dirty(const arn_group *group) {
  for (arn_heap *heap = load_acquire(&((arn_group *)group)->heaps); heap;
       heap = heap->next_in_group)
    if (lasts(heap) && heap->arenas != group->arenas && load_seq_cst(&heap->arenas->any_dirty))
      return true;
  return load_seq_cst(&group->arenas->any_dirty);
}

size_t arn_group_purge(arn_group *group, size_t keep_bytes) {
  return purge_sets(group, true, UINT32_MAX, keep_bytes);
}

/* The bytes in an inbox. */
static int64_t inbox_bytes(const arn_heap *heap) {
  int64_t bytes = 0;
  for (void *block = load_acquire(&heap->inbox); block; block = arn_link_get(block))
    bytes += arn_classes[arn_pool_class(arn_pool_of(block))].size;
  for (void *block = heap->pending; block; block = arn_link_get(block))
    bytes += arn_classes[arn_pool_class(arn_pool_of(block))].size;
  return bytes;
}

/* Puts what was taken out of the inbox and not gone through yet back in. */
static void unpend(arn_heap *heap) {
  if (!heap->pending)
    return;
  void *last = heap->pending;
  for (void *next; (next = arn_link_get(last)) != NULL;)
    last = next;
  arn_link_set(last, load_relaxed(&heap->inbox));
  store_relaxed(&heap->inbox, heap->pending);
  heap->pending = NULL;
}

/* Puts what was taken over from another inbox and not sorted yet back there. */
static void untake(arn_heap *heap) {
  void *block = heap->taken;
  heap->taken = NULL;
  for (void *next; block; block = next) {
    next = arn_link_get(block);
    arn_link_set(block, load_relaxed(&heap->taken_from->inbox));
    store_relaxed(&heap->taken_from->inbox, block);
  }
}

void arn_group_after_fork(arn_group *group, const arn_heap *const mine[2]) {
  arn_warm_after_fork(group);
  int64_t deferred = 0;
  uint32_t orphans = 0, frozen = 0, arenas = arn_arenas_after_fork(group->arenas);
  for (arn_heap *heap = load_acquire(&group->heaps); heap; heap = heap->next_in_group) {
    uint32_t state = load_relaxed(&heap->state);
    if (state == ARN_HEAP_VACANT)
      continue;
    memset(heap->kept, 0, sizeof heap->kept); /* arn_arenas_after_fork frees them */
    if (heap->arenas != group->arenas)
      arenas += arn_arenas_after_fork(heap->arenas);
    untake(heap);
    bool is_warm = state == ARN_HEAP_WARM && arn_warm_has(group, heap);
    if (heap != mine[0] && heap != mine[1] && !heap->extra && state != ARN_HEAP_ORPHAN &&
        !is_warm) {
      unpend(heap);
      store_relaxed(&heap->state, ARN_HEAP_FROZEN);
      frozen++;
    }
    orphans += state == ARN_HEAP_ORPHAN;
    arn_shuffle_start(heap); /* or the child would go on as its parent does */
  }
  for (arn_heap *heap = load_acquire(&group->heaps); heap; heap = heap->next_in_group) {
    store_relaxed(&heap->inbox_bytes, inbox_bytes(heap));
    deferred += load_relaxed(&heap->inbox_bytes);
  }
  store_relaxed(&group->deferred, deferred);
  store_relaxed(&group->orphans, orphans);
  store_relaxed(&group->frozen, frozen);
  store_relaxed(&group->purging, 0);
  store_relaxed(&group->checking, 0);
  store_relaxed(&group->live, (mine[0] != NULL) + (mine[1] != NULL));
  /* A thread may have been between two of these counters. */
  store_relaxed(&group->arenas_held, arenas);
  store_relaxed(&group->arenas_allocated, load_relaxed(&group->arenas_reclaimed) + arenas);
  if (load_relaxed(&group->arenas_highwater) < arenas)
    store_relaxed(&group->arenas_highwater, arenas);
  store_relaxed(&group->huge_bytes, arn_huge_count(group));
  store_relaxed(&group->committed, arenas * ARN_ARENA_SIZE + load_relaxed(&group->huge_bytes));
}

/* --- Extra heaps ----------------------------------------------------------------------------- */

int arn_heap_create(arn_runtime *runtime, arn_heap **heap) {
  ARN_ELSEWHERE(heap_create, runtime, heap);
  *heap = arn_heap_open(arn_runtime_group(runtime), true, true);
  return *heap ? 0 : ENOMEM;
}

void arn_heap_destroy(arn_heap *heap) {
  ARN_ELSEWHERE(heap_destroy, heap);
  if (!heap)
    return;
  if (!heap->extra || load_relaxed(&heap->state) != ARN_HEAP_LIVE)
    arn_panic("arn_heap_destroy: %p is not an extra heap that lives", (void *)heap);
  arn_batches_send(heap);
  vacate(heap);
}

/* --- arn_trim and arn_idle -----------------------------------------------------------------------
 */

/* The heap of the calling thread, a stranger's too; to be returned. */
static arn_heap *take_part(void) {
  arn_heap *heap = arn_self;
  if (arn_is_stranger(heap) && arn_host_of_strangers)
    heap = arn_host_of_strangers->enter(true);
  return heap ? heap : arn_self;
}

static void take_leave(arn_heap *heap) {
  if (!arn_is_stranger(heap) && arn_host_of_strangers)
    arn_host_of_strangers->leave(heap);
}

size_t arn_trim(arn_runtime *runtime, size_t keep_bytes) {
  ARN_ELSEWHERE(trim, runtime, keep_bytes);
  arn_group *group = arn_runtime_group(runtime);
  arn_heap *mine = take_part();
  size_t bytes = 0;
  uint64_t forwarded;
  /* A drained inbox may forward blocks to a heap that was drained before: then once more. */
  do {
    forwarded = load_relaxed(&group->forwarded);
    if (mine->group == group)
      arn_heap_settle(mine);
    bytes += arn_orphans_tidy(group);
  } while (forwarded != load_relaxed(&group->forwarded));
  if (mine->group == group)
    bytes += arn_heap_purge_pages(mine);
  take_leave(mine);
  return bytes + arn_group_purge(group, keep_bytes);
}

/* Arenas and used pools that one arn_idle looks into: about 100 microseconds of madvise. */
#define IDLE_ARENAS 16
#define IDLE_POOLS 64

size_t arn_idle(arn_runtime *runtime) {
  ARN_ELSEWHERE(idle, runtime);
  arn_group *group = arn_runtime_group(runtime);
  arn_heap *mine = take_part();
  bool purge = group->config.purge_delay_ms >= 0;
  size_t bytes = 0;
  if (mine->group == group) {
    arn_batches_send(mine);
    arn_inbox_drain(mine, ARN_DRAIN_SLICE);
    if (purge)
      bytes += arn_heap_purge_due(mine, IDLE_POOLS);
  }
  take_leave(mine);
  if (!purge)
    return 0;
  if (arn_group_begin_purge(group)) {
    while (arn_warm_tick(group, arn_os_milliseconds())) {
    }
    bytes += arn_orphans_idle(group);
    arn_group_end_purge(group);
  }
  return bytes + purge_sets(group, false, IDLE_ARENAS, 0);
}
