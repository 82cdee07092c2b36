/* threadchurn.c - threads come and go.
 *
 * Each lives only to allocate two hundred small blocks, replace some of them and free all: what a
 * library sets up for a thread, and takes down behind it, is a good part of the work. Still shorter
 * lives measure the scheduler: a thread that ends before the one that joins it has gone to sleep costs
 * two wake-ups across cores, and the faster library is the slower one. --threads=N is N
 * such threads at a time. */
#include "row.h"

#include <pthread.h>

enum { LIVES = 8000, BLOCKS = 200, REPLACED = 400, SIZE_LOW = 4, SIZE_HIGH = 11 };

static uint64_t lives; /* of each worker, one after the other */

static void *live_briefly(void *number) {
  struct row_random random = row_seed((uint64_t)(uintptr_t)number);
  void *blocks[BLOCKS];
  for (int i = 0; i < BLOCKS; i++)
    blocks[i] = row_allocate(row_octaves(&random, SIZE_LOW, SIZE_HIGH));
  for (int i = 0; i < REPLACED; i++) {
    void **slot = &blocks[row_below(&random, BLOCKS)];
    row_free(*slot);
    *slot = row_allocate(row_octaves(&random, SIZE_LOW, SIZE_HIGH));
  }
  for (int i = 0; i < BLOCKS; i++)
    row_free(blocks[i]);
  return NULL;
}

static void work(int index) {
  for (uint64_t life = 0; life < lives; life++) {
    void *number = (void *)(uintptr_t)((uint64_t)index * lives + life);
    pthread_t thread;
    if (pthread_create(&thread, NULL, live_briefly, number) != 0 || pthread_join(thread, NULL) != 0)
      row_fail("a thread could not be started");
  }
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "threadchurn", ROW_THREADS_MAX, NULL);
  lives = row_scaled(&row, LIVES);
  double seconds = row_run(row.threads, work);
  uint64_t calls = 2 * (BLOCKS + REPLACED) * lives * (uint64_t)row.threads;
  return row_report(&row, seconds, calls, "\"lives_each\":%llu", (unsigned long long)lives);
}
