/* gather.c - see gather.h. */
#include "gather.h"

#include "arena_parts.h"
#include "kept.h"

/* Slots that a heap takes from one time to the next, at least: a part of all that is resident, and some. From
 * a half to a sixteenth, recordings of programs take the same memory within 4 % (docs/results.md, comparison).
 * LEAST is chosen, for short threads: with 16, and counted over the lives of several, `threadchurn` took twice
 * as long. */
#define PART 4
#define LEAST 64

/* Smaller blocks stay: they are most of the blocks and least of the bytes. With them, `phases` takes a tenth
 * longer, and recordings of programs take the same memory; without those of 1 KiB, git's takes a sixth more. */
#define SIZE_LEAST 512

void arn_gather(arn_heap *heap, uint32_t slots, bool fits) {
  arn_arenas *set = heap->arenas;
  uint64_t would = load_relaxed(&set->resident) + slots;
  if (ARN_TEXTBOOK || would <= load_relaxed(&set->peak) || heap->slots_taken < would / PART + LEAST)
    return;
  if (fits && arn_arenas_has_dirty(set, slots))
    return;
  heap->slots_taken = 0;
  for (uint32_t class = 1; class < ARN_CLASSES; class ++)
    if (arn_classes[class].size >= SIZE_LEAST)
      arn_bin_shorten(heap, class, 0);
  arn_kept_release(heap);
}
