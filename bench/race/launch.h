/* launch.h - running a program under an allocator: how long it took, and its peak of memory.
 *
 * compare/child.h runs programs too, and looks for their end every now and then; here a run is
 * timed, so its end is waited for. Its statuses and its signals are used here as well.
 */
#ifndef ARENITE_BENCH_LAUNCH_H
#define ARENITE_BENCH_LAUNCH_H

#include <sys/types.h>

struct launch {
  const char *const *argv;        /* NULL at the end; argv[0] is looked up in PATH */
  const char *preload;            /* a library's path; "": none */
  const char *const *environment; /* "NAME=value", set beside what we have; NULL at the end */
  const char *directory;          /* where it starts; NULL: here */
  double timeout_s;
  void (*tick)(void *context); /* called a few times a second meanwhile; may be NULL */
  void *tick_context;
};

struct launched {
  int status; /* its exit status, 128 + the signal that ended it, or CHILD_ of compare/child.h */
  double seconds;      /* from before it was made until it had ended */
  double peak_rss_kib; /* of it and of the children that it waited for, the largest */
  char *out, *err;     /* what it wrote; never NULL, freed by launched_free */
};

void launch_run(const struct launch *launch, struct launched *launched);
void launched_free(struct launched *launched);

/* Starts a program that is to run beside us; what it writes goes nowhere. Its process, or -1. */
pid_t launch_start(const struct launch *launch);

/* Has it ended by itself? */
int launch_ended(pid_t process);

/* Ends it and what it has started, and waits until it is gone. */
void launch_stop(pid_t process);

#endif
