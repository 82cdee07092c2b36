/* falseshare_passive.c - does a free let a cache line be shared that was not before?
 *
 * One thread allocates small blocks, one beside the other, and deals them out like cards. Each
 * thread frees what it was given, and then allocates, writes and frees blocks of its own many
 * times. If a library keeps a freed block for the thread that freed it, then the neighbours in one
 * line now serve different threads, and the line travels between their cores with every write. */
#include "row.h"

enum { BLOCKS = 16, SIZE = 8, ROUNDS = 1000, WRITES = 24000 };

static uint64_t rounds;
static void *dealt[ROW_THREADS_MAX][BLOCKS];

static void write_blocks(void) {
  volatile uint64_t *blocks[BLOCKS];
  for (int i = 0; i < BLOCKS; i++) {
    blocks[i] = malloc(SIZE);
    if (blocks[i] == NULL)
      row_fail("malloc returned NULL");
    *blocks[i] = 0;
  }
  for (int write = 0; write < WRITES; write++)
    for (int i = 0; i < BLOCKS; i++)
      ++*blocks[i];
  for (int i = 0; i < BLOCKS; i++) {
    if (*blocks[i] != WRITES)
      row_fail("another thread wrote into a block");
    free((void *)blocks[i]);
  }
}

static void work(int index) {
  for (int i = 0; i < BLOCKS; i++)
    row_free(dealt[index][i]);
  for (uint64_t round = 0; round < rounds; round++)
    write_blocks();
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "falseshare_passive", ROW_THREADS_MAX, NULL);
  rounds = row_scaled(&row, ROUNDS);
  for (int i = 0; i < BLOCKS; i++)
    for (int thread = 0; thread < row.threads; thread++)
      dealt[thread][i] = row_allocate(SIZE);
  double seconds = row_run(row.threads, work);
  return row_report(&row, seconds, 2 * BLOCKS * (rounds + 1) * (uint64_t)row.threads, NULL);
}
