/* gather.c - see gather.h. */
#include "gather.h"

#include "kept.h"

/* Slots that a heap takes from one time to the next, at least: a part of all that is resident, and some. With
 * a fourth and a sixty-fourth, recordings of programs take the same memory within 2 % (docs/results.md,
 * comparison). */
#define PART 4
#define LEAST 128

void arn_gather(arn_heap *heap, uint32_t slots) {
  arn_arenas *set = heap->arenas;
  uint64_t would = load_relaxed(&set->resident) + slots;
  if (ARN_TEXTBOOK || would <= load_relaxed(&set->peak) || heap->slots_taken < would / PART + LEAST)
    return;
  heap->slots_taken = 0;
  for (uint32_t class = 1; class < ARN_CLASSES; class ++)
    arn_bin_shorten(heap, class, 0);
  arn_kept_release(heap);
}
