// forms: bare
// timeout: 60
/* malloc_dlopen.c - a program that serves itself from libc's malloc loads the library late, for its
 * functions' sake: threads that ran before and after use both mallocs side by side.
 */
#include "served.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 2000, KEYS = 40 };

static void *library;
static void *(*their_malloc)(size_t);
static void *(*their_realloc)(void *, size_t);
static void (*their_free)(void *);
static size_t (*their_usable_size)(void *);
static atomic_int phase;
static _Atomic(void *) passed[THREADS];

static void *function(const char *name) {
  void *found = dlsym(library, name);
  REQUIRE(found != NULL);
  return found;
}

static void load(void) {
  library = dlopen(getenv("ARENITE_MALLOC"), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    abort();
  }
  their_malloc = (void *(*)(size_t))function("malloc");
  their_realloc = (void *(*)(void *, size_t))function("realloc");
  their_free = (void (*)(void *))function("free");
  their_usable_size = (size_t(*)(void *))function("malloc_usable_size");
  REQUIRE(their_malloc != malloc && their_free != free);
}

static void use(uint64_t seed) {
  for (int i = 0; i < ROUNDS; i++) {
    size_t size = support_size(&seed, 100000);
    char *theirs = their_malloc(size), *ours = malloc(size);
    REQUIRE(theirs && ours && their_usable_size(theirs) >= size);
    support_fill(theirs, size, seed);
    support_fill(ours, size, seed);
    theirs = their_realloc(theirs, size + 100);
    REQUIRE(support_holds(theirs, size, size, seed) && support_holds(ours, size, size, seed));
    free(ours);
    /* Every block is freed by another thread than took it. */
    their_free(atomic_exchange(&passed[support_below(&seed, THREADS)], theirs));
  }
}

static void *before_and_after(void *context) {
  free(malloc(100));
  while (atomic_load(&phase) == 0)
    support_sleep_ms(1);
  use((uint64_t)(uintptr_t)context);
  return NULL;
}

static void *after(void *context) {
  use((uint64_t)(uintptr_t)context);
  return NULL;
}

static void check(void) {
  arn_runtime *(*runtime)(void) = (arn_runtime * (*)(void)) function("arn_malloc_runtime");
  int (*verify)(arn_runtime *, char *, size_t) =
      (int (*)(arn_runtime *, char *, size_t))function("arn_check");
  int (*attach)(arn_runtime *) = (int (*)(arn_runtime *))function("arn_thread_attach");
  void (*detach)(void) = (void (*)(void))function("arn_thread_detach");
  char message[512] = "";
  REQUIRE(attach(runtime()) == 0);
  int broken = verify(runtime(), message, sizeof message);
  detach();
  if (broken) {
    fprintf(stderr, "arn_check: %d broken: %s\n", broken, message);
    abort();
  }
}

static void in_a_child(void) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(20);
    use(1);
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, after, (void *)1) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
    exit(0);
  }
  int status;
  REQUIRE(waitpid(child, &status, 0) == child && status == 0);
}

int main(void) {
  pthread_t threads[THREADS];
  pthread_key_t key;
  /* So many that the library's own is beyond those whose values a thread has room for. */
  for (int i = 0; i < KEYS; i++)
    REQUIRE(pthread_key_create(&key, NULL) == 0);
  for (uintptr_t i = 0; i < THREADS / 2; i++)
    REQUIRE(pthread_create(&threads[i], NULL, before_and_after, (void *)(i + 1)) == 0);
  load();
  atomic_store(&phase, 1);
  for (uintptr_t i = THREADS / 2; i < THREADS; i++)
    REQUIRE(pthread_create(&threads[i], NULL, after, (void *)(i + 1)) == 0);
  use(support_seed());
  for (int i = 0; i < THREADS; i++)
    REQUIRE(pthread_join(threads[i], NULL) == 0);
  for (int i = 0; i < THREADS; i++)
    their_free(atomic_exchange(&passed[i], NULL));
  check();
  in_a_child();
  check();
  return 0;
}
