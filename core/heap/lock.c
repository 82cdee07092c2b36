/* lock.c - see lock.h. */
#include "lock.h"

#include "panic.h"

#ifndef NDEBUG
/* One bit per rank that this thread holds. */
static _Thread_local unsigned held_ranks;
#endif

void arn_lock_take(arn_lock *lock) {
#ifndef NDEBUG
  if (held_ranks >> lock->rank)
    arn_panic("lock of rank %d taken while ranks %#x are held", (int)lock->rank, held_ranks);
#endif
  pthread_mutex_lock(&lock->mutex);
#ifndef NDEBUG
  held_ranks |= 1u << lock->rank;
#endif
}

void arn_lock_drop(arn_lock *lock) {
#ifndef NDEBUG
  held_ranks &= ~(1u << lock->rank);
#endif
  pthread_mutex_unlock(&lock->mutex);
}
