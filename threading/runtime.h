/* runtime.h - a runtime and its threads' states.
 *
 * The mode is nothing but who owns the heap. Free-threaded: each thread state has a heap of its
 * own, which arn_self points to while the thread is attached. GIL: there is one heap, shared_heap,
 * and taking the GIL makes arn_self point to it. Away or detached, arn_self is the heap of the
 * thread's guest state if it has one (thread.c), or arn_no_heap.
 */
#ifndef ARN_THREADING_RUNTIME_H
#define ARN_THREADING_RUNTIME_H

#include <arenite/runtime.h>

#include "gil.h"
#include "group.h"
#include "heap.h"
#include "lock.h"

struct arn_runtime {
  arn_group group; /* first: arn_runtime_group is a cast */

  /* const after create */
  arn_mode mode;
  arn_heap *shared_heap; /* GIL mode */

  arn_gil gil; /* synchronised by itself */

  arn_lock lock;
  /* lock */
  arn_thread *threads; /* attached or away */
  uint32_t thread_count;

  /* the list's lock, in fork.c */
  arn_runtime *next, *previous;
};

struct arn_thread {
  arn_thread *next_free; /* first word: links structures that are not in use (meta.h) */
  /* const while attached or away */
  arn_runtime *runtime;
  arn_heap *heap;
  bool guest; /* made by malloc, not by arn_thread_attach; not in the runtime's list */
  /* this thread only */
  arn_thread *beneath; /* its guest state, or NULL */
  bool away;
  uint32_t end_rounds; /* how often its end was put off, see thread.c */
  /* runtime->lock */
  arn_thread *next, *previous;
};

/* The calling thread's topmost state, attached or away; or NULL. */
arn_thread *arn_thread_top(void);

/* Makes the key whose destructor ends threads. Early, if possible: setting the value of one of a
 * process's first 32 keys allocates nothing; glibc loses a value that is set while it allocates for
 * another one. */
void arn_thread_start(void);

/* Lets the calling thread in as a guest of a free-threaded runtime, until it ends: its heap is that
 * of the thread whenever it is not attached to something else. It has none yet. 0 or ENOMEM. */
int arn_thread_attach_guest(arn_runtime *runtime);

/* Registers the fork handlers, once; before those of the program, if possible. */
void arn_fork_register(void);

/* Whether the calling thread is forking, and holds every GIL for that. */
bool arn_fork_has_gils(void);

/* The list of runtimes that the fork handlers go through; fork.c. */
void arn_fork_watch(arn_runtime *runtime);
void arn_fork_unwatch(arn_runtime *runtime);

#endif
