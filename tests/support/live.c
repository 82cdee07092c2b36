/* live.c - the model of what is live (live.h). Its memory comes from libc. */
#include "support.h"

#include "live.h"

#include <stdlib.h>
#include <string.h>

void live_open(struct live *live, size_t capacity) {
  live->blocks = calloc(capacity, sizeof *live->blocks);
  REQUIRE(live->blocks != NULL);
  live->count = 0;
  live->capacity = capacity;
}

void live_close(struct live *live) {
  REQUIRE(live->count == 0);
  free(live->blocks);
}

bool live_add(struct live *live, void *at, size_t size, uint64_t seed) {
  if (live->count == live->capacity)
    return false;
  support_fill(at, size, seed);
  live->blocks[live->count++] = (struct live_block){at, size, seed};
  return true;
}

struct live_block live_take(struct live *live, size_t index) {
  struct live_block block = live->blocks[index];
  REQUIRE(support_holds(block.at, block.size, block.size, block.seed));
  live->blocks[index] = live->blocks[--live->count];
  return block;
}

static int by_address(const void *a, const void *b) {
  uintptr_t left = (uintptr_t)((const struct live_block *)a)->at;
  uintptr_t right = (uintptr_t)((const struct live_block *)b)->at;
  return (left > right) - (left < right);
}

void live_verify(const struct live *live) {
  if (live->count == 0)
    return;
  struct live_block *sorted = malloc(live->count * sizeof *sorted);
  REQUIRE(sorted != NULL);
  memcpy(sorted, live->blocks, live->count * sizeof *sorted);
  qsort(sorted, live->count, sizeof *sorted, by_address);
  for (size_t i = 0; i < live->count; i++) {
    REQUIRE(support_holds(sorted[i].at, sorted[i].size, sorted[i].size, sorted[i].seed));
    if (i > 0)
      REQUIRE((uintptr_t)sorted[i - 1].at + sorted[i - 1].size <= (uintptr_t)sorted[i].at);
  }
  free(sorted);
}
