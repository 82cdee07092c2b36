// environment: ARENITE_LIMIT=64M
// timeout: 60
/* malloc_limit.c - ARENITE_LIMIT bounds what malloc takes from the system: there it ends with NULL and
 * ENOMEM, whichever thread asks and for whatever size, and it goes on when something has been freed.
 */
#include "served.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MIB = 1 << 20, LIMIT = 64 * MIB, THREADS = 4 };

struct link {
  struct link *next;
  size_t size;
};

static size_t exhaust(struct link **chain, size_t size) {
  size_t bytes = 0;
  for (;;) {
    errno = 0;
    struct link *link = malloc(size);
    if (!link)
      break;
    *link = (struct link){*chain, size};
    support_fill(link + 1, size - sizeof *link, size);
    *chain = link;
    bytes += size;
    REQUIRE(bytes <= LIMIT);
  }
  REQUIRE(errno == ENOMEM);
  /* Blocks of other sizes there may be, in pools that were begun for them. */
  for (size_t other = 16; other <= LIMIT; other *= 3) {
    errno = 0;
    void *block = other % 32 ? calloc(1, other) : aligned_alloc(128, other);
    REQUIRE(block || errno == ENOMEM);
    free(block);
  }
  return bytes;
}

static void free_all(struct link **chain) {
  while (*chain) {
    struct link *link = *chain;
    size_t size = link->size - sizeof *link;
    REQUIRE(support_holds(link + 1, size, size, link->size));
    *chain = link->next;
    free(link);
  }
}

static void every_size(void) {
  static const size_t sizes[] = {32, 300, 5000, 30000, 200000, 900000, 5 * MIB, 33 * MIB};
  for (int round = 0; round < 2; round++)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      struct link *chain = NULL;
      size_t got = exhaust(&chain, sizes[i]);
      /* What does not fit into the last arenas, and the ends of pools, are lost. */
      if (got < LIMIT / 2)
        fprintf(stderr, "blocks of %zu bytes: %zu KiB\n", sizes[i], got / 1024);
      REQUIRE(got >= LIMIT / 2);
      REQUIRE(served_stats().arena_bytes + served_stats().huge_bytes <= LIMIT);
      served_check();
      free_all(&chain);
      void *block = malloc(30 * MIB);
      REQUIRE(block != NULL);
      free(block);
    }
}

/* --- Several threads at once, each with what is left ----------------------------------------- */

static pthread_barrier_t together;

static void *takes_what_is_left(void *context) {
  size_t size = (size_t)(uintptr_t)context;
  struct link *chain = NULL;
  for (int round = 0; round < 5; round++) {
    pthread_barrier_wait(&together);
    for (struct link *link; (link = malloc(size)); chain = link)
      *link = (struct link){chain, size};
    REQUIRE(errno == ENOMEM);
    pthread_barrier_wait(&together);
    while (chain) {
      struct link *next = chain->next;
      free(chain);
      chain = next;
    }
  }
  return NULL;
}

static void together_too(void) {
  static const size_t sizes[THREADS] = {200, 3000, 100000, 2 * MIB};
  pthread_t threads[THREADS];
  REQUIRE(pthread_barrier_init(&together, NULL, THREADS) == 0);
  for (int i = 0; i < THREADS; i++)
    REQUIRE(pthread_create(&threads[i], NULL, takes_what_is_left, (void *)(uintptr_t)sizes[i]) ==
            0);
  for (int i = 0; i < THREADS; i++)
    REQUIRE(pthread_join(threads[i], NULL) == 0);
  REQUIRE(served_stats().arena_bytes + served_stats().huge_bytes <= LIMIT);
  served_check();
}

int main(void) {
  alarm(50);
  every_size();
  together_too();
  return 0;
}
