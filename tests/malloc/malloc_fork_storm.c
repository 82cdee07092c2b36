// long: 10000
// timeout: 120
/* malloc_fork_storm.c - fork at any moment: while eight threads allocate, resize and free, another one
 * forks again and again. Each child goes on with the heap as it finds it: frees what its parent's
 * threads left, allocates, starts threads, forks, and ends by _exit, exit or exec. None may hang or
 * come to harm; neither may the parent.
 *
 * The number of forks is the argument.
 */
#include "served.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, FORKS = 1500, LEFT = 64, LARGEST = 10000, MORE = 500000, PATIENCE_S = 30 };

/* What one thread leaves and another takes; whole before it is left. */
struct block {
  size_t size;
  uint64_t seed;
};
static _Atomic(struct block *) left[LEFT];
static atomic_bool enough;

/* How much of a block is written: it is the number of forks that matters. */
static size_t written(size_t size) {
  size -= sizeof(struct block);
  return size < 200 ? size : 200;
}

static struct block *take(uint64_t *random, size_t largest) {
  size_t size = sizeof(struct block) + support_size(random, largest);
  struct block *block;
  switch (support_below(random, 8)) {
  case 0:
    block = calloc(1, size);
    break;
  case 1:
    block = aligned_alloc(256, size);
    break;
  case 2:
    block = realloc(malloc(size / 2), size);
    break;
  default:
    block = malloc(size);
  }
  REQUIRE(block != NULL);
  *block = (struct block){size, support_random(random)};
  support_fill(block + 1, written(size), block->seed);
  return block;
}

static void give(struct block *block) {
  if (!block)
    return;
  size_t size = written(block->size);
  REQUIRE(support_holds(block + 1, size, size, block->seed));
  free(block);
}

static void churn(uint64_t *random, int operations, size_t largest) {
  for (int i = 0; i < operations; i++)
    give(atomic_exchange(&left[support_below(random, LEFT)], take(random, largest)));
}

static void *churns(void *context) {
  uint64_t random = (uint64_t)(uintptr_t)context;
  while (!atomic_load(&enough)) {
    churn(&random, 30, support_below(&random, 50) ? LARGEST : MORE);
    if (support_below(&random, 100) == 0)
      malloc_trim(0);
    /* Two processors for eight threads, and children that want their turn. */
    usleep(1000);
  }
  return NULL;
}

static void *short_thread(void *context) {
  uint64_t random = (uint64_t)(uintptr_t)context;
  churn(&random, 3, 1000);
  return NULL;
}

/* Threads come and go as well, which is when locks are taken. */
static void *starts_threads(void *context) {
  uint64_t random = (uint64_t)(uintptr_t)context;
  while (!atomic_load(&enough)) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
      REQUIRE(pthread_create(&threads[i], NULL, short_thread,
                             (void *)(uintptr_t)support_random(&random)) == 0);
    for (int i = 0; i < 4; i++)
      REQUIRE(pthread_join(threads[i], NULL) == 0);
    usleep(100);
  }
  return NULL;
}

/* --- A child --------------------------------------------------------------------------------- */

static void *thread_of_the_child(void *context) {
  uint64_t random = (uint64_t)(uintptr_t)context;
  churn(&random, 100, 5000);
  return NULL;
}

static void with_threads(void) {
  pthread_t threads[2];
  for (uintptr_t i = 0; i < 2; i++)
    REQUIRE(pthread_create(&threads[i], NULL, thread_of_the_child, (void *)(i + 1)) == 0);
  for (int i = 0; i < 2; i++)
    REQUIRE(pthread_join(threads[i], NULL) == 0);
}

static void fork_and_wait(uint64_t *random, int depth);

static _Noreturn void live(uint64_t random, int depth) {
  alarm(PATIENCE_S);
  churn(&random, 50, LARGEST);
  size_t what = support_below(&random, 16);
  if (what < 10)
    with_threads();
  else if (what == 10 && depth < 2)
    fork_and_wait(&random, depth + 1);
  else if (what == 11)
    execl("/bin/true", "true", (char *)NULL);
  else if (what == 12)
    served_check();
  else if (what == 13)
    for (int i = 0; i < LEFT; i++)
      give(atomic_exchange(&left[i], NULL));
  if (what % 2)
    exit(0);
  _exit(0);
}

static void fork_and_wait(uint64_t *random, int depth) {
  uint64_t seed = support_random(random);
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0)
    live(seed, depth);
  int status;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (status)
    fprintf(stderr, "a child ended with status %#x (signal %d)\n", status, WTERMSIG(status));
  REQUIRE(status == 0);
}

int main(int argc, char **argv) {
  uint64_t random = support_seed();
  size_t forks = argc > 1 ? strtoul(argv[1], NULL, 10) : support_scaled(FORKS);
  pthread_t threads[THREADS];
  alarm(110);
  for (uintptr_t i = 0; i < THREADS; i++)
    REQUIRE(pthread_create(&threads[i], NULL, i % 4 ? churns : starts_threads,
                           (void *)(uintptr_t)(random + i)) == 0);
  uint64_t began = support_now_ns();
  for (size_t i = 0; i < forks; i++)
    fork_and_wait(&random, 0);
  printf("%zu forks, %llu us each\n", forks,
         (unsigned long long)(support_now_ns() - began) / 1000 / forks);
  atomic_store(&enough, true);
  for (int i = 0; i < THREADS; i++)
    REQUIRE(pthread_join(threads[i], NULL) == 0);
  served_check();
  for (int i = 0; i < LEFT; i++)
    give(atomic_exchange(&left[i], NULL));
  served_check();
  return 0;
}
