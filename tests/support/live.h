/* live.h - a model of what is live: every block with its size and the seed of its contents.
 *
 * Random operations run against the model and against the library at once; whatever comes out of
 * the library later than it went in is verified against the model.
 */
#ifndef ARENITE_TESTS_LIVE_H
#define ARENITE_TESTS_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_block {
  void *at;
  size_t size;
  uint64_t seed;
};

struct live {
  struct live_block *blocks;
  size_t count, capacity;
};

void live_open(struct live *live, size_t capacity);
void live_close(struct live *live);
/* Fills the block and remembers it. False when the model has no room: the caller frees. */
bool live_add(struct live *live, void *at, size_t size, uint64_t seed);
/* Verifies the block and takes it out of the model; the caller frees it. */
struct live_block live_take(struct live *live, size_t index);
/* Verifies that no two blocks overlap and that each has its contents; aborts otherwise. */
void live_verify(const struct live *live);

#endif
