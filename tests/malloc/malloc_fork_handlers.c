// forms: static preloaded
// libraries: malloc_handlers
// timeout: 60
/* malloc_fork_handlers.c - fork handlers of the program and of its libraries, registered at all times
 * from before the first constructor on, which allocate, free and start threads, and which take locks
 * that other threads hold while they are inside malloc.
 */
#include "served.h"

#include "malloc_handlers.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKS = 200, PATIENCE_S = 20 };

static atomic_bool enough;

static void before_all_constructors(void) {
#ifdef FORM_STATIC
  /* The static library's own are registered by the program's first constructor, so these will run
   * inside of them (docs/malloc.md). */
  handlers_sets[HANDLERS_OF_PREINIT].allocates_only = 1;
  handlers_sets[HANDLERS_OF_LIBRARY].allocates_only = 1;
#endif
  handlers_register(HANDLERS_OF_PREINIT);
}
__attribute__((section(".preinit_array"),
               used)) static void (*const preinit)(void) = before_all_constructors;

__attribute__((constructor)) static void program_starts(void) {
  handlers_register(HANDLERS_OF_CONSTRUCTOR);
}

static void use_the_lock(enum handlers who, uint64_t *random) {
  pthread_mutex_t *lock = &handlers_sets[who].lock;
  REQUIRE(pthread_mutex_lock(lock) == 0);
  size_t size = support_size(random, 200000);
  void *block = malloc(size);
  REQUIRE(block != NULL);
  free(realloc(block, size + 100));
  REQUIRE(pthread_mutex_unlock(lock) == 0);
}

static void *holds_the_lock(void *context) {
  enum handlers who = (enum handlers)(uintptr_t)context;
  uint64_t random = who;
  while (!atomic_load(&enough)) {
    use_the_lock(who, &random);
    usleep(50); /* a lock is not handed over: others must have a moment to take it */
  }
  return NULL;
}

/* Its first malloc is under the lock. */
static void *comes_and_goes(void *context) {
  enum handlers who = (enum handlers)(uintptr_t)context;
  uint64_t random = who;
  use_the_lock(who, &random);
  return NULL;
}

static void *starts_threads(void *context) {
  while (!atomic_load(&enough)) {
    pthread_t threads[HANDLERS_COUNT];
    for (uintptr_t i = 0; i < HANDLERS_COUNT; i++)
      REQUIRE(pthread_create(&threads[i], NULL, comes_and_goes, (void *)i) == 0);
    for (int i = 0; i < HANDLERS_COUNT; i++)
      REQUIRE(pthread_join(threads[i], NULL) == 0);
    usleep(500);
  }
  return context;
}

static _Noreturn void live_in_the_child(unsigned forks) {
  alarm(PATIENCE_S);
  uint64_t random = forks;
  for (int i = 0; i < HANDLERS_COUNT; i++) {
    REQUIRE(handlers_sets[i].in_child == 1);
    use_the_lock((enum handlers)i, &random);
  }
  if (forks % 8 == 0)
    served_check();
  _exit(0);
}

static void fork_and_wait(unsigned forks) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0)
    live_in_the_child(forks);
  int status;
  REQUIRE(waitpid(child, &status, 0) == child && status == 0);
  for (int i = 0; i < HANDLERS_COUNT; i++)
    REQUIRE(handlers_sets[i].prepared == forks && handlers_sets[i].in_parent == forks);
}

int main(void) {
  char late[4096];
  alarm(50); /* a deadlock is a failure, not a wait */
  handlers_register(HANDLERS_OF_MAIN);
  snprintf(late, sizeof late, "%s/lib/libmalloc_late_handlers.so", getenv("TESTS"));
  if (!dlopen(late, RTLD_NOW)) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  for (int i = 0; i < HANDLERS_COUNT; i++)
    REQUIRE(handlers_sets[i].registered);

  fork_and_wait(1); /* with one thread */
  pthread_t threads[HANDLERS_COUNT + 1];
  for (uintptr_t i = 0; i < HANDLERS_COUNT; i++)
    REQUIRE(pthread_create(&threads[i], NULL, holds_the_lock, (void *)i) == 0);
  REQUIRE(pthread_create(&threads[HANDLERS_COUNT], NULL, starts_threads, NULL) == 0);
  for (unsigned i = 2; i < 2 + support_scaled(FORKS); i++)
    fork_and_wait(i);
  atomic_store(&enough, true);
  for (int i = 0; i <= HANDLERS_COUNT; i++)
    REQUIRE(pthread_join(threads[i], NULL) == 0);
  served_check();
  return 0;
}
