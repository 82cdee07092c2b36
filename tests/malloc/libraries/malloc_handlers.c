/* malloc_handlers.c - see malloc_handlers.h. */
#include "malloc_handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SET                                                                                        \
  { .lock = PTHREAD_MUTEX_INITIALIZER }
struct handlers_set handlers_sets[HANDLERS_COUNT] = {SET, SET, SET, SET, SET};

enum { BLOCKS = 8 };
static void *kept[HANDLERS_COUNT][BLOCKS];

static void require(int condition, const char *what) {
  if (condition)
    return;
  fprintf(stderr, "a fork handler: %s\n", what);
  abort();
}

/* Frees what the last call took, and takes blocks of all kinds. */
static void *churn(void *context) {
  void **blocks = context;
  static const size_t sizes[BLOCKS] = {0, 24, 400, 1000, 9000, 50000, 600000, 40 << 20};
  for (int i = 0; i < BLOCKS; i++) {
    free(blocks[i]);
    blocks[i] = i % 2 ? malloc(sizes[i]) : calloc(1, sizes[i]);
    require(blocks[i] != NULL, "memory");
    memset(blocks[i], 1, sizes[i] < 1000 ? sizes[i] : 1000);
  }
  blocks[1] = realloc(blocks[1], 3000);
  require(blocks[1] != NULL, "more memory");
  return NULL;
}

static void work(enum handlers who) {
  pthread_t thread;
  churn(kept[who]);
  if (handlers_sets[who].allocates_only)
    return;
  require(pthread_create(&thread, NULL, churn, kept[who]) == 0, "a thread");
  require(pthread_join(thread, NULL) == 0, "the thread's end");
  churn(kept[who]);
}

static void prepare(enum handlers who) {
  work(who);
  if (!handlers_sets[who].allocates_only)
    require(pthread_mutex_lock(&handlers_sets[who].lock) == 0, "its lock");
  churn(kept[who]);
  handlers_sets[who].prepared++;
}

static void in_parent(enum handlers who) {
  handlers_sets[who].in_parent++;
  churn(kept[who]);
  if (!handlers_sets[who].allocates_only)
    require(pthread_mutex_unlock(&handlers_sets[who].lock) == 0, "to drop its lock");
  work(who);
}

static void in_child(enum handlers who) {
  handlers_sets[who].in_child++;
  churn(kept[who]);
  require(pthread_mutex_init(&handlers_sets[who].lock, NULL) == 0, "to make its lock anew");
  work(who);
}

#define HANDLERS_OF(who)                                                                           \
  static void prepare_##who(void) {                                                                \
    prepare(who);                                                                                  \
  }                                                                                                \
  static void in_parent_##who(void) {                                                              \
    in_parent(who);                                                                                \
  }                                                                                                \
  static void in_child_##who(void) {                                                               \
    in_child(who);                                                                                 \
  }
HANDLERS_OF(HANDLERS_OF_PREINIT)
HANDLERS_OF(HANDLERS_OF_LIBRARY)
HANDLERS_OF(HANDLERS_OF_CONSTRUCTOR)
HANDLERS_OF(HANDLERS_OF_MAIN)
HANDLERS_OF(HANDLERS_OF_LATE_LIBRARY)

void handlers_register(enum handlers who) {
#define THREE(who)                                                                                 \
  { prepare_##who, in_parent_##who, in_child_##who }
  static void (*const all[HANDLERS_COUNT][3])(void) = {
      THREE(HANDLERS_OF_PREINIT), THREE(HANDLERS_OF_LIBRARY),      THREE(HANDLERS_OF_CONSTRUCTOR),
      THREE(HANDLERS_OF_MAIN),    THREE(HANDLERS_OF_LATE_LIBRARY),
  };
  require(pthread_atfork(all[who][0], all[who][1], all[who][2]) == 0, "to be registered");
  handlers_sets[who].registered = 1;
}

__attribute__((constructor)) static void library_starts(void) {
  handlers_register(HANDLERS_OF_LIBRARY);
}
