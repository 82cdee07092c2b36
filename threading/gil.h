/* gil.h - the global interpreter lock: one holder, an interval, forced switching.
 *
 * After CPython's Python/ceval_gil.h: a thread that waits for the GIL longer than the interval asks
 * the holder to drop it; the holder sees the request at its next safepoint, drops the GIL, and does
 * not take it again before some other thread has had it ("forced switching"; without it the holder
 * would win it back before the waiter is even awake).
 *
 * Different from CPython: the lock is a word taken by one compare-and-swap when it is free, and the
 * mutex and conditions are only for those who wait. A thread may overtake waiters that way, as in
 * CPython it may while the woken one is on its way; after an interval the waiter asks again.
 *
 *   taken  0 --CAS (acquire)--> 1 --store (sequentially consistent)--> 0
 *
 * Who drops it wakes a waiter, but not again while one that was woken is still on its way: a thread
 * that drops and takes the GIL often, around short calls, would pay a system call each time.
 *
 * The store and the load of waiting after it pair with waiting's increment and the CAS after it in
 * a waiter: at least one of the two sees the other, so no wake-up is lost.
 */
#ifndef ARN_THREADING_GIL_H
#define ARN_THREADING_GIL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "atomics.h"

typedef struct arn_gil {
  /* Atomic, any thread. */
  _Atomic uint32_t taken;
  _Atomic uint32_t waiting;        /* threads in the slow part of arn_gil_take */
  _Atomic uint32_t woken;          /* one of them has been woken and has not looked yet */
  _Atomic uint32_t switch_waiting; /* threads that were forced to let another go first */
  _Atomic uint32_t *request;       /* const: where the holder's safepoint looks */

  /* The holder writes, anybody reads. */
  _Atomic(const void *) last_holder;
  _Atomic uint64_t takes, waits, switches, wait_ns;

  /* const */
  uint32_t interval_us;

  /* For those who wait. */
  pthread_mutex_t mutex;
  pthread_cond_t free;     /* the GIL was dropped */
  pthread_cond_t switched; /* another thread has taken it */
} arn_gil;

void arn_gil_start(arn_gil *gil, uint32_t interval_us, _Atomic uint32_t *request);
void arn_gil_end(arn_gil *gil);

/* Takes the GIL for a holder (an address that identifies the thread); waits as long as needed. */
void arn_gil_take(arn_gil *gil, const void *holder);

/* Drops it; when another thread has asked for it, returns only after some other has taken it, as
 * CPython's drop_gil does. The caller is its holder. */
void arn_gil_drop(arn_gil *gil, const void *holder);

/* Drops it because another thread asked, lets that one go first, and takes it again. */
void arn_gil_yield(arn_gil *gil, const void *holder);

/* In the child of a fork, where only the calling thread is left: held by holder, or free. */
void arn_gil_after_fork(arn_gil *gil, const void *holder);

#endif
