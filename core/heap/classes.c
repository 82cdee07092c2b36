/* classes.c - see classes.h. */
#include "classes.h"

#include <arenite/inspect.h>

#include "elsewhere.h"

arn_class arn_classes[ARN_CLASSES];

/* arn_small_class and arn_medium_class as constant expressions: the process's first malloc, before
 * anything has started, reads the table. */
#define SMALL_CLASS(n) (((n) + ARN_STEP - 1) >> ARN_STEP_SHIFT)
#define STEP(n, doubling, shift)                                                                   \
  ((((size_t)(n)-1) * (1u << (shift)) >> (doubling)) & ((1u << (shift)) - 1))
#define COARSE_CLASS(n, doubling)                                                                  \
  (1 + ARN_SMALL_CLASSES + (((doubling)-ARN_LOG2(ARN_SMALL_LIMIT)) << ARN_COARSE_SHIFT) +          \
   STEP(n, doubling, ARN_COARSE_SHIFT))
#define FINE_CLASS(n, doubling)                                                                    \
  (1 + ARN_SMALL_CLASSES + ARN_COARSE_CLASSES +                                                    \
   (((doubling)-ARN_LOG2(ARN_FINE_LIMIT)) << ARN_FINE_SHIFT) + STEP(n, doubling, ARN_FINE_SHIFT))
#define CLASS(n)                                                                                   \
  (uint8_t)((n) <= ARN_SMALL_LIMIT  ? SMALL_CLASS((size_t)(n))                                     \
            : (n) <= ARN_FINE_LIMIT ? COARSE_CLASS(n, ARN_LOG2(((n)-1) | 1))                       \
                                    : FINE_CLASS(n, ARN_LOG2(((n)-1) | 1)))
#define FOUR(n, step)                                                                              \
  CLASS(n), CLASS((n) + (step)), CLASS((n) + 2 * (step)), CLASS((n) + 3 * (step))
#define SIXTEEN(n, step)                                                                           \
  FOUR(n, step), FOUR((n) + 4 * (step), step), FOUR((n) + 8 * (step), step),                       \
      FOUR((n) + 12 * (step), step)
#define KIB(n) SIXTEEN(((n) << 10) + 64, 64)
#define FOUR_KIB(n) KIB(n), KIB((n) + 1), KIB((n) + 2), KIB((n) + 3)

const uint8_t arn_class_table[] = {
    SIXTEEN(0, 16), SIXTEEN(256, 16), SIXTEEN(512, 16), SIXTEEN(768, 16), CLASS(1024),
#if !ARN_TEXTBOOK
    KIB(1),         KIB(2),           KIB(3),           FOUR_KIB(4),      FOUR_KIB(8),
    FOUR_KIB(12),   FOUR_KIB(16),     FOUR_KIB(20),     FOUR_KIB(24),     FOUR_KIB(28),
#endif
};
_Static_assert(ARN_TEXTBOOK || sizeof arn_class_table == 65 + 31 * 16, "up to the medium limit");

/* The size of class `above`, counted from the first that is larger than from. */
static uint32_t stepped_size(uint32_t above, size_t from, uint32_t shift) {
  uint32_t steps = 1u << shift;
  return ((uint32_t)(from >> shift) << (above >> shift)) * (steps + 1 + above % steps);
}

uint32_t arn_size_of_class(uint32_t number) {
  if (number <= ARN_SMALL_CLASSES)
    return number << ARN_STEP_SHIFT;
  uint32_t above = number - ARN_SMALL_CLASSES - 1, coarse = ARN_COARSE_CLASSES;
  if (above < coarse)
    return stepped_size(above, ARN_SMALL_LIMIT, ARN_COARSE_SHIFT);
  return stepped_size(above - coarse, ARN_FINE_LIMIT, ARN_FINE_SHIFT);
}

static uint16_t bin_blocks(uint32_t size, uint32_t bytes) {
  uint32_t blocks = bytes / size;
  return (uint16_t)(blocks > ARN_BIN_BLOCKS ? ARN_BIN_BLOCKS : blocks > 1 ? blocks : 1);
}

/* Slots of a pool of blocks of the size. */
static uint32_t pool_slots(uint32_t size) {
  uint32_t slots = 1;
  while (slots * ARN_POOL_SIZE < (size_t)size * ARN_POOL_MIN_BLOCKS)
    slots *= 2;
  size_t bytes = slots * ARN_POOL_SIZE;
  uint32_t pages = UINT32_C(1) << ARN_LOG2(size); /* and the class just above */
  bool dense = size > ARN_FINE_LIMIT &&
               (size <= ARN_POOL_DENSE_LIMIT || size == pages + (pages >> ARN_FINE_SHIFT));
  return dense && bytes % size > bytes / ARN_POOL_DENSE_WASTE ? slots * 2 : slots;
}

void arn_classes_start(void) {
  for (uint32_t i = 1; i < ARN_CLASSES; i++) {
    arn_class *class = &arn_classes[i];
    class->size = arn_size_of_class(i);
    class->slots = pool_slots(class->size);
    class->capacity = (uint32_t)(class->slots * ARN_POOL_SIZE / class->size);
    class->magic = UINT32_MAX / class->size + 1;
    class->turning = bin_blocks(class->size, ARN_BIN_TURNING_BYTES);
    class->overfull = bin_blocks(class->size, ARN_BIN_BYTES);
    class->binned =
        bin_blocks(class->size, class->size > ARN_BIN_LARGE ? ARN_BIN_LARGE_BYTES : ARN_BIN_BYTES);
  }
}

uint32_t arn_class_count(void) {
  ARN_ELSEWHERE(class_count);
  return ARN_CLASSES - 1;
}

size_t arn_class_size(uint32_t size_class) {
  ARN_ELSEWHERE(class_size, size_class);
  return size_class < ARN_CLASSES - 1 ? arn_size_of_class(size_class + 1) : 0;
}

arn_geometry arn_geometry_get(void) {
  ARN_ELSEWHERE(geometry_get);
  return (arn_geometry){.name = ARN_GEOMETRY_NAME,
                        .step = ARN_STEP,
                        .pool_size = ARN_POOL_SIZE,
                        .arena_size = ARN_ARENA_SIZE,
                        .small_limit = ARN_SMALL_LIMIT,
                        .small_classes = ARN_SMALL_CLASSES};
}
