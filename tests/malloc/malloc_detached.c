// timeout: 60
/* malloc_detached.c - a process ends while many detached threads are inside malloc: by return from
 * main, by exit, by _exit, and by the end of its last thread after main's own.
 */
#include "served.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 20, PROCESSES = 60 };

static atomic_int running;
static atomic_bool enough;

static void *churns(void *context) {
  uint64_t random = (uint64_t)(uintptr_t)context;
  void *blocks[64] = {NULL};
  atomic_fetch_add(&running, 1);
  while (!atomic_load(&enough)) {
    void **block = &blocks[support_below(&random, 64)];
    free(*block);
    *block = malloc(support_size(&random, 50000));
    REQUIRE(*block != NULL);
  }
  for (int i = 0; i < 64; i++)
    free(blocks[i]);
  return NULL;
}

static void at_exit(void) {
  for (int i = 0; i < 1000; i++)
    free(malloc((size_t)i * 10));
}

static void start(void) {
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0);
  for (uintptr_t i = 0; i < THREADS; i++) {
    pthread_t thread;
    REQUIRE(pthread_create(&thread, &attributes, churns, (void *)(i + 1)) == 0);
  }
  while (atomic_load(&running) < THREADS / 2)
    sched_yield();
  REQUIRE(atexit(at_exit) == 0);
}

/* Ends in one of four ways. */
static _Noreturn void live_and_end(int way) {
  alarm(20);
  start();
  switch (way) {
  case 0:
    exit(0);
  case 1:
    _exit(0);
  case 2:
    quick_exit(0);
  default:
    atomic_store(&enough, way % 2);
    if (way % 2 == 0)
      exit(0);
    pthread_exit(NULL);
  }
}

int main(void) {
  for (size_t i = support_scaled(PROCESSES); i > 0; i--) {
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0)
      live_and_end((int)(i % 4));
    int status;
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
  }
  start();
  return 0;
}
