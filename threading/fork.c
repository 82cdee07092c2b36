/* fork.c - fork(2) at any moment.
 *
 * Before: the forking thread steps back from its own GIL (another thread that forks may hold the
 * list and want it), takes the list of runtimes, then every GIL, then the other locks; so in the
 * child every shared heap and every list is whole. Free-threaded heaps of other threads may be in
 * the middle of anything: in the child they are frozen (heap.h). The forking thread's own goes on.
 */
#include <pthread.h>

#include "meta.h"
#include "runtime.h"

static arn_lock list_lock = ARN_LOCK_INIT(ARN_RANK_FORK);
static arn_runtime *runtimes; /* list_lock */

/* Who holds the GILs while fork runs. */
static char forker;

/* Whether the calling thread holds the runtime's GIL, fork aside. */
static bool is_mine(const arn_runtime *runtime) {
  return runtime->mode == ARN_MODE_GIL && arn_this_thread && !arn_this_thread->away &&
         arn_this_thread->runtime == runtime;
}

static void before_fork(void) {
  if (arn_this_thread && is_mine(arn_this_thread->runtime))
    arn_gil_drop(&arn_this_thread->runtime->gil, arn_this_thread);
  arn_lock_take(&list_lock);
  for (arn_runtime *r = runtimes; r; r = r->next) {
    if (r->mode == ARN_MODE_GIL)
      arn_gil_take(&r->gil, is_mine(r) ? (const void *)arn_this_thread : &forker);
  }
  /* One runtime's lock at a time is all that others hold, so any order will do; their rank is
   * checked for one at a time, hence the mutexes themselves. */
  for (arn_runtime *r = runtimes; r; r = r->next)
    pthread_mutex_lock(&r->lock.mutex);
  arn_meta_before_fork();
}

static void unlock_all(void) {
  arn_meta_after_fork();
  for (arn_runtime *r = runtimes; r; r = r->next)
    pthread_mutex_unlock(&r->lock.mutex);
}

static void after_fork_in_parent(void) {
  unlock_all();
  for (arn_runtime *r = runtimes; r; r = r->next)
    if (r->mode == ARN_MODE_GIL && !is_mine(r))
      arn_gil_drop(&r->gil, &forker);
  arn_lock_drop(&list_lock);
}

/* The states of threads that are not in this process. */
static void forget_threads(arn_runtime *runtime) {
  arn_thread *mine = NULL;
  for (arn_thread *thread = runtime->threads, *next; thread; thread = next) {
    next = thread->next;
    if (thread == arn_this_thread)
      mine = thread;
    else
      arn_meta_give(ARN_META_THREAD, thread);
  }
  runtime->threads = mine;
  runtime->thread_count = mine ? 1 : 0;
  if (mine)
    mine->next = mine->previous = NULL;
}

static void after_fork_in_child(void) {
  unlock_all();
  for (arn_runtime *r = runtimes; r; r = r->next) {
    forget_threads(r);
    if (r->mode == ARN_MODE_GIL) {
      arn_gil_after_fork(&r->gil, is_mine(r) ? arn_this_thread : NULL);
      arn_group_after_fork(&r->group, r->shared_heap);
    } else {
      bool here = arn_this_thread && arn_this_thread->runtime == r;
      arn_group_after_fork(&r->group, here ? arn_this_thread->heap : NULL);
    }
  }
  arn_lock_drop(&list_lock);
}

static void register_handlers(void) {
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
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, register_handlers);
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
