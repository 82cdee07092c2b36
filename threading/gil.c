/* gil.c - see gil.h. */
#include "gil.h"

#include <errno.h>
#include <time.h>

static uint64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void start_waiting_room(arn_gil *gil) {
  pthread_condattr_t attributes;
  pthread_mutex_init(&gil->mutex, NULL);
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&gil->free, &attributes);
  pthread_cond_init(&gil->switched, &attributes);
  pthread_condattr_destroy(&attributes);
}

void arn_gil_start(arn_gil *gil, uint32_t interval_us, _Atomic uint32_t *request) {
  *gil = (arn_gil){.interval_us = interval_us, .request = request};
  start_waiting_room(gil);
}

void arn_gil_end(arn_gil *gil) {
  pthread_cond_destroy(&gil->switched);
  pthread_cond_destroy(&gil->free);
  pthread_mutex_destroy(&gil->mutex);
}

static bool try_take(arn_gil *gil) {
  uint32_t none = 0;
  return load_seq_cst(&gil->taken) == 0 && cas_seq_cst(&gil->taken, &none, 1);
}

/* The caller has just taken it. */
static void note_taken(arn_gil *gil, const void *holder) {
  bump(&gil->takes, 1);
  if (load_relaxed(gil->request))
    store_relaxed(gil->request, 0);
  if (load_relaxed(&gil->last_holder) != holder) {
    store_seq_cst(&gil->last_holder, holder); /* with switch_waiting in arn_gil_yield */
    bump(&gil->switches, 1);
  }
}

/* Tells those who were made to let another thread go first. Not under the mutex. */
static void tell_switched(arn_gil *gil) {
  if (likely(load_seq_cst(&gil->switch_waiting) == 0))
    return;
  pthread_mutex_lock(&gil->mutex);
  pthread_cond_broadcast(&gil->switched);
  pthread_mutex_unlock(&gil->mutex);
}

/* The time one interval from now, on the clock of the conditions. */
static struct timespec one_interval_on(const arn_gil *gil) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  uint64_t ns = (uint64_t)time.tv_nsec + (uint64_t)gil->interval_us * 1000;
  time.tv_sec += (time_t)(ns / 1000000000);
  time.tv_nsec = (long)(ns % 1000000000);
  return time;
}

/* To wait for a condition is a cancellation point (pthreads(7)); to take a GIL is none, nor is
 * malloc, which may do so. */
static int hold_cancellation(void) {
  int before;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  return before;
}

/* Waits for the GIL. It counts as waiting since began. */
static __attribute__((noinline)) void take_slowly(arn_gil *gil, uint64_t began) {
  int cancel = hold_cancellation();
  pthread_mutex_lock(&gil->mutex);
  atomic_fetch_add(&gil->waiting, 1); /* sequentially consistent: with arn_gil_drop */
  uint64_t seen = load_relaxed(&gil->switches);
  struct timespec until = one_interval_on(gil);
  while (!try_take(gil)) {
    int error = pthread_cond_timedwait(&gil->free, &gil->mutex, &until);
    store_seq_cst(&gil->woken, 0); /* before the look: a drop after it wakes again */
    uint64_t now = load_relaxed(&gil->switches);
    if (error != ETIMEDOUT && now == seen)
      continue; /* woken, and perhaps overtaken again: the interval runs on */
    /* Ask only when the same thread has had it all the time: a new holder has an interval too. */
    if (now == seen && load_relaxed(&gil->taken))
      store_relaxed(gil->request, 1);
    seen = now;
    until = one_interval_on(gil);
  }
  atomic_fetch_sub(&gil->waiting, 1);
  pthread_mutex_unlock(&gil->mutex);
  pthread_setcancelstate(cancel, NULL);
  bump(&gil->waits, 1); /* we hold the GIL */
  bump(&gil->wait_ns, nanoseconds() - began);
}

void arn_gil_take(arn_gil *gil, const void *holder) {
  if (unlikely(!try_take(gil)))
    take_slowly(gil, nanoseconds());
  note_taken(gil, holder);
  tell_switched(gil);
}

/* Under the mutex. */
static void wake_one(arn_gil *gil) {
  if (load_relaxed(&gil->waiting) == 0)
    return;
  store_seq_cst(&gil->woken, 1);
  pthread_cond_signal(&gil->free);
}

/* Drops the GIL, and waits until another thread has taken it. */
static __attribute__((noinline)) void switch_away(arn_gil *gil, const void *holder) {
  int cancel = hold_cancellation();
  store_relaxed(gil->request, 0);
  pthread_mutex_lock(&gil->mutex);
  atomic_fetch_add(&gil->switch_waiting, 1); /* before the drop: whoever takes it then sees us */
  store_seq_cst(&gil->taken, 0);
  wake_one(gil);
  while (load_seq_cst(&gil->last_holder) == holder && load_seq_cst(&gil->waiting)) {
    struct timespec until = one_interval_on(gil);
    pthread_cond_timedwait(&gil->switched, &gil->mutex, &until);
  }
  atomic_fetch_sub(&gil->switch_waiting, 1);
  pthread_mutex_unlock(&gil->mutex);
  pthread_setcancelstate(cancel, NULL);
}

void arn_gil_drop(arn_gil *gil, const void *holder) {
  if (unlikely(load_relaxed(gil->request))) {
    switch_away(gil, holder);
    return;
  }
  store_seq_cst(&gil->taken, 0);
  if (likely(load_seq_cst(&gil->waiting) == 0) || load_seq_cst(&gil->woken))
    return;
  pthread_mutex_lock(&gil->mutex);
  wake_one(gil);
  pthread_mutex_unlock(&gil->mutex);
}

void arn_gil_yield(arn_gil *gil, const void *holder) {
  uint64_t began = nanoseconds();
  switch_away(gil, holder);
  take_slowly(gil, began);
  note_taken(gil, holder);
  tell_switched(gil);
}

void arn_gil_after_fork(arn_gil *gil, const void *holder) {
  start_waiting_room(gil);
  store_relaxed(&gil->waiting, 0);
  store_relaxed(&gil->switch_waiting, 0);
  store_relaxed(&gil->woken, 0);
  store_relaxed(gil->request, 0);
  store_relaxed(&gil->last_holder, holder);
  store_relaxed(&gil->taken, holder ? 1 : 0);
}
