/* tick.c - what malloc and free do beside their work: giving memory back, a slice at a time.
 *
 * The slow paths come by here (a bin's event, a large block, of a busy thread each fourth refill) and see
 * what time it is. When these looks follow each other within milliseconds, the thread is busy: then what has been free
 * for the purge delay goes back in slices that no malloc notices. When they are milliseconds apart,
 * the thread is all but idle: then every free is made a slow path (bin.h), and each may spend a
 * quarter of the time that has passed, two milliseconds at most, until nothing is left to give. So a
 * program that had a spike of load and now does little gets rid of it, without a thread of ours.
 *
 * Looked at are the pages of the heap's used pools, round and round, all classes in turn; and the
 * free slots of its arenas (arena_purge.c).
 */
#include "heap.h"
#include "kept.h"
#include "os.h"
#include "remote.h"
#include "warm.h"

/* Milliseconds between two looks that make a thread idle. */
#define IDLE_MS 4

/* The part of the time that has passed which giving back may take, and the longest that one malloc
 * or free of an idle thread does so. With half of it, what is left of a spike of 1 GiB in small
 * pieces is not given back within 2 s by a thread that comes by every 10 ms. */
#define IDLE_PART 4
#define IDLE_SLICE_NS 2000000

/* Used pools looked into in one slice: up to some thousand list steps, some tens of microseconds. */
#define SLICE 8

/* Looks of a busy thread from one slice to the next. */
#define BUSY_TICKS 16

/* In pool->seen, beside the outstanding blocks: purged, and nothing was taken from it since. */
#define PURGED UINT32_C(0x80000000)

/* When a pool may be purged. */
typedef enum when {
  UNCHANGED, /* when nothing was freed or allocated since the last look */
  AT_ONCE,
} when;

/* Looks into the next pools of the class that purging is at; false when it has seen them all. */
static bool purge_class(arn_heap *heap, uint32_t *budget, when when, size_t *bytes) {
  uint32_t class = heap->purge_class;
  for (; heap->used[class] && heap->purge_left; heap->purge_left--) {
    if (*budget == 0)
      return true;
    if (*budget != UINT32_MAX)
      --*budget;
    arn_pool *pool = heap->used[class];
    heap->used[class] = pool->next; /* turn the ring, so that the rest comes first next time */
    uint32_t outstanding = arn_pool_outstanding(pool) + 1;
    if (pool->seen == (outstanding | PURGED))
      continue;
    if (pool->free && (when == AT_ONCE || pool->seen == outstanding)) {
      *bytes += arn_pool_purge(pool);
      outstanding |= PURGED;
    }
    pool->seen = outstanding;
  }
  return false;
}

/* At most budget pools, from where it stopped last; true when it has been once round all classes. */
static bool purge_round(arn_heap *heap, uint32_t budget, when when, size_t *bytes) {
  for (;;) {
    if (heap->purge_left == 0) {
      heap->purge_class = heap->purge_class % (ARN_CLASSES - 1) + 1;
      arn_bin_settle(heap, heap->purge_class);
      heap->purge_left = heap->used_count[heap->purge_class];
    }
    if (purge_class(heap, &budget, when, bytes))
      return false;
    heap->purge_left = 0;
    if (heap->purge_class == ARN_CLASSES - 1)
      return true;
  }
}

size_t arn_heap_purge_pages(arn_heap *heap) {
  size_t bytes = 0;
  heap->purge_left = heap->purge_class = 0;
  /* The textbook gives small blocks' memory back with their arena and in no other way. */
  if (!ARN_TEXTBOOK)
    purge_round(heap, UINT32_MAX, AT_ONCE, &bytes);
  return bytes;
}

/* What is due of the heap's own; true when there is nothing more for now. */
static bool purge_due(arn_heap *heap, uint64_t now, uint32_t budget, when when, size_t *bytes) {
  if (ARN_TEXTBOOK || now < heap->next_page_purge)
    return true;
  arn_kept_release(heap);
  if (!purge_round(heap, budget, when, bytes))
    return false;
  heap->next_page_purge = now + (uint64_t)heap->group->config.purge_delay_ms;
  return true;
}

size_t arn_heap_purge_due(arn_heap *heap, uint32_t budget) {
  size_t bytes = 0;
  purge_due(heap, arn_os_milliseconds(), budget, UNCHANGED, &bytes);
  return bytes;
}

static __attribute__((noinline)) void idle_slice(arn_heap *heap, uint64_t now, uint64_t passed_ms) {
  uint64_t slice = passed_ms * 1000000 / IDLE_PART, start = arn_os_nanoseconds();
  if (slice > IDLE_SLICE_NS)
    slice = IDLE_SLICE_NS;
  /* What was freed when the thread was busy last has been free for the delay. */
  uint64_t delay = (uint64_t)heap->group->config.purge_delay_ms;
  when when = now - heap->last_busy >= delay ? AT_ONCE : UNCHANGED;
  bool done;
  arn_inbox_drain(heap, ARN_DRAIN_SLICE);
  do {
    size_t bytes = 0;
    done = purge_due(heap, now, SLICE, when, &bytes);
    bytes = arn_arenas_tick(heap->arenas);
    done = done && bytes == 0;
  } while (!done && arn_os_nanoseconds() - start < slice);
}

void arn_heap_tick(arn_heap *heap) {
  uint64_t now = arn_os_milliseconds(), passed = now - heap->last_tick;
  heap->last_tick = now;
  bool idle = passed >= IDLE_MS;
  heap->frees_until_look = idle ? 1 : ARN_BUSY_FREES;
  if (!idle)
    heap->last_busy = now;
  bump(&heap->ticks, 1);
  if (heap->group->config.purge_delay_ms < 0)
    return;
  if (idle) {
    arn_warm_tick(heap->group, now);
    idle_slice(heap, now, passed);
  } else if (load_relaxed(&heap->ticks) % BUSY_TICKS == 0) {
    arn_warm_tick(heap->group, now);
    arn_arenas_tick(heap->arenas);
    arn_heap_purge_due(heap, SLICE);
  }
}
