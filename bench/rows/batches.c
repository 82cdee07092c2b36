/* batches.c - blocks come in batches, and a batch goes as a whole.
 *
 * As a parser or a request does: allocate 25 to 1,600 blocks of 16 B to 4 KiB, write every byte,
 * then free them all, in the order in which they came (FIFO) or in reverse (LIFO). Each batch size
 * and each order gets the same number of blocks. Threads share nothing. */
#include "row.h"

enum { BATCH_MIN = 25, BATCH_MAX = 1600, PASSES = 130, SIZE_LOW = 4, SIZE_HIGH = 12 };

static uint64_t passes;

static void run_batch(struct row_random *random, void **blocks, int count, bool fifo) {
  for (int i = 0; i < count; i++)
    blocks[i] = row_allocate_filled(row_octaves(random, SIZE_LOW, SIZE_HIGH));
  for (int i = 0; i < count; i++)
    row_free_filled(blocks[fifo ? i : count - 1 - i]);
}

static void work(int index) {
  struct row_random random = row_seed((uint64_t)index);
  void *blocks[BATCH_MAX];
  for (uint64_t pass = 0; pass < passes; pass++)
    for (int count = BATCH_MIN; count <= BATCH_MAX; count *= 2)
      for (int done = 0; done < BATCH_MAX; done += count) {
        run_batch(&random, blocks, count, true);
        run_batch(&random, blocks, count, false);
      }
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "batches", ROW_THREADS_MAX, NULL);
  passes = row_scaled(&row, PASSES);
  double seconds = row_run(row.threads, work);
  uint64_t blocks = 0;
  for (int count = BATCH_MIN; count <= BATCH_MAX; count *= 2)
    blocks += 2 * BATCH_MAX;
  return row_report(&row, seconds, 2 * blocks * passes * (uint64_t)row.threads, NULL);
}
