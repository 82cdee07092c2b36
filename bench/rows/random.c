/* random.c - random sizes, random lifetimes, and some blocks freed elsewhere.
 *
 * A thread replaces blocks of its table at random. Sizes are 8 B to 16 KiB, and the probability of
 * a size falls off linearly: the smaller of two uniform numbers has just that distribution. A word
 * in each page of a block is written. Of several threads, each puts one block in eight into a slot
 * that all share and takes what lay there: those are freed by whoever got them. */
#include "row.h"

#include <stdatomic.h>

enum { BLOCKS = 4000, REPLACED = 1600000, SMALLEST = 8, LARGEST = 16384, SHARED = 1024, EVERY = 8 };

static uint64_t replaced; /* by each thread */
static int threads;
static _Atomic(void *) shared[SHARED];

static void *draw_block(struct row_random *random) {
  uint32_t one = row_below(random, LARGEST - SMALLEST + 1);
  uint32_t other = row_below(random, LARGEST - SMALLEST + 1);
  size_t size = SMALLEST + (one < other ? one : other);
  unsigned char *block = row_allocate(size);
  for (size_t at = ROW_PAGE; at < size; at += ROW_PAGE)
    block[at] = 1;
  return block;
}

static void release(void *block) {
  if (block != NULL)
    row_free(block);
}

static void work(int index) {
  struct row_random random = row_seed((uint64_t)index);
  void *blocks[BLOCKS];
  for (int i = 0; i < BLOCKS; i++)
    blocks[i] = draw_block(&random);
  for (uint64_t i = 0; i < replaced; i++) {
    void **slot = &blocks[row_below(&random, BLOCKS)];
    if (threads > 1 && i % EVERY == 0)
      *slot = atomic_exchange(&shared[row_below(&random, SHARED)], *slot);
    release(*slot);
    *slot = draw_block(&random);
  }
  for (int i = 0; i < BLOCKS; i++)
    release(blocks[i]);
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "random", ROW_THREADS_MAX, NULL);
  replaced = row_scaled(&row, REPLACED);
  threads = row.threads;
  double seconds = row_run(threads, work);
  for (int i = 0; i < SHARED; i++)
    release(shared[i]);
  return row_report(&row, seconds, 2 * (replaced + BLOCKS) * (uint64_t)threads, NULL);
}
