/* fork.c - fork(2) at any moment.
 *
 * Before: the forking thread steps back from its own GIL (another thread that forks may hold the
 * list and want it), takes the list of runtimes, then every GIL, then the other locks; so in the
 * child every shared heap and every list is whole. Free-threaded heaps of other threads may be in
 * the middle of anything: in the child they are frozen (heap.h). The forking thread's own goes on.
 *
 * Handlers of the program may run inside of ours, and allocate: the locks can be taken again by the
 * thread that has them (lock.h), and arn_fork_has_gils tells it that it holds the GILs. No handler
 * may run inside of ours that waits for another thread which in turn waits for one of these locks;
 * so ours are registered as early as possible, before those of the program.
 */
#include <pthread.h>
#include <unistd.h>

#include "meta.h"
#include "runtime.h"

static arn_lock list_lock = ARN_LOCK_INIT(ARN_RANK_FORK);
static arn_runtime *runtimes; /* list_lock */

/* Who holds the GILs while fork runs. */
static char forker;
static _Atomic(const void *) forking; /* arn_here of the thread that holds the GILs, or NULL */

bool arn_fork_has_gils(void) {
  return load_relaxed(&forking) == arn_here();
}

/* The calling thread's state when it holds the runtime's GIL, fork aside; or NULL. */
static arn_thread *holder_here(const arn_runtime *runtime) {
  arn_thread *top = arn_thread_top();
  bool holds = top && runtime->mode == ARN_MODE_GIL && top->runtime == runtime && !top->away;
  return holds ? top : NULL;
}

static void before_fork(void) {
  arn_thread *top = arn_thread_top();
  if (top && holder_here(top->runtime))
    arn_gil_drop(&top->runtime->gil, top);
  arn_lock_take(&list_lock);
  for (arn_runtime *r = runtimes; r; r = r->next) {
    if (r->mode != ARN_MODE_GIL)
      continue;
    arn_thread *mine = holder_here(r);
    arn_gil_take(&r->gil, mine ? (const void *)mine : &forker);
    if (mine)
      r->shared_heap->thread = mine;
  }
  store_relaxed(&forking, arn_here());
  /* One runtime's lock at a time is all that others hold, so any order will do. */
  for (arn_runtime *r = runtimes; r; r = r->next)
    arn_lock_take_all(&r->lock);
  arn_space_before_fork();
  arn_meta_before_fork();
}

static void after_fork_in_parent(void) {
  arn_meta_after_fork(false);
  arn_space_after_fork(false);
  for (arn_runtime *r = runtimes; r; r = r->next)
    arn_lock_drop(&r->lock);
  store_relaxed(&forking, NULL);
  for (arn_runtime *r = runtimes; r; r = r->next)
    if (r->mode == ARN_MODE_GIL && !holder_here(r))
      arn_gil_drop(&r->gil, &forker);
  arn_lock_drop(&list_lock);
}

/* Whether a state is one of the calling thread's. */
static bool is_mine(const arn_thread *thread) {
  const arn_thread *top = arn_thread_top();
  return top && (thread == top || thread == top->beneath);
}

/* The states of threads that are not in this process. */
static void forget_threads(arn_runtime *runtime) {
  arn_thread *mine = NULL;
  for (arn_thread *thread = runtime->threads, *next; thread; thread = next) {
    next = thread->next;
    if (is_mine(thread))
      mine = thread;
    else
      arn_meta_give(ARN_META_THREAD, thread);
  }
  runtime->threads = mine;
  runtime->thread_count = mine ? 1 : 0;
  if (mine)
    mine->next = mine->previous = NULL;
}

/* The heap of the runtime that is the calling thread's, or NULL. Its two states may both be in one
 * runtime: then both heaps. */
static void my_heaps(const arn_runtime *runtime, arn_heap *mine[2]) {
  const arn_thread *top = arn_thread_top();
  mine[0] = top && top->runtime == runtime ? top->heap : NULL;
  const arn_thread *beneath = top ? top->beneath : NULL;
  mine[1] = beneath && beneath->runtime == runtime ? beneath->heap : NULL;
}

static void after_fork_in_child(void) {
  arn_meta_after_fork(true);
  arn_space_after_fork(true);
  for (arn_runtime *r = runtimes; r; r = r->next)
    arn_lock_after_fork(&r->lock);
  for (arn_runtime *r = runtimes; r; r = r->next) {
    forget_threads(r);
    arn_heap *mine[2];
    my_heaps(r, mine);
    for (int i = 0; i < 2; i++)
      if (mine[i])
        store_relaxed(&mine[i]->thread_id, gettid());
    if (r->mode == ARN_MODE_GIL) {
      arn_gil_after_fork(&r->gil, holder_here(r));
      mine[0] = r->shared_heap;
    }
    arn_group_after_fork(&r->group, (const arn_heap *const *)mine);
  }
  store_relaxed(&forking, NULL);
  arn_lock_after_fork(&list_lock);
}

void arn_fork_register(void) {
  /* Registering may allocate, and allocating come here; hence not pthread_once. */
  static _Atomic bool registered;
  bool before = false;
  if (!load_relaxed(&registered) && cas_acq_rel(&registered, &before, true))
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* The list, for one who may hold a GIL: steps back from it meanwhile, because a thread that forks
 * has the list and wants every GIL. */
static arn_thread *take_list(void) {
  arn_thread *away = arn_runtime_current() ? arn_save_thread() : NULL;
  arn_lock_take(&list_lock);
  return away;
}

static void drop_list(arn_thread *away) {
  arn_lock_drop(&list_lock);
  if (away)
    arn_restore_thread(away);
}

void arn_fork_watch(arn_runtime *runtime) {
  arn_fork_register();
  arn_thread *away = take_list();
  runtime->previous = NULL;
  runtime->next = runtimes;
  if (runtimes)
    runtimes->previous = runtime;
  runtimes = runtime;
  drop_list(away);
}

void arn_fork_unwatch(arn_runtime *runtime) {
  arn_thread *away = take_list();
  if (runtime->next)
    runtime->next->previous = runtime->previous;
  if (runtime->previous)
    runtime->previous->next = runtime->next;
  else
    runtimes = runtime->next;
  drop_list(away);
}
