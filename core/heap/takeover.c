/* takeover.c - see takeover.h. */
#include "takeover.h"

#include "os.h"
#include "remote.h"

/* Bytes of an inbox that is worth asking after its owner. */
#define WORTH_BYTES (32 << 10)

/* Searches that are left out after one that found nothing: twice as many each time, within these. */
#define PAUSE_LEAST 4
#define PAUSE_MOST 1024

/* After one that found something, memory may grow by this part of what there is before the next: what
 * is handed out of an inbox is soon freed to it again, and to take it over each time would be a long
 * way round for blocks that memory suffices to do without. (`blocked`: 28.5 MiB, not 29.4 as with 32.) */
#define GROWTH_PART 64

/* Of what was taken over at least this part is used before the next time, or it goes home. With a half, the
 * row `blocked` takes 1 MiB more of 30. */
#define USED_PART 8

/* Heaps passed by in one search. */
#define HEAPS_A_LOOK 16

/* Sorts some of what was taken into the stash. */
static void sort_taken(arn_heap *heap) {
  void *block = heap->taken;
  int64_t bytes = 0;
  for (uint32_t blocks = 0; block && blocks < ARN_DRAIN_SLICE; blocks++) {
    void *next = arn_link_get(block);
    uint32_t class = arn_pool_class(arn_pool_of(block));
    bytes += arn_classes[class].size;
    arn_link_set(block, heap->stash[class]);
    heap->stash[class] = block;
    block = next;
  }
  heap->taken = block;
  heap->stashed += (size_t)bytes;
  if (heap->stash_most < heap->stashed)
    heap->stash_most = heap->stashed;
  if (bytes) {
    sub_relaxed(&heap->taken_from->inbox_bytes, bytes);
    sub_relaxed(&heap->group->deferred, bytes);
  }
}

/* Whether nobody is going to drain the heap's inbox for now. */
static bool is_left_alone(arn_heap *other) {
  switch ((arn_heap_state)load_relaxed(&other->state)) {
  case ARN_HEAP_FROZEN:
    return load_relaxed(&other->inbox) != NULL;
  case ARN_HEAP_LIVE: {
    int32_t thread = load_relaxed(&other->thread_id);
    return thread && load_relaxed(&other->inbox_bytes) >= WORTH_BYTES && arn_os_off_cpu(thread);
  }
  default:
    return false;
  }
}

static void look_less_often(arn_heap *heap) {
  uint32_t pause = heap->take_pause ? heap->take_pause * 2 : PAUSE_LEAST;
  heap->take_pause = heap->take_paused = pause < PAUSE_MOST ? pause : PAUSE_MOST;
}

bool arn_take_over(arn_heap *heap, uint32_t class) {
  arn_group *group = heap->group;
  if (heap->extra)
    return false;
  sort_taken(heap);
  if (heap->stash[class])
    return true;
  if (heap->taken ||
      load_relaxed(&group->deferred) < (load_relaxed(&group->frozen) ? 1 : WORTH_BYTES))
    return false;
  if (heap->take_paused) {
    heap->take_paused--;
    return false;
  }
  if (heap->stashed > heap->stash_most / USED_PART * (USED_PART - 1)) {
    /* What was taken over is of classes that this thread does not allocate. Taken over and over, it would
     * pile up here while its owners, awake now and then, grow. */
    arn_stash_settle(heap);
    look_less_often(heap);
    return false;
  }
  if (heap->stash_most)
    heap->take_pause = 0;
  arn_heap *other = heap->take_at;
  for (int heaps = 0; heaps < HEAPS_A_LOOK; heaps++) {
    if (!other)
      other = load_acquire(&group->heaps);
    if (other != heap && !other->extra && is_left_alone(other)) {
      heap->taken = exchange_acquire(&other->inbox, NULL); /* with arn_inbox_push's release */
      heap->taken_from = other;
      heap->take_at = other; /* and look here again next time */
      heap->take_paused = (uint32_t)(load_relaxed(&heap->arenas->resident) / GROWTH_PART);
      add_relaxed(&group->taken_over, 1);
      sort_taken(heap);
      if (heap->stash[class] || heap->taken)
        return heap->stash[class] != NULL;
    }
    other = other->next_in_group;
  }
  heap->take_at = other;
  look_less_often(heap);
  return false;
}

void arn_taken_return(arn_heap *heap) {
  void *block = heap->taken;
  heap->taken = NULL;
  for (void *next; block; block = next) {
    next = arn_link_get(block);
    int64_t bytes = arn_classes[arn_pool_class(arn_pool_of(block))].size;
    sub_relaxed(&heap->taken_from->inbox_bytes, bytes);
    sub_relaxed(&heap->group->deferred, bytes);
    arn_inbox_push(arn_pool_owner(arn_pool_of(block)), block, block, (size_t)bytes);
  }
}
