/* thread.c - thread states: attaching, detaching, and stepping away for a blocking call. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "meta.h"
#include "panic.h"
#include "remote.h"
#include "runtime.h"

_Thread_local arn_thread *arn_this_thread;

/* --- The end of a thread that did not detach ------------------------------------------------- */

static pthread_key_t end_key;
static pthread_once_t end_once = PTHREAD_ONCE_INIT;

/* Other destructors of the thread may still free blocks, so this one goes late: it puts itself off
 * until the last round but one that pthread_key_create(3) promises (in the last, the thread
 * sanitizer forgets the thread). */
static void thread_ends(void *argument) {
  arn_thread *thread = argument;
  if (++thread->end_rounds < PTHREAD_DESTRUCTOR_ITERATIONS - 1) {
    pthread_setspecific(end_key, thread);
    return;
  }
  if (thread->away)
    arn_restore_thread(thread);
  arn_thread_detach();
}

static bool end_key_made;

static void make_end_key(void) {
  end_key_made = pthread_key_create(&end_key, thread_ends) == 0;
}

/* --- Attaching and detaching ----------------------------------------------------------------- */

static void enlist(arn_runtime *runtime, arn_thread *thread) {
  arn_lock_take(&runtime->lock);
  thread->next = runtime->threads;
  if (thread->next)
    thread->next->previous = thread;
  runtime->threads = thread;
  runtime->thread_count++;
  arn_lock_drop(&runtime->lock);
}

static void delist(arn_runtime *runtime, arn_thread *thread) {
  arn_lock_take(&runtime->lock);
  if (thread->next)
    thread->next->previous = thread->previous;
  if (thread->previous)
    thread->previous->next = thread->next;
  else
    runtime->threads = thread->next;
  runtime->thread_count--;
  arn_lock_drop(&runtime->lock);
}

int arn_thread_attach(arn_runtime *runtime) {
  if (arn_this_thread)
    return EBUSY;
  pthread_once(&end_once, make_end_key);
  arn_thread *thread = end_key_made ? arn_meta_take(ARN_META_THREAD, sizeof *thread) : NULL;
  if (!thread)
    return ENOMEM;
  memset(thread, 0, sizeof *thread);
  thread->runtime = runtime;
  thread->heap = runtime->shared_heap;
  if (runtime->mode == ARN_MODE_FREE_THREADED) {
    arn_group *group = &runtime->group;
    thread->heap = arn_heap_adopt(group);
    if (!thread->heap)
      thread->heap = arn_heap_open(group, false, group->config.private_arenas);
  }
  if (!thread->heap || pthread_setspecific(end_key, thread)) {
    if (thread->heap && runtime->mode == ARN_MODE_FREE_THREADED)
      arn_heap_orphan(thread->heap);
    arn_meta_give(ARN_META_THREAD, thread);
    return ENOMEM;
  }
  enlist(runtime, thread);
  if (runtime->mode == ARN_MODE_GIL)
    arn_gil_take(&runtime->gil, thread);
  arn_this_thread = thread;
  arn_self = thread->heap;
  return 0;
}

void arn_thread_detach(void) {
  arn_thread *thread = arn_this_thread;
  if (!thread)
    return;
  if (thread->away)
    arn_panic("arn_thread_detach: this thread is away (arn_save_thread)");
  arn_runtime *runtime = thread->runtime;
  arn_self = &arn_no_heap;
  arn_this_thread = NULL;
  pthread_setspecific(end_key, NULL);
  if (runtime->mode == ARN_MODE_FREE_THREADED)
    arn_heap_orphan(thread->heap);
  else
    arn_gil_drop(&runtime->gil, thread);
  delist(runtime, thread);
  arn_meta_give(ARN_META_THREAD, thread);
}

arn_runtime *arn_runtime_current(void) {
  arn_thread *thread = arn_this_thread;
  return thread && !thread->away ? thread->runtime : NULL;
}

/* --- Stepping away --------------------------------------------------------------------------- */

arn_thread *arn_save_thread(void) {
  arn_thread *thread = arn_this_thread;
  if (!thread || thread->away)
    arn_heap_missing("arn_save_thread");
  thread->away = true;
  arn_self = &arn_no_heap;
  if (thread->runtime->mode == ARN_MODE_GIL)
    arn_gil_drop(&thread->runtime->gil, thread);
  else
    arn_batches_send(thread->heap); /* nobody else can, while it is away */
  return thread;
}

void arn_restore_thread(arn_thread *thread) {
  if (!thread || thread != arn_this_thread || !thread->away)
    arn_panic("arn_restore_thread: %p is not what arn_save_thread gave this thread",
              (void *)thread);
  if (thread->runtime->mode == ARN_MODE_GIL)
    arn_gil_take(&thread->runtime->gil, thread);
  thread->away = false;
  arn_self = thread->heap;
}

/* --- Safepoints ------------------------------------------------------------------------------ */

static __attribute__((noinline)) void answer_request(void) {
  arn_thread *thread = arn_this_thread;
  /* Deferred work is over its budget, or a thread waits for the GIL, or both. */
  arn_inbox_drain(thread->heap, UINT32_MAX);
  store_relaxed(&thread->heap->request, 0);
  if (thread->runtime->mode != ARN_MODE_GIL || load_relaxed(&thread->runtime->gil.waiting) == 0)
    return;
  arn_self = &arn_no_heap;
  arn_gil_yield(&thread->runtime->gil, thread);
  arn_self = thread->heap;
}

void arn_safepoint(void) {
  if (unlikely(load_relaxed(&arn_self->request)))
    answer_request();
}
