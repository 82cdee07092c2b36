/* lock.h - mutexes with a rank, for the few places off malloc's path that take one.
 *
 * A thread takes locks in rising rank only; debug builds check it. malloc and free take none.
 */
#ifndef ARN_HEAP_LOCK_H
#define ARN_HEAP_LOCK_H

#include <pthread.h>

typedef enum arn_lock_rank {
  ARN_RANK_FORK = 1, /* the list of runtimes, held across fork */
  ARN_RANK_RUNTIME,  /* a runtime's threads */
  ARN_RANK_META,     /* structures that are never unmapped */
} arn_lock_rank;

typedef struct arn_lock {
  pthread_mutex_t mutex;
  arn_lock_rank rank; /* const */
} arn_lock;

#define ARN_LOCK_INIT(r)                                                                           \
  { .mutex = PTHREAD_MUTEX_INITIALIZER, .rank = (r) }

void arn_lock_take(arn_lock *lock);
void arn_lock_drop(arn_lock *lock);

#endif
