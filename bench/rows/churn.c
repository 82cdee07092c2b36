/* churn.c - a server's churn, whose blocks outlive the threads that made them.
 *
 * After Larson and Krishnan's server: a thread holds a table of blocks and replaces one drawn at
 * random, again and again; after some rounds it starts a successor, which inherits the table, and
 * ends. Most blocks are freed by another thread than the one that allocated them, which by then is
 * gone. Each of --threads chains has its own table and does the same number of replacements. */
#include "row.h"

#include <pthread.h>
#include <semaphore.h>

enum { BLOCKS = 5000, ROUNDS = 10, SUCCESSORS = 140, SMALLEST = 8, LARGEST = 1000 };

struct chain {
  struct row_random random;
  uint64_t left; /* threads that are still to come */
  void *blocks[BLOCKS];
};

static sem_t finished;

static void *draw_block(struct chain *chain) {
  return row_allocate(SMALLEST + row_below(&chain->random, LARGEST - SMALLEST + 1));
}

static void start_successor(struct chain *chain);

static void *serve(void *argument) {
  struct chain *chain = argument;
  for (int i = 0; i < ROUNDS * BLOCKS; i++) {
    void **slot = &chain->blocks[row_below(&chain->random, BLOCKS)];
    row_free(*slot);
    *slot = draw_block(chain);
  }
  if (--chain->left > 0)
    start_successor(chain);
  else
    sem_post(&finished);
  return NULL;
}

/* Nobody waits for the thread: its predecessor is about to end. */
static void start_successor(struct chain *chain) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, serve, chain) != 0 || pthread_detach(thread) != 0)
    row_fail("a thread could not be started");
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "churn", ROW_THREADS_MAX, NULL);
  uint64_t successors = row_scaled(&row, SUCCESSORS);
  struct chain *chains = row_map((size_t)row.threads * sizeof *chains);
  sem_init(&finished, 0, 0);
  uint64_t start = row_now_ns();
  for (int i = 0; i < row.threads; i++) {
    chains[i].random = row_seed((uint64_t)i);
    chains[i].left = successors;
    for (int j = 0; j < BLOCKS; j++)
      chains[i].blocks[j] = draw_block(&chains[i]);
    start_successor(&chains[i]);
  }
  for (int i = 0; i < row.threads; i++)
    while (sem_wait(&finished) != 0)
      ;
  double seconds = row_seconds_since(start);
  for (int i = 0; i < row.threads; i++)
    for (int j = 0; j < BLOCKS; j++)
      row_free(chains[i].blocks[j]);
  uint64_t replaced = (uint64_t)row.threads * BLOCKS * (1 + successors * ROUNDS);
  return row_report(&row, seconds, 2 * replaced, NULL);
}
