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

/* Waits on a condition for one interval, under the mutex; false when the time is over. */
static bool wait_interval(arn_gil *gil, pthread_cond_t *condition) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  uint64_t ns = (uint64_t)until.tv_nsec + (uint64_t)gil->interval_us * 1000;
  until.tv_sec += (time_t)(ns / 1000000000);
  until.tv_nsec = (long)(ns % 1000000000);
  return pthread_cond_timedwait(condition, &gil->mutex, &until) != ETIMEDOUT;
}

static __attribute__((noinline)) void take_slowly(arn_gil *gil) {
  uint64_t began = nanoseconds();
  pthread_mutex_lock(&gil->mutex);
  atomic_fetch_add(&gil->waiting, 1); /* sequentially consistent: with arn_gil_drop */
  while (!try_take(gil)) {
    uint64_t seen = load_relaxed(&gil->switches);
    bool woken = wait_interval(gil, &gil->free);
    store_seq_cst(&gil->woken, 0); /* before the look: a drop after it wakes again */
    /* Ask only when the same thread has had it all the time: a new holder has an interval too. */
    if (!woken && load_relaxed(&gil->taken) && load_relaxed(&gil->switches) == seen)
      store_relaxed(gil->request, 1);
  }
  atomic_fetch_sub(&gil->waiting, 1);
  pthread_mutex_unlock(&gil->mutex);
  bump(&gil->waits, 1); /* we hold the GIL */
  bump(&gil->wait_ns, nanoseconds() - began);
}

void arn_gil_take(arn_gil *gil, const void *holder) {
  if (unlikely(!try_take(gil)))
    take_slowly(gil);
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

void arn_gil_drop(arn_gil *gil) {
  store_seq_cst(&gil->taken, 0);
  if (likely(load_seq_cst(&gil->waiting) == 0) || load_seq_cst(&gil->woken))
    return;
  pthread_mutex_lock(&gil->mutex);
  wake_one(gil);
  pthread_mutex_unlock(&gil->mutex);
}

void arn_gil_yield(arn_gil *gil, const void *holder) {
  store_relaxed(gil->request, 0);
  pthread_mutex_lock(&gil->mutex);
  atomic_fetch_add(&gil->switch_waiting, 1); /* before the drop: whoever takes it then sees us */
  store_seq_cst(&gil->taken, 0);
  wake_one(gil);
  while (load_seq_cst(&gil->last_holder) == holder && load_seq_cst(&gil->waiting))
    wait_interval(gil, &gil->switched);
  atomic_fetch_sub(&gil->switch_waiting, 1);
  pthread_mutex_unlock(&gil->mutex);
  arn_gil_take(gil, holder);
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
