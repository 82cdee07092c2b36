// forms: static preloaded
// timeout: 90
/* malloc_fork_children.c - what children of fork do, beside a parent whose threads are busy: go on for
 * long with many threads, fork again, be forked by a thread that never called malloc or is ending, or
 * be started by vfork and posix_spawn.
 */
#include "served.h"

#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 6, BLOCKS = 3000, SIZE = 700, GENERATIONS = 4, PATIENCE_S = 30 };

static atomic_bool enough;
/* Blocks of the parent's threads, which the children free. */
static void *inherited[THREADS][BLOCKS];
static atomic_int ready;

static void work(uint64_t seed, int operations) {
  void *blocks[200] = {NULL};
  size_t sizes[200] = {0};
  for (int i = 0; i < operations; i++) {
    size_t at = support_below(&seed, 200);
    REQUIRE(!blocks[at] || support_holds(blocks[at], sizes[at], sizes[at], at));
    free(blocks[at]);
    sizes[at] = support_size(&seed, 100000);
    blocks[at] = malloc(sizes[at]);
    REQUIRE(blocks[at] != NULL);
    support_fill(blocks[at], sizes[at], at);
  }
  for (int i = 0; i < 200; i++)
    free(blocks[i]);
}

static void *busy(void *context) {
  uintptr_t number = (uintptr_t)context;
  for (int i = 0; i < BLOCKS; i++) {
    inherited[number][i] = malloc(SIZE);
    REQUIRE(inherited[number][i] != NULL);
    support_fill(inherited[number][i], SIZE, number);
  }
  atomic_fetch_add(&ready, 1);
  while (!atomic_load(&enough)) {
    work(number, 50);
    usleep(500);
  }
  return NULL;
}

static void wait_for(pid_t child) {
  int status;
  REQUIRE(child > 0);
  REQUIRE(waitpid(child, &status, 0) == child);
  if (status)
    fprintf(stderr, "the child's status is %#x (signal %d)\n", status, WTERMSIG(status));
  REQUIRE(status == 0);
}

static _Noreturn void end_quietly(void) {
  served_check();
  _exit(0);
}

/* --- A server that forks its workers --------------------------------------------------------- */

static void *works(void *context) {
  work((uint64_t)(uintptr_t)context, 2000);
  return NULL;
}

static void with_many_threads(void) {
  pthread_t threads[THREADS];
  for (uintptr_t i = 0; i < THREADS; i++)
    REQUIRE(pthread_create(&threads[i], NULL, works, (void *)(i + 1)) == 0);
  work(100, 2000);
  for (int i = 0; i < THREADS; i++)
    REQUIRE(pthread_join(threads[i], NULL) == 0);
}

/* What was inherited is freed and its memory serves again: though its owners are not here, it is not
 * lost. */
static void reuse_what_was_inherited(void) {
  uint64_t before = served_stats().arenas;
  for (uintptr_t i = 0; i < THREADS; i++)
    for (int j = 0; j < BLOCKS; j++) {
      REQUIRE(support_holds(inherited[i][j], SIZE, SIZE, i));
      free(inherited[i][j]);
    }
  malloc_trim(0);
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < THREADS; i++)
      for (int j = 0; j < BLOCKS; j++) {
        inherited[i][j] = malloc(SIZE);
        REQUIRE(inherited[i][j] != NULL);
        support_fill(inherited[i][j], SIZE, (uint64_t)i);
      }
    if (round < 4)
      for (int i = 0; i < THREADS; i++)
        for (int j = 0; j < BLOCKS; j++)
          free(inherited[i][j]);
  }
  /* They are 12.6 MB, and an arena is 1 MiB or more. */
  uint64_t after = served_stats().arenas;
  if (after > before + 4)
    fprintf(stderr, "%llu arenas became %llu\n", (unsigned long long)before,
            (unsigned long long)after);
  REQUIRE(after <= before + 4);
}

static void generation(int number) {
  pid_t child = fork();
  if (child == 0) {
    alarm(PATIENCE_S);
    reuse_what_was_inherited();
    with_many_threads();
    served_check();
    if (number < GENERATIONS)
      generation(number + 1);
    end_quietly();
  }
  wait_for(child);
}

/* --- Forked by a strange thread -------------------------------------------------------------- */

static void fork_from_here(void) {
  pid_t child = fork();
  if (child == 0) {
    alarm(PATIENCE_S);
    work(1, 500);
    with_many_threads();
    end_quietly();
  }
  wait_for(child);
}

/* It has no heap, neither here nor in the child. */
static void *never_called_malloc(void *context) {
  fork_from_here();
  return context;
}

static pthread_key_t key;
static char rounds[PTHREAD_DESTRUCTOR_ITERATIONS + 1];

/* The last of all rounds: its heap has gone. */
static void forks_at_its_end(void *context) {
  char *left = context;
  if (left > rounds + 1)
    REQUIRE(pthread_setspecific(key, left - 1) == 0);
  else
    fork_from_here();
}

static void *ends(void *context) {
  free(malloc(SIZE));
  REQUIRE(pthread_setspecific(key, rounds + PTHREAD_DESTRUCTOR_ITERATIONS) == 0);
  return context;
}

static void by_strange_threads(void) {
  void *(*const runs[])(void *) = {never_called_malloc, ends};
  for (size_t i = 0; i < 2; i++)
    for (size_t j = support_scaled(6); j > 0; j--) {
      pthread_t thread;
      REQUIRE(pthread_create(&thread, NULL, runs[i], NULL) == 0);
      REQUIRE(pthread_join(thread, NULL) == 0);
    }
}

/* Several threads fork at once, and each child forks. */
static void *forks_often(void *context) {
  for (size_t i = support_scaled(30); i > 0; i--) {
    pid_t child = fork();
    if (child == 0) {
      alarm(PATIENCE_S);
      work(i, 100);
      pid_t grandchild = fork();
      if (grandchild == 0) {
        alarm(PATIENCE_S);
        work(i, 100);
        end_quietly();
      }
      wait_for(grandchild);
      end_quietly();
    }
    wait_for(child);
  }
  return context;
}

static void several_at_once(void) {
  pthread_t threads[3];
  for (int i = 0; i < 3; i++)
    REQUIRE(pthread_create(&threads[i], NULL, forks_often, NULL) == 0);
  for (int i = 0; i < 3; i++)
    REQUIRE(pthread_join(threads[i], NULL) == 0);
}

/* --- Other programs -------------------------------------------------------------------------- */

extern char **environ;

static void other_programs(void) {
  char *arguments[] = {"true", NULL};
  for (size_t i = support_scaled(60); i > 0; i--) {
    pid_t child = vfork();
    if (child == 0) {
      /* More than vfork(2) allows, and what some do all the same: it is their parent's memory. */
      free(malloc(SIZE));
      execv("/bin/true", arguments);
      _exit(127);
    }
    wait_for(child);
    REQUIRE(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ) == 0);
    wait_for(child);
    if (i % 4 == 0) {
      REQUIRE(system("exit 0") == 0);
      FILE *output = popen("echo said", "r");
      char line[16] = "";
      REQUIRE(output && fgets(line, sizeof line, output) && strcmp(line, "said\n") == 0);
      REQUIRE(pclose(output) == 0);
    }
  }
}

int main(void) {
  REQUIRE(pthread_key_create(&key, forks_at_its_end) == 0);
  alarm(80);
  pthread_t threads[THREADS];
  for (uintptr_t i = 0; i < THREADS; i++)
    REQUIRE(pthread_create(&threads[i], NULL, busy, (void *)i) == 0);
  while (atomic_load(&ready) < THREADS)
    usleep(1000);
  generation(1);
  by_strange_threads();
  several_at_once();
  other_programs();
  atomic_store(&enough, true);
  for (int i = 0; i < THREADS; i++)
    REQUIRE(pthread_join(threads[i], NULL) == 0);
  served_check();
  return 0;
}
