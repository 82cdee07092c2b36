/* falseshare_active.c - does the library give parts of one cache line to two threads?
 *
 * Each thread allocates a few small blocks, writes them many times over, and frees them. Threads
 * wait for each other before each block, so that their calls reach the library in turns. If two
 * threads' blocks then lie in one line, it travels between their cores with every write: the row
 * takes many times as long with two threads as with one. */
#include "row.h"

#include <pthread.h>

enum { BLOCKS = 16, SIZE = 8, ROUNDS = 20, WRITES = 1200000 };

static uint64_t rounds;
static pthread_barrier_t next_block;

static void work(int index) {
  volatile uint64_t *blocks[BLOCKS];
  (void)index;
  for (uint64_t round = 0; round < rounds; round++) {
    for (int i = 0; i < BLOCKS; i++) {
      pthread_barrier_wait(&next_block);
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
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "falseshare_active", ROW_THREADS_MAX, NULL);
  rounds = row_scaled(&row, ROUNDS);
  pthread_barrier_init(&next_block, NULL, (unsigned)row.threads);
  double seconds = row_run(row.threads, work);
  return row_report(&row, seconds, 2 * BLOCKS * rounds * (uint64_t)row.threads, NULL);
}
