// timeout: 120
/* malloc_threads.c - threads at any rate: a hundred thousand short ones, one after the other, and two
 * thousand at once. Afterwards nothing of them is left: live bytes are as before, there are as many
 * heaps as threads lived at once, and memory has gone back but for what those heaps are kept in.
 */
#include "served.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
  SHORT = 100000,
  CREATORS = 2,
  CROWD = 2000,
  STACK = 64 << 10, /* of a short thread; one of the crowd has half of that */
  LEFT = 64,        /* blocks that wait for some other thread to free them */
  OWN = 24,         /* blocks of one thread */
  /* Heaps for 5 threads, and for some that came while a moment's work went on in an orphan. */
  FEW = 16,
  KIB = 1024,
};

static uint64_t seed;

/* --- Blocks that one thread leaves and another frees ----------------------------------------- */

struct block {
  size_t size;
  uint64_t seed;
};
static _Atomic(struct block *) left[LEFT];

static struct block *take(uint64_t *random) {
  size_t size = sizeof(struct block) + support_size(random, 70000);
  struct block *block = malloc(size);
  REQUIRE(block != NULL);
  *block = (struct block){size, support_random(random)};
  support_fill(block + 1, size - sizeof *block, block->seed);
  return block;
}

static void give(struct block *block) {
  if (!block)
    return;
  size_t size = block->size - sizeof *block;
  REQUIRE(support_holds(block + 1, size, size, block->seed));
  free(block);
}

static void leave_and_take(uint64_t *random, struct block *block) {
  give(atomic_exchange(&left[support_below(random, LEFT)], block));
}

static void give_what_is_left(void) {
  for (int i = 0; i < LEFT; i++)
    give(atomic_exchange(&left[i], NULL));
}

/* --- What must be as it was ------------------------------------------------------------------ */

struct state {
  uint64_t live, heaps;
  size_t rss;
};

static struct state look(void) {
  while (malloc_trim(0)) {
  }
  served_check();
  arn_stats stats = served_stats();
  return (struct state){stats.live_bytes + stats.deferred_bytes, stats.heaps, support_rss()};
}

static void compare(const char *what, struct state before, uint64_t heaps, size_t rss) {
  struct state after = look();
  printf("%-10s live %+lld, heaps %llu, resident %+lld KiB\n", what,
         (long long)(after.live - before.live), (unsigned long long)after.heaps,
         ((long long)after.rss - (long long)before.rss) / KIB);
  fflush(stdout);
  REQUIRE(after.live == before.live);
  REQUIRE(after.heaps <= (served_gil() ? 1 : heaps));
  REQUIRE(after.rss <= before.rss + rss);
}

/* --- One after the other --------------------------------------------------------------------- */

static void *short_thread(void *context) {
  uint64_t random = (uint64_t)(uintptr_t)context;
  struct block *own[OWN];
  size_t count = support_below(&random, OWN);
  for (size_t i = 0; i < count; i++)
    own[i] = take(&random);
  for (size_t i = 0; i < count; i++)
    if (i % 8 == 0)
      leave_and_take(&random, own[i]);
    else
      give(own[i]);
  return NULL;
}

static void *creates(void *context) {
  uint64_t random = seed ^ (uintptr_t)pthread_self();
  /* A stack of our own: libc keeps those that it makes, and blocks of the heap with them. */
  void *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(stack != MAP_FAILED);
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstack(&attributes, stack, STACK) == 0);
  for (size_t i = (size_t)(uintptr_t)context / CREATORS; i > 0; i--) {
    pthread_t thread;
    void *number = (void *)(uintptr_t)support_random(&random);
    REQUIRE(pthread_create(&thread, &attributes, short_thread, number) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
  }
  pthread_attr_destroy(&attributes);
  REQUIRE(munmap(stack, STACK) == 0);
  return NULL;
}

static void one_after_the_other(size_t count) {
  pthread_t creators[CREATORS];
  for (int i = 0; i < CREATORS; i++)
    REQUIRE(pthread_create(&creators[i], NULL, creates, (void *)(uintptr_t)count) == 0);
  for (int i = 0; i < CREATORS; i++)
    REQUIRE(pthread_join(creators[i], NULL) == 0);
  give_what_is_left();
}

/* --- At once --------------------------------------------------------------------------------- */

static pthread_barrier_t all_here;
static struct block *crowds[CROWD];

static void *one_of_the_crowd(void *context) {
  size_t number = (size_t)(uintptr_t)context;
  uint64_t random = seed + number;
  struct block *own[OWN];
  for (int i = 0; i < OWN; i++)
    own[i] = take(&random);
  crowds[number] = own[0];
  pthread_barrier_wait(&all_here);
  give(crowds[(number + 1) % CROWD]);
  for (int i = 1; i < OWN; i++)
    give(own[i]);
  return NULL;
}

static void at_once(void) {
  static pthread_t threads[CROWD];
  size_t stack = STACK / 2;
  char *stacks =
      mmap(NULL, CROWD * stack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(stacks != MAP_FAILED);
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_barrier_init(&all_here, NULL, CROWD) == 0);
  for (size_t i = 0; i < CROWD; i++) {
    REQUIRE(pthread_attr_setstack(&attributes, stacks + i * stack, stack) == 0);
    REQUIRE(pthread_create(&threads[i], &attributes, one_of_the_crowd, (void *)i) == 0);
  }
  for (int i = 0; i < CROWD; i++)
    REQUIRE(pthread_join(threads[i], NULL) == 0);
  pthread_barrier_destroy(&all_here);
  pthread_attr_destroy(&attributes);
  REQUIRE(munmap(stacks, CROWD * stack) == 0);
}

/* Idle calls do in time what malloc_trim does at once: all goes back that has been free for a while. */
static void idle_gives_back(struct state before, size_t rss) {
  size_t (*idle)(arn_runtime *) = (size_t(*)(arn_runtime *))served_function("arn_idle");
  arn_runtime *(*runtime)(void) = (arn_runtime * (*)(void)) served_function("arn_malloc_runtime");
  for (int i = 0; i < 500 && support_rss() > before.rss + rss; i++) {
    while (idle(runtime())) {
    }
    support_sleep_ms(20);
  }
  REQUIRE(support_rss() <= before.rss + rss);
}

int main(void) {
  seed = support_seed();
  one_after_the_other(100); /* what libc keeps for threads is there from now on */
  struct state before = look();
  one_after_the_other(support_scaled(SHORT));
  compare("short", before, FEW, 2048 * KIB);

  before = look();
  /* A heap's structure is some KiB, and stays for the next thread. */
  size_t reserve = 4096 * KIB + (served_gil() ? 0 : (size_t)CROWD * 8 * KIB);
  at_once();
  compare("crowd", before, CROWD + FEW, reserve);
  at_once();
  idle_gives_back(before, reserve);
  compare("again", before, CROWD + FEW, reserve);
  one_after_the_other(SHORT / 10);
  compare("short", before, CROWD + FEW, reserve);
  return 0;
}
