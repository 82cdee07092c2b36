/* slots.c - the table of slots.h. */
#include "support.h"

#include "slots.h"

#include <stdatomic.h>
#include <string.h>

struct header {
  size_t size;
  uint64_t seed;
};

static _Atomic(void *) slots[SLOTS];

static void write_block(void *block, size_t size, uint64_t seed) {
  struct header header = {size, seed};
  memcpy(block, &header, sizeof header);
  support_fill((char *)block + sizeof header, size - sizeof header, seed);
}

static struct header verify(const void *block, size_t kept) {
  struct header header;
  memcpy(&header, block, sizeof header);
  size_t size = header.size - sizeof header;
  kept = kept < header.size ? kept : header.size;
  REQUIRE(header.size >= sizeof header && arn_usable_size(block) >= kept);
  REQUIRE(
      support_holds((const char *)block + sizeof header, size, kept - sizeof header, header.seed));
  return header;
}

void *slots_block(uint64_t *random, size_t largest) {
  size_t size = sizeof(struct header) + support_size(random, largest - sizeof(struct header));
  void *block = support_below(random, 8) ? arn_malloc(size) : arn_calloc(1, size);
  REQUIRE(block != NULL);
  write_block(block, size, support_random(random));
  return block;
}

void slots_free(void *block) {
  if (block == NULL)
    return;
  verify(block, SIZE_MAX);
  arn_free(block);
}

void slots_exchange(uint64_t *random, size_t largest) {
  void *block = slots_block(random, largest);
  block =
      atomic_exchange_explicit(&slots[support_below(random, SLOTS)], block, memory_order_acq_rel);
  if (block != NULL && support_below(random, 16) == 0) {
    struct header header = verify(block, SIZE_MAX);
    size_t size = header.size / 2 + support_below(random, header.size) + sizeof header;
    block = arn_realloc(block, size);
    REQUIRE(block != NULL);
    verify(block, size);
    write_block(block, size, header.seed + 1);
    block =
        atomic_exchange_explicit(&slots[support_below(random, SLOTS)], block, memory_order_acq_rel);
  }
  slots_free(block);
}

void slots_drain(size_t first, size_t step) {
  for (size_t i = first; i < SLOTS; i += step)
    slots_free(atomic_exchange_explicit(&slots[i], NULL, memory_order_acq_rel));
}
