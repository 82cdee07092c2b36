/* classes.h - size classes: which class serves a size, and what its pools look like.
 *
 *   size    1..16  17..32  ...  497..512 | 513..576  577..640 ... 961..1024 | 1025..1088 ...
 *   class   1      2            32       | 33        34           40        | 41
 *
 * (modern; 8 classes per doubling above the small limit, 16 above 1 KiB). malloc looks the class up in
 * a table.
 */
#ifndef ARN_HEAP_CLASSES_H
#define ARN_HEAP_CLASSES_H

#include "atomics.h"
#include "geometry.h"

/* All const after arn_classes_start. */
typedef struct arn_class {
  uint32_t size;     /* bytes of a block */
  uint32_t capacity; /* blocks of a pool */
  uint32_t slots;    /* pool-sized slots that a pool spans */
  uint32_t magic;    /* see arn_begins_block in pool.h */
  /* Most blocks in a heap's bin (bin.h): in any, in one that has often had too many, and in one that was
   * often too long and empty in turns. */
  uint16_t binned, overfull, turning;
} arn_class;

extern arn_class arn_classes[ARN_CLASSES];

void arn_classes_start(void);

/* Bytes of a block, also before the start; 0 for class 0. */
uint32_t arn_size_of_class(uint32_t number);

/* The class of every multiple of 16 bytes up to 1 KiB, then of every multiple of 64 up to the medium
 * limit. Most requests are for at most 1 KiB: these go straight on (`factor` 0.96). */
#define ARN_TABLE_FINE ((size_t)1024)
extern const uint8_t arn_class_table[];

/* The class of a size up to the medium limit; outside of the textbook geometry. */
static inline uint32_t arn_class_of(size_t size) {
  size_t small = (size + 15) >> 4, medium = ((size + 63) >> 6) + 48;
  return arn_class_table[likely(size <= ARN_TABLE_FINE) ? small : medium];
}

/* The class of a size from 1 to ARN_SMALL_LIMIT; 0 for 0. */
static inline uint32_t arn_small_class(size_t size) {
  return (uint32_t)((size + ARN_STEP - 1) >> ARN_STEP_SHIFT);
}

/* Which of 2^shift classes of its doubling a size is in. */
static inline uint32_t arn_class_step(size_t size, uint32_t doubling, uint32_t shift) {
  return (uint32_t)((size - 1) >> (doubling - shift)) & ((1u << shift) - 1);
}

/* The class of a size above the small limit and up to the medium limit. */
static inline uint32_t arn_medium_class(size_t size) {
  uint32_t doubling = ARN_LOG2(size - 1);
  if (size <= ARN_FINE_LIMIT)
    return 1 + ARN_SMALL_CLASSES + ((doubling - ARN_LOG2(ARN_SMALL_LIMIT)) << ARN_COARSE_SHIFT) +
           arn_class_step(size, doubling, ARN_COARSE_SHIFT);
  return 1 + ARN_SMALL_CLASSES + ARN_COARSE_CLASSES +
         ((doubling - ARN_LOG2(ARN_FINE_LIMIT)) << ARN_FINE_SHIFT) +
         arn_class_step(size, doubling, ARN_FINE_SHIFT);
}

#endif
