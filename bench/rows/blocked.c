/* blocked.c - what the caches of threads that only wait keep from the others.
 *
 * Six threads, each started by the one before it, which then waits for it. A thread replaces blocks
 * of a table of 2,000, 8 B to 32 KiB, at random, and leaves the table to the next. One thread at a
 * time works, and as much is alive all the while, about 3 MiB; but what a library keeps for each
 * thread by itself lies idle in the five that wait. The figure is the peak of resident memory. */
#include "row.h"

#include <pthread.h>

enum { THREADS = 6, BLOCKS = 2000, REPLACED = 250000, SMALLEST = 8, DOUBLINGS = 12 };

static void *blocks[BLOCKS];
static struct row_random random_state;
static uint64_t replaced; /* by each thread */
static int left = THREADS;

/* Up to 8 B doubled up to 12 times, the mean of two draws: a few large blocks among many small. */
static size_t draw_size(void) {
  uint32_t doublings = row_below(&random_state, DOUBLINGS + 1);
  doublings = (doublings + row_below(&random_state, DOUBLINGS + 1) + 1) / 2;
  return SMALLEST + row_below(&random_state, (SMALLEST << doublings) - SMALLEST + 1);
}

static void run_next(void);

static void *work(void *unused) {
  (void)unused;
  for (uint64_t i = 0; i < replaced; i++) {
    void **slot = &blocks[row_below(&random_state, BLOCKS)];
    if (*slot != NULL)
      row_free_filled(*slot);
    *slot = row_allocate_filled(draw_size());
  }
  if (--left > 0)
    run_next();
  return NULL;
}

static void run_next(void) {
  pthread_t next;
  if (pthread_create(&next, NULL, work, NULL) != 0 || pthread_join(next, NULL) != 0)
    row_fail("a thread could not be started");
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "blocked", 1, NULL);
  replaced = row_scaled(&row, REPLACED);
  random_state = row_seed(0);
  uint64_t start = row_now_ns();
  run_next();
  double seconds = row_seconds_since(start);
  size_t live = 0;
  for (int i = 0; i < BLOCKS; i++)
    if (blocks[i] != NULL)
      live += row_size(blocks[i]);
  return row_report(&row, seconds, 2 * replaced * THREADS - BLOCKS, "\"live_kib\":%zu",
                    live / 1024);
}
