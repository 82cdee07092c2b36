/* thread.c - thread states: attaching, detaching, and stepping away for a blocking call.
 *
 * A thread has at most two states. One is what arn_thread_attach gave it. Beneath that one, in a
 * process whose malloc is Arenite's, is the guest state that its first malloc gave it (core/malloc):
 * the thread's heap while it is attached to nothing, or away.
 *
 * Thread-local storage is scarce in a library that is preloaded, so the only variable is arn_self:
 * the state of an attached thread is arn_self->thread, and any thread's topmost one is the value of
 * the key whose destructor ends it.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "elsewhere.h"
#include "meta.h"
#include "panic.h"
#include "remote.h"
#include "runtime.h"

/* --- The topmost state, and the end of a thread ---------------------------------------------- */

static pthread_key_t end_key;
static pthread_once_t end_once = PTHREAD_ONCE_INIT;
static _Atomic bool end_key_made;

arn_thread *arn_thread_top(void) {
  return load_acquire(&end_key_made) ? pthread_getspecific(end_key) : NULL;
}

/* The heap of the thread while its topmost state is away or gone. */
static arn_heap *heap_beneath(const arn_thread *thread) {
  return thread->beneath ? thread->beneath->heap : &arn_no_heap;
}

static void end_guest(arn_thread *guest) {
  arn_self = &arn_ended_heap;
  pthread_setspecific(end_key, NULL);
  arn_heap_orphan(guest->heap);
  arn_meta_give(ARN_META_THREAD, guest);
}

/* Other destructors of the thread may still free blocks, so this one goes late: it puts itself off
 * until the last round but one that pthread_key_create(3) promises (in the last, the thread
 * sanitizer forgets the thread). A guest ends at once: it may have come in a late round, and past
 * its end its thread is let in for each call. */
static void thread_ends(void *argument) {
  arn_thread *thread = argument;
  if (!thread->guest && ++thread->end_rounds < PTHREAD_DESTRUCTOR_ITERATIONS - 1) {
    pthread_setspecific(end_key, thread);
    return;
  }
  arn_thread *guest = thread->guest ? thread : thread->beneath;
  if (thread != guest) {
    pthread_setspecific(end_key, thread); /* it is NULL in a destructor */
    if (thread->away)
      arn_restore_thread(thread);
    arn_thread_detach();
  }
  if (guest)
    end_guest(guest);
}

static void make_end_key(void) {
  if (pthread_key_create(&end_key, thread_ends) == 0)
    store_release(&end_key_made, true); /* with arn_thread_top */
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

void arn_thread_start(void) {
  pthread_once(&end_once, make_end_key);
}

/* A state with a heap: one that a thread left, or a new one, or in GIL mode the runtime's. NULL when out of
 * memory. */
static arn_thread *new_state(arn_runtime *runtime) {
  arn_thread_start();
  arn_thread *thread =
      load_relaxed(&end_key_made) ? arn_meta_take(ARN_META_THREAD, sizeof *thread) : NULL;
  if (!thread)
    return NULL;
  memset(thread, 0, sizeof *thread);
  thread->runtime = runtime;
  thread->heap = runtime->shared_heap;
  if (runtime->mode == ARN_MODE_FREE_THREADED)
    thread->heap = arn_heap_for_thread(&runtime->group);
  if (!thread->heap) {
    arn_meta_give(ARN_META_THREAD, thread);
    return NULL;
  }
  return thread;
}

static void discard_state(arn_thread *thread) {
  if (thread->runtime->mode == ARN_MODE_FREE_THREADED)
    arn_heap_orphan(thread->heap);
  arn_meta_give(ARN_META_THREAD, thread);
}

int arn_thread_attach(arn_runtime *runtime) {
  ARN_ELSEWHERE(thread_attach, runtime);
  arn_thread *top = arn_thread_top();
  if (top && !top->guest)
    return EBUSY;
  arn_thread *thread = new_state(runtime);
  if (!thread)
    return ENOMEM;
  thread->beneath = top;
  if (pthread_setspecific(end_key, thread)) {
    discard_state(thread);
    return ENOMEM;
  }
  /* From here on malloc, if it is ours and the key's value needed it, may have made a guest. */
  enlist(runtime, thread);
  if (runtime->mode == ARN_MODE_GIL)
    arn_gil_take(&runtime->gil, thread);
  thread->heap->thread = thread;
  if (runtime->mode == ARN_MODE_FREE_THREADED)
    store_relaxed(&thread->heap->thread_id, gettid());
  arn_self = thread->heap;
  return 0;
}

void arn_thread_detach(void) {
  ARN_ELSEWHERE(thread_detach);
  arn_thread *thread = arn_thread_top();
  if (!thread || thread->guest)
    return;
  if (thread->away)
    arn_panic("arn_thread_detach: this thread is away (arn_save_thread)");
  arn_runtime *runtime = thread->runtime;
  arn_self = heap_beneath(thread);
  pthread_setspecific(end_key, thread->beneath);
  if (runtime->mode == ARN_MODE_FREE_THREADED)
    arn_heap_orphan(thread->heap);
  else
    arn_gil_drop(&runtime->gil, thread);
  delist(runtime, thread);
  arn_meta_give(ARN_META_THREAD, thread);
}

int arn_thread_attach_guest(arn_runtime *runtime) {
  arn_thread *guest = new_state(runtime);
  if (!guest)
    return ENOMEM;
  guest->guest = true;
  guest->heap->thread = guest;
  store_relaxed(&guest->heap->thread_id, gettid());
  /* Before the key's value is set: setting it may allocate. */
  arn_self = guest->heap;
  arn_thread *top = arn_thread_top();
  if (top) {
    top->beneath = guest;
    return 0;
  }
  if (pthread_setspecific(end_key, guest)) {
    arn_self = &arn_no_heap;
    discard_state(guest);
    return ENOMEM;
  }
  return 0;
}

arn_runtime *arn_runtime_current(void) {
  ARN_ELSEWHERE(runtime_current);
  arn_thread *thread = arn_self->thread;
  return thread && !thread->guest ? thread->runtime : NULL;
}

/* --- Stepping away --------------------------------------------------------------------------- */

arn_thread *arn_save_thread(void) {
  ARN_ELSEWHERE(save_thread);
  arn_thread *thread = arn_self->thread;
  if (!thread || thread->guest)
    arn_heap_missing("arn_save_thread");
  thread->away = true;
  arn_self = heap_beneath(thread);
  if (thread->runtime->mode == ARN_MODE_GIL)
    arn_gil_drop(&thread->runtime->gil, thread);
  else
    arn_batches_send(thread->heap); /* nobody else can, while it is away */
  return thread;
}

void arn_restore_thread(arn_thread *thread) {
  ARN_ELSEWHERE(restore_thread, thread);
  if (!thread || thread != arn_thread_top() || !thread->away)
    arn_panic("arn_restore_thread: %p is not what arn_save_thread gave this thread",
              (void *)thread);
  if (thread->runtime->mode == ARN_MODE_GIL)
    arn_gil_take(&thread->runtime->gil, thread);
  thread->away = false;
  thread->heap->thread = thread;
  arn_self = thread->heap;
}

/* --- Safepoints ------------------------------------------------------------------------------ */

static __attribute__((noinline)) void answer_request(void) {
  ARN_ELSEWHERE(safepoint);
  arn_thread *thread = arn_self->thread;
  /* Deferred work is over its budget, or a thread waits for the GIL, or both. */
  arn_inbox_drain(thread->heap, UINT32_MAX);
  store_relaxed(&thread->heap->request, 0);
  if (thread->runtime->mode != ARN_MODE_GIL || load_relaxed(&thread->runtime->gil.waiting) == 0)
    return;
  arn_self = heap_beneath(thread);
  arn_gil_yield(&thread->runtime->gil, thread);
  thread->heap->thread = thread;
  arn_self = thread->heap;
}

void arn_safepoint(void) {
  if (unlikely(load_relaxed(&arn_self->request)))
    answer_request();
}
