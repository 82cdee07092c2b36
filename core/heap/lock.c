/* lock.c - see lock.h. */
#include "lock.h"

#include <stdbool.h>

#include "heap.h"
#include "panic.h"

#ifndef NDEBUG
/* How many locks of each rank this thread holds. */
static _Thread_local uint32_t held[ARN_RANK_META + 1];
#endif

const void *arn_here(void) {
  return &arn_self;
}

static void verify_rank(const arn_lock *lock, bool equal) {
  (void)lock, (void)equal;
#ifndef NDEBUG
  for (int rank = lock->rank + equal; rank <= ARN_RANK_META; rank++)
    if (held[rank] && load_relaxed(&((arn_lock *)lock)->holder) != arn_here())
      arn_panic("lock of rank %d taken while one of rank %d is held", (int)lock->rank, rank);
#endif
}

static void take(arn_lock *lock) {
  if (load_relaxed(&lock->holder) == arn_here()) {
    lock->again++;
    return;
  }
  pthread_mutex_lock(&lock->mutex);
  store_relaxed(&lock->holder, arn_here());
#ifndef NDEBUG
  held[lock->rank]++;
#endif
}

void arn_lock_take(arn_lock *lock) {
  verify_rank(lock, false);
  take(lock);
}

void arn_lock_take_all(arn_lock *lock) {
  verify_rank(lock, true);
  take(lock);
}

void arn_lock_drop(arn_lock *lock) {
  if (lock->again) {
    lock->again--;
    return;
  }
#ifndef NDEBUG
  held[lock->rank]--;
#endif
  store_relaxed(&lock->holder, NULL);
  pthread_mutex_unlock(&lock->mutex);
}

void arn_lock_after_fork(arn_lock *lock) {
#ifndef NDEBUG
  held[lock->rank]--;
#endif
  lock->again = 0;
  store_relaxed(&lock->holder, NULL);
  pthread_mutex_init(&lock->mutex, NULL);
}
