/* recorder_wait.c - stands before the calls around which a thread lets go of a GIL, and writes down
 * each with the time that it took.
 *
 * Every such call counts, also one that returned at once: CPython drops the lock around it before
 * it knows. The exception is a mutex, which is only a wait when somebody else holds it. Calls that
 * libc makes inside (stdio's reads and writes) do not pass here. */
#include "record/recorder.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline void note_wait(enum raw_wait wait, uint64_t begin) {
  if (!recorder_begin())
    return;
  struct recorder_thread *self = &recorder_self;
  uint64_t end = recorder_tick();
  unsigned char *at = self->at;
  at[0] = RAW_BLOCK | RAW_NEXT;
  at[1] = (unsigned char)gap_class(begin > self->tick ? begin - self->tick : 0);
  at[2] = (unsigned char)wait;
  at[3] = (unsigned char)gap_class(end - begin);
  self->tick = end;
  recorder_end(at + 4);
}

/* The fortified forms, which programs that were compiled with _FORTIFY_SOURCE call. */
extern ssize_t __read_chk(int, void *, size_t, size_t);
extern ssize_t __pread_chk(int, void *, size_t, off_t, size_t);
extern ssize_t __pread64_chk(int, void *, size_t, off64_t, size_t);
extern ssize_t __recv_chk(int, void *, size_t, size_t, int);
extern ssize_t __recvfrom_chk(int, void *, size_t, size_t, int, __SOCKADDR_ARG, socklen_t *);
extern int __poll_chk(struct pollfd *, nfds_t, int, size_t);
extern int __ppoll_chk(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);

/* X(wait, version, result, name, (parameters), (arguments)) */
#define WAITS(X)                                                                                   \
  X(IO, NULL, ssize_t, read, (int a, void *b, size_t c), (a, b, c))                                \
  X(IO, NULL, ssize_t, __read_chk, (int a, void *b, size_t c, size_t d), (a, b, c, d))             \
  X(IO, NULL, ssize_t, write, (int a, const void *b, size_t c), (a, b, c))                         \
  X(IO, NULL, ssize_t, pread, (int a, void *b, size_t c, off_t d), (a, b, c, d))                   \
  X(IO, NULL, ssize_t, pread64, (int a, void *b, size_t c, off64_t d), (a, b, c, d))               \
  X(IO, NULL, ssize_t, __pread_chk, (int a, void *b, size_t c, off_t d, size_t e),                 \
    (a, b, c, d, e))                                                                               \
  X(IO, NULL, ssize_t, __pread64_chk, (int a, void *b, size_t c, off64_t d, size_t e),             \
    (a, b, c, d, e))                                                                               \
  X(IO, NULL, ssize_t, pwrite, (int a, const void *b, size_t c, off_t d), (a, b, c, d))            \
  X(IO, NULL, ssize_t, pwrite64, (int a, const void *b, size_t c, off64_t d), (a, b, c, d))        \
  X(IO, NULL, ssize_t, readv, (int a, const struct iovec *b, int c), (a, b, c))                    \
  X(IO, NULL, ssize_t, writev, (int a, const struct iovec *b, int c), (a, b, c))                   \
  X(IO, NULL, ssize_t, recv, (int a, void *b, size_t c, int d), (a, b, c, d))                      \
  X(IO, NULL, ssize_t, __recv_chk, (int a, void *b, size_t c, size_t d, int e), (a, b, c, d, e))   \
  X(IO, NULL, ssize_t, recvfrom,                                                                   \
    (int a, void *b, size_t c, int d, __SOCKADDR_ARG e, socklen_t *f), (a, b, c, d, e, f))         \
  X(IO, NULL, ssize_t, __recvfrom_chk,                                                             \
    (int a, void *b, size_t c, size_t d, int e, __SOCKADDR_ARG f, socklen_t *g),                   \
    (a, b, c, d, e, f, g))                                                                         \
  X(IO, NULL, ssize_t, recvmsg, (int a, struct msghdr *b, int c), (a, b, c))                       \
  X(IO, NULL, ssize_t, send, (int a, const void *b, size_t c, int d), (a, b, c, d))                \
  X(IO, NULL, ssize_t, sendto,                                                                     \
    (int a, const void *b, size_t c, int d, __CONST_SOCKADDR_ARG e, socklen_t f),                  \
    (a, b, c, d, e, f))                                                                            \
  X(IO, NULL, ssize_t, sendmsg, (int a, const struct msghdr *b, int c), (a, b, c))                 \
  X(IO, NULL, int, accept, (int a, __SOCKADDR_ARG b, socklen_t *c), (a, b, c))                     \
  X(IO, NULL, int, accept4, (int a, __SOCKADDR_ARG b, socklen_t *c, int d), (a, b, c, d))          \
  X(IO, NULL, int, connect, (int a, __CONST_SOCKADDR_ARG b, socklen_t c), (a, b, c))               \
  X(IO, NULL, int, fsync, (int a), (a))                                                            \
  X(IO, NULL, int, fdatasync, (int a), (a))                                                        \
  X(POLL, NULL, int, poll, (struct pollfd * a, nfds_t b, int c), (a, b, c))                        \
  X(POLL, NULL, int, __poll_chk, (struct pollfd * a, nfds_t b, int c, size_t d), (a, b, c, d))     \
  X(POLL, NULL, int, ppoll,                                                                        \
    (struct pollfd * a, nfds_t b, const struct timespec *c, const sigset_t *d), (a, b, c, d))      \
  X(POLL, NULL, int, __ppoll_chk,                                                                  \
    (struct pollfd * a, nfds_t b, const struct timespec *c, const sigset_t *d, size_t e),          \
    (a, b, c, d, e))                                                                               \
  X(POLL, NULL, int, select, (int a, fd_set *b, fd_set *c, fd_set *d, struct timeval *e),          \
    (a, b, c, d, e))                                                                               \
  X(POLL, NULL, int, pselect,                                                                      \
    (int a, fd_set *b, fd_set *c, fd_set *d, const struct timespec *e, const sigset_t *f),         \
    (a, b, c, d, e, f))                                                                            \
  X(POLL, NULL, int, epoll_wait, (int a, struct epoll_event *b, int c, int d), (a, b, c, d))       \
  X(POLL, NULL, int, epoll_pwait, (int a, struct epoll_event *b, int c, int d, const sigset_t *e), \
    (a, b, c, d, e))                                                                               \
  X(SLEEP, NULL, int, nanosleep, (const struct timespec *a, struct timespec *b), (a, b))           \
  X(SLEEP, "GLIBC_2.17", int, clock_nanosleep,                                                     \
    (clockid_t a, int b, const struct timespec *c, struct timespec *d), (a, b, c, d))              \
  X(SLEEP, NULL, int, usleep, (useconds_t a), (a))                                                 \
  X(SLEEP, NULL, unsigned, sleep, (unsigned a), (a))                                               \
  X(LOCK, "GLIBC_2.3.2", int, pthread_cond_wait, (pthread_cond_t * a, pthread_mutex_t * b),        \
    (a, b))                                                                                        \
  X(LOCK, "GLIBC_2.3.2", int, pthread_cond_timedwait,                                              \
    (pthread_cond_t * a, pthread_mutex_t * b, const struct timespec *c), (a, b, c))                \
  X(LOCK, NULL, int, pthread_cond_clockwait,                                                       \
    (pthread_cond_t * a, pthread_mutex_t * b, clockid_t c, const struct timespec *d),              \
    (a, b, c, d))                                                                                  \
  X(LOCK, NULL, int, pthread_join, (pthread_t a, void **b), (a, b))                                \
  X(LOCK, NULL, int, sem_wait, (sem_t * a), (a))                                                   \
  X(LOCK, NULL, int, sem_timedwait, (sem_t * a, const struct timespec *b), (a, b))                 \
  X(LOCK, NULL, int, sem_clockwait, (sem_t * a, clockid_t b, const struct timespec *c), (a, b, c)) \
  X(CHILD, NULL, pid_t, wait, (int *a), (a))                                                       \
  X(CHILD, NULL, pid_t, waitpid, (pid_t a, int *b, int c), (a, b, c))                              \
  X(CHILD, NULL, pid_t, wait3, (int *a, int b, struct rusage *c), (a, b, c))                       \
  X(CHILD, NULL, pid_t, wait4, (pid_t a, int *b, int c, struct rusage *d), (a, b, c, d))           \
  X(CHILD, NULL, int, waitid, (idtype_t a, id_t b, siginfo_t * c, int d), (a, b, c, d))

#define DECLARE(wait_, version, result, name, parameters, arguments) result(*name) parameters;
static struct {
  WAITS(DECLARE)
  int (*pthread_mutex_lock)(pthread_mutex_t *);
} next;
#undef DECLARE

void recorder_find_waits(void) {
#define FIND(wait_, version, result, name, parameters, arguments)                                  \
  if (!next.name)                                                                                  \
    next.name = (__typeof__(next.name))recorder_next(#name, version);
  WAITS(FIND)
#undef FIND
  if (!next.pthread_mutex_lock)
    next.pthread_mutex_lock = (int (*)(pthread_mutex_t *))recorder_next("pthread_mutex_lock", NULL);
}

#define DEFINE(wait_, version, result, name, parameters, arguments)                                \
  RECORDER_EXPORT result name parameters {                                                         \
    if (__builtin_expect(!next.name, 0))                                                           \
      recorder_find_waits();                                                                       \
    uint64_t begin = recorder_tick();                                                              \
    result answer = next.name arguments;                                                           \
    note_wait(RAW_WAIT_##wait_, begin);                                                            \
    return answer;                                                                                 \
  }
WAITS(DEFINE)
#undef DEFINE

RECORDER_EXPORT int pthread_mutex_lock(pthread_mutex_t *mutex) {
  int error = pthread_mutex_trylock(mutex);
  if (error != EBUSY)
    return error;
  if (__builtin_expect(!next.pthread_mutex_lock, 0))
    recorder_find_waits();
  uint64_t begin = recorder_tick();
  error = next.pthread_mutex_lock(mutex);
  note_wait(RAW_WAIT_LOCK, begin);
  return error;
}
