/* bin.h - a heap's free blocks of one class, in front of its pools.
 *
 * arn_malloc takes the block that was freed last, whichever pool it is from; arn_free puts it there.
 * Neither touches a pool's descriptor but to see whose it is. A bin is short; what is too much goes
 * to the pools, and from there comes what is missing: all free blocks of a pool, or half a bin. How
 * many blocks it may have begins small, doubles each time that the bin was found empty, up to
 * arn_class.binned, and begins anew when giving back comes to the class (tick.c). Of large blocks it
 * may have more, arn_class.overfull, when it is often too long. A bin that is too long and empty in
 * turns gives away what it soon wants back: that is worth most of them, arn_class.turning; one that only
 * fills, and then only empties, as when a program frees all that it had, would gain nothing. The
 * blocks of a bin count as outstanding in their pools.
 *
 * Of a bin that is too long the newest go: they are in the cache still, with what describes their pools.
 *
 *   arn_free --> bin --(too long)--> own pools; batches for other owners (remote.c)
 *   arn_malloc <-- bin <--(empty)-- pools with free blocks; untouched ones; the inbox; ...
 *
 * Measured against taking a whole pool's list at a time and freeing to the pools, which this
 * replaced: half the time on random frees of mixed sizes (docs/results.md).
 *
 * fill is two counters in one word, each with a bit that is set when it has reached its end, so that
 * arn_free asks for both with one test:
 *
 *   bits 0-14    blocks in the bin                        bit 15 when there are too many
 *   bits 16-30   frees since the bin was last looked at   bit 31 when somebody should look
 *
 * A program that frees at all is thus let into the slow path now and then, also when its mallocs and
 * frees go on in pairs for ever: that is where time is looked at, and memory given back.
 *
 * In the textbook geometry bins stay empty.
 */
#ifndef ARN_HEAP_BIN_H
#define ARN_HEAP_BIN_H

#include "classes.h"

typedef struct arn_heap arn_heap;

typedef struct arn_bin {
  void *list; /* linked through the blocks' first words */
  uint32_t fill;
  uint16_t most; /* blocks */
  /* Since it last grew: how often it was too long, and how often it was so after it had been empty. */
  uint8_t overflows;
  uint8_t turns : 7;
  uint8_t emptied : 1; /* since it was too long */
} arn_bin;

#define ARN_FILL_TOO_MANY UINT32_C(0x00008000)
#define ARN_FILL_LOOK UINT32_C(0x80000000)
#define ARN_FILL_EVENT (ARN_FILL_TOO_MANY | ARN_FILL_LOOK)
#define ARN_FILL_FREE UINT32_C(0x00010001)
#define ARN_FILL_MALLOC UINT32_C(0x00000001)

/* fill for so many blocks of at most most, when so many frees from now somebody should look. */
static inline uint32_t arn_fill(uint32_t blocks, uint32_t most, uint32_t frees) {
  return (0x8000 - frees) << 16 | (0x7fff - most + blocks);
}

static inline uint32_t arn_fill_blocks(uint32_t fill, uint32_t most) {
  return (fill & 0xffff) - (0x7fff - most);
}

/* A bin begins with this part of the most that it may have. */
#define ARN_BIN_FIRST_PART 16

static inline uint32_t arn_bin_first(uint32_t class) {
  uint32_t most = arn_classes[class].binned;
  return most > ARN_BIN_FIRST_PART ? most / ARN_BIN_FIRST_PART : 1;
}

/* Whether the bin was found empty by a malloc since it began. */
static inline bool arn_bin_refilled(const arn_bin *bin, uint32_t class) {
  return bin->most > arn_bin_first(class);
}

/* A bin's event in arn_free: too many blocks, or time to look. */
void arn_bin_event(arn_heap *heap, arn_bin *bin);

/* Fills an empty bin from the heap's own pools, or from its stash; false when they have nothing. */
bool arn_bin_refill(arn_heap *heap, uint32_t class);

/* Empties the bin, and lets it begin anew. */
void arn_bin_settle(arn_heap *heap, uint32_t class);

/* Leaves at most keep blocks in the bin, those freed first. */
void arn_bin_shorten(arn_heap *heap, uint32_t class, uint32_t keep);

/* Sends the whole stash to its owners, and what was taken over to be sorted into it. */
void arn_stash_settle(arn_heap *heap);

/* Blocks in the bin. */
static inline uint32_t arn_bin_blocks(const arn_bin *bin) {
  return arn_fill_blocks(bin->fill, bin->most);
}

/* All bins of a heap that is being opened. */
void arn_bins_open(arn_heap *heap);

#endif
