/* warm.c - see warm.h. */
#include "warm.h"

#include "kept.h"
#include "orphan.h"
#include "os.h"
#include "remote.h"
#include "takeover.h"

/* Slow paths of a brief life. What a thread that lived longer leaves is better taken apart: on the row
 * `churn`, whose threads live for some thousand and leave their blocks to the next, warm heaps took up
 * to 1.7 times the time. */
#define BRIEF_TICKS 512

/* Puts a heap that is WARM, and in nobody's hands but the caller's, into a free place. */
static bool place(arn_heap *heap) {
  arn_group *group = heap->group;
  for (int i = 0; i < ARN_WARM_HEAPS; i++) {
    arn_heap *none = NULL;
    if (load_relaxed(&group->warm[i]) == NULL && cas_release(&group->warm[i], &none, heap))
      return true; /* with take_from */
  }
  return false;
}

static arn_heap *take_from(arn_group *group, int i) {
  return load_relaxed(&group->warm[i]) ? exchange_acquire(&group->warm[i], NULL) : NULL;
}

static void make_orphan(arn_heap *heap) {
  sub_relaxed(&heap->group->warm_count, 1);
  arn_heap_make_orphan(heap);
}

bool arn_warm_put(arn_heap *heap) {
  arn_group *group = heap->group;
  bool brief = load_relaxed(&heap->ticks) - heap->first_tick < BRIEF_TICKS;
  if (ARN_TEXTBOOK || !brief || load_relaxed(&group->warm_count) >= ARN_WARM_HEAPS)
    return false;
  arn_stash_settle(heap);
  for (uint32_t class = 1; class < ARN_CLASSES; class ++)
    arn_bin_shorten(heap, class, ARN_WARM_BYTES / arn_classes[class].size);
  arn_batches_send(heap);
  arn_inbox_drain(heap, UINT32_MAX);
  arn_kept_release(heap);
  store_relaxed(&heap->warm_since, arn_os_milliseconds());
  add_relaxed(&group->warm_count, 1);
  store_relaxed(&heap->state, ARN_HEAP_WARM);
  if (!place(heap))
    make_orphan(heap);
  return true;
}

arn_heap *arn_warm_take(arn_group *group) {
  if (load_relaxed(&group->warm_count) == 0)
    return NULL;
  for (int i = 0; i < ARN_WARM_HEAPS; i++) {
    arn_heap *heap = take_from(group, i);
    if (!heap)
      continue;
    sub_relaxed(&group->warm_count, 1);
    return heap;
  }
  return NULL;
}

bool arn_warm_tick(arn_group *group, uint64_t now) {
  int32_t delay = group->config.purge_delay_ms;
  if (load_relaxed(&group->warm_count) == 0 || delay < 0)
    return false;
  for (int i = 0; i < ARN_WARM_HEAPS; i++) {
    arn_heap *heap = load_acquire(&group->warm[i]); /* heaps last as long as the group */
    if (!heap || (int64_t)(now - load_relaxed(&heap->warm_since)) < delay)
      continue;
    if (!cas_acq_rel(&group->warm[i], &heap, NULL))
      continue;
    make_orphan(heap);
    return true;
  }
  return false;
}

void arn_warm_end_one(arn_heap *heap) {
  for (int i = 0; i < ARN_WARM_HEAPS; i++) {
    arn_heap *expected = heap;
    if (load_relaxed(&heap->group->warm[i]) == heap &&
        cas_acq_rel(&heap->group->warm[i], &expected, NULL))
      make_orphan(heap);
  }
}

void arn_warm_end(arn_group *group) {
  for (int i = 0; i < ARN_WARM_HEAPS && load_relaxed(&group->warm_count); i++) {
    arn_heap *heap = take_from(group, i);
    if (heap)
      make_orphan(heap);
  }
}

bool arn_warm_scavenge(arn_heap *heap, uint32_t class) {
  arn_group *group = heap->group;
  bool found = false;
  if (heap->arenas != group->arenas)
    return false; /* each has arenas of its own: arn_orphan_take_pool */
  for (int i = 0; i < ARN_WARM_HEAPS && !found && load_relaxed(&group->warm_count); i++) {
    arn_heap *other = take_from(group, i);
    if (!other)
      continue;
    arn_inbox_drain(other, ARN_DRAIN_SLICE);
    arn_bin_settle(other, class); /* blocks that stay in its bin are of pools that stay its own */
    found = arn_orphan_take_pool(heap, other, class);
    arn_kept_release(other);
    if (!place(other))
      make_orphan(other);
  }
  return found;
}

uint32_t arn_warm_after_fork(arn_group *group) {
  uint32_t count = 0;
  for (int i = 0; i < ARN_WARM_HEAPS; i++) {
    arn_heap *heap = load_relaxed(&group->warm[i]);
    if (heap && load_relaxed(&heap->state) == ARN_HEAP_WARM)
      count++;
    else
      store_relaxed(&group->warm[i], NULL);
  }
  store_relaxed(&group->warm_count, count);
  return count;
}

bool arn_warm_has(const arn_group *group, const arn_heap *heap) {
  for (int i = 0; i < ARN_WARM_HEAPS; i++)
    if (load_relaxed(&((arn_group *)group)->warm[i]) == heap)
      return true;
  return false;
}
