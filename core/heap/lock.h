/* lock.h - mutexes with a rank, for the few places off malloc's path that take one.
 *
 * A thread takes locks in rising rank only; debug builds check it. malloc and free take none.
 *
 * The thread that forks holds them all, and while it does, handlers of the program may make it take
 * one again; so they can be taken again by the thread that has them. In the child, whose thread is
 * another one to the system, they are made anew.
 */
#ifndef ARN_HEAP_LOCK_H
#define ARN_HEAP_LOCK_H

#include <pthread.h>
#include <stdint.h>

typedef enum arn_lock_rank {
  ARN_RANK_FORK = 1, /* the list of runtimes, held across fork */
  ARN_RANK_RUNTIME,  /* a runtime's threads */
  ARN_RANK_SPACE,    /* the start of the address space */
  ARN_RANK_META,     /* structures that are never unmapped */
} arn_lock_rank;

typedef struct arn_lock {
  pthread_mutex_t mutex;
  _Atomic(const void *) holder; /* arn_here of who has it */
  uint32_t again;               /* holder only: how often it took it again */
  arn_lock_rank rank;           /* const */
} arn_lock;

#define ARN_LOCK_INIT(r)                                                                           \
  { .mutex = PTHREAD_MUTEX_INITIALIZER, .rank = (r) }

/* An address that is the calling thread's alone. */
const void *arn_here(void);

void arn_lock_take(arn_lock *lock);
void arn_lock_drop(arn_lock *lock);

/* arn_lock_take of several of one rank, for a fork. */
void arn_lock_take_all(arn_lock *lock);

/* In the child of a fork, before which the lock was taken: free. */
void arn_lock_after_fork(arn_lock *lock);

#endif
