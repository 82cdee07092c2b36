/* malloc_handlers.h - fork handlers as programs have them, for malloc_fork_handlers.c.
 *
 * A set of handlers has a lock, which other threads hold while they call malloc; the handlers take it
 * before the fork and drop it on both sides, so that what it protects is whole in the child. All three
 * also allocate, free what the others allocated, and start a thread that does.
 */
#ifndef ARENITE_TESTS_MALLOC_HANDLERS_H
#define ARENITE_TESTS_MALLOC_HANDLERS_H

#include <pthread.h>

/* Who registers a set. */
enum handlers {
  HANDLERS_OF_PREINIT,     /* the program, before any constructor */
  HANDLERS_OF_LIBRARY,     /* a library's constructor */
  HANDLERS_OF_CONSTRUCTOR, /* the program's constructor */
  HANDLERS_OF_MAIN,
  HANDLERS_OF_LATE_LIBRARY, /* the constructor of one that is loaded by dlopen */
  HANDLERS_COUNT,
};

struct handlers_set {
  pthread_mutex_t lock;
  int allocates_only; /* these neither take the lock nor start threads */
  int registered;
  unsigned prepared, in_parent, in_child; /* how often each was called */
};

#define HANDLERS_API __attribute__((visibility("default")))
HANDLERS_API extern struct handlers_set handlers_sets[HANDLERS_COUNT];
HANDLERS_API void handlers_register(enum handlers who);

#endif
