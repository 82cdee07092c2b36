/* prodcons.c - one thread allocates, another frees: no block is freed where it was made.
 *
 * A producer fills a bounded ring with blocks, a part at a time, and its consumer empties it.
 * --threads=N is N / 2 such pairs, each with a ring of eight parts, so that both threads of a pair
 * can work at once. --threads=1 is one pair whose ring is a single part: the two threads take turns
 * and keep one core busy between them. Every pair does the same work. */
#include "row.h"

#include <semaphore.h>
#include <stdio.h>

enum { RING = 8192, PARTS = 8, ROUNDS = 320, SIZE_LOW = 4, SIZE_HIGH = 10 /* 16 B to 1 KiB */ };

struct pair {
  sem_t empty, full; /* parts of the ring */
  void *ring[RING];
};

static struct pair *pairs;
static uint32_t parts;  /* of each ring */
static uint64_t handed; /* parts, in the whole run */

static void wait_for(sem_t *semaphore) {
  while (sem_wait(semaphore) != 0)
    ;
}

static void **part_of(struct pair *pair, uint64_t number) {
  return pair->ring + number % parts * (RING / parts);
}

static void produce(struct pair *pair, struct row_random random) {
  for (uint64_t number = 0; number < handed; number++) {
    wait_for(&pair->empty);
    void **part = part_of(pair, number);
    for (uint32_t i = 0; i < RING / parts; i++)
      part[i] = row_allocate(row_octaves(&random, SIZE_LOW, SIZE_HIGH));
    sem_post(&pair->full);
  }
}

static void consume(struct pair *pair) {
  for (uint64_t number = 0; number < handed; number++) {
    wait_for(&pair->full);
    void **part = part_of(pair, number);
    for (uint32_t i = 0; i < RING / parts; i++)
      row_free(part[i]);
    sem_post(&pair->empty);
  }
}

static void work(int index) {
  struct pair *pair = &pairs[index / 2];
  if (index % 2 == 0)
    produce(pair, row_seed((uint64_t)index));
  else
    consume(pair);
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "prodcons", ROW_THREADS_MAX, NULL);
  if (row.threads > 1 && row.threads % 2 != 0) {
    fprintf(stderr, "prodcons: --threads is 1 or an even number: producers and consumers.\n");
    return 2;
  }
  int count = row.threads > 1 ? row.threads / 2 : 1;
  parts = row.threads > 1 ? PARTS : 1;
  uint64_t rounds = row_scaled(&row, ROUNDS);
  handed = rounds * parts;
  pairs = row_map((size_t)count * sizeof *pairs);
  for (int i = 0; i < count; i++) {
    sem_init(&pairs[i].empty, 0, parts);
    sem_init(&pairs[i].full, 0, 0);
  }
  double seconds = row_run(2 * count, work);
  return row_report(&row, seconds, 2 * RING * rounds * (uint64_t)count, NULL);
}
