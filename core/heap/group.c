/* group.c - see group.h; also extra heaps and arn_trim, which are about whole heaps. */
#include "group.h"

#include <arenite/heap.h>
#include <errno.h>

#include "heap.h"
#include "huge.h"
#include "meta.h"
#include "orphan.h"
#include "panic.h"
#include "remote.h"

int arn_group_start(arn_group *group, const arn_config *config) {
  int error = arn_space_start();
  if (error) return error;
  *group = (arn_group){.config = *config};
  return arn_arenas_start(&group->arenas, group);
}

/* Frees all that is in arenas of the heap's own; the heap stays in the group, VACANT. */
static void vacate(arn_heap *heap) {
  if (heap->arenas != &heap->group->arenas) {
    arn_huge_free_all(heap->arenas);
    arn_arenas_end(heap->arenas);
    arn_meta_give(ARN_META_ARENAS, heap->arenas);
  }
  sub_relaxed(&heap->group->deferred, load_relaxed(&heap->inbox_bytes));
  store_relaxed(&heap->inbox, NULL);
  store_relaxed(&heap->inbox_bytes, 0);
  store_release(&heap->state, ARN_HEAP_VACANT); /* with arn_heap_open's CAS */
}

void arn_group_end(arn_group *group) {
  arn_huge_free_all(&group->arenas);
  arn_heap *heap = load_acquire(&group->heaps);
  for (arn_heap *next; heap; heap = next) {
    next = heap->next_in_group;
    if (load_relaxed(&heap->state) != ARN_HEAP_VACANT) vacate(heap);
    arn_meta_give(ARN_META_HEAP, heap);
  }
  store_relaxed(&group->heaps, NULL);
  arn_arenas_end(&group->arenas);
}

bool arn_group_charge(arn_group *group, size_t bytes) {
  size_t limit = group->config.limit_bytes;
  size_t before = add_relaxed(&group->committed, bytes);
  if (limit && (before > limit || bytes > limit - before)) {
    sub_relaxed(&group->committed, bytes);
    return false;
  }
  return true;
}

void arn_group_discharge(arn_group *group, size_t bytes) {
  sub_relaxed(&group->committed, bytes);
}

/* --- Extra heaps ----------------------------------------------------------------------------- */

int arn_heap_create(arn_runtime *runtime, arn_heap **heap) {
  *heap = arn_heap_open(arn_runtime_group(runtime), true, true);
  return *heap ? 0 : ENOMEM;
}

void arn_heap_destroy(arn_heap *heap) {
  if (!heap) return;
  if (!heap->extra || load_relaxed(&heap->state) != ARN_HEAP_LIVE)
    arn_panic("arn_heap_destroy: %p is not an extra heap that lives", (void *)heap);
  arn_batches_send(heap);
  vacate(heap);
}

/* --- arn_trim -------------------------------------------------------------------------------- */

size_t arn_trim(arn_runtime *runtime, size_t keep_bytes) {
  arn_group *group = arn_runtime_group(runtime);
  arn_heap *mine = arn_self;
  size_t bytes = 0;
  if (mine->group == group) {
    arn_batches_send(mine);
    arn_inbox_drain(mine);
    arn_heap_settle(mine);
    bytes += arn_heap_purge_pages(mine, UINT32_MAX);
  }
  bytes += arn_orphans_tidy(group);
  for (arn_heap *heap = load_acquire(&group->heaps); heap; heap = heap->next_in_group)
    if (heap->arenas != &group->arenas && !heap->extra)
      bytes += arn_arenas_purge(heap->arenas, true, UINT32_MAX, 0);
  return bytes + arn_arenas_purge(&group->arenas, true, UINT32_MAX, keep_bytes);
}
