// forms: bare
// timeout: 60
/* malloc_dlclose.c - a program that loads the library also lets it go, while threads have used it
 * and blocks of it are out: the threads end, a child is forked, the blocks are read, and the library
 * is loaded again, all as if it had stayed.
 */
#include "served.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, SIZE = 1000 };

static void *library;
static sem_t used, closed;

static void load(void) {
  library = dlopen(getenv("ARENITE_MALLOC"), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    abort();
  }
}

static char *take(void) {
  void *(*their_malloc)(size_t) = (void *(*)(size_t))dlsym(library, "malloc");
  char *block = their_malloc(SIZE);
  REQUIRE(block != NULL);
  support_fill(block, SIZE, 1);
  return block;
}

static void *lives_longer(void *context) {
  (void)context;
  char *block = take();
  sem_post(&used);
  sem_wait(&closed);
  REQUIRE(support_holds(block, SIZE, SIZE, 1));
  return NULL;
}

static void fork_a_child(void) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0)
    exit(0);
  int status;
  REQUIRE(waitpid(child, &status, 0) == child && status == 0);
}

int main(void) {
  sem_init(&used, 0, 0);
  sem_init(&closed, 0, 0);
  for (int round = 0; round < 20; round++) {
    pthread_t threads[THREADS];
    load();
    char *block = take();
    for (int i = 0; i < THREADS; i++) {
      REQUIRE(pthread_create(&threads[i], NULL, lives_longer, NULL) == 0);
      sem_wait(&used);
    }
    REQUIRE(dlclose(library) == 0);
    for (int i = 0; i < THREADS; i++)
      sem_post(&closed);
    for (int i = 0; i < THREADS; i++)
      REQUIRE(pthread_join(threads[i], NULL) == 0);
    REQUIRE(support_holds(block, SIZE, SIZE, 1));
    fork_a_child();
  }
  return 0;
}
