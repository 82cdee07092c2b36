/* child.h - running another program to its end and reading what it prints.
 *
 * Each child leads a process group of its own, so that a whole tree (a script, its server, the
 * server's children) can be ended together: when it takes too long, when the user interrupts us,
 * and by the kernel when we die. Its standard input is /dev/null.
 */
#ifndef ARENITE_BENCH_CHILD_H
#define ARENITE_BENCH_CHILD_H

#include <stddef.h>

struct child {
  const char *const *argv; /* NULL at the end; argv[0] is looked up in PATH */
  const char *const
      *environment;      /* "NAME=value", set beside what we have; NULL at the end, or NULL */
  const char *directory; /* where it starts; NULL: here */
  double timeout_s;
  void (*tick)(void *context); /* called about five times a second meanwhile; may be NULL */
  void *tick_context;
};

enum { CHILD_TIMEOUT = -1, CHILD_INTERRUPTED = -2, CHILD_NO_START = -3 };

/* Runs it. *out and *err get what it wrote, terminated, to be freed by the caller (NULL pointers:
 * passed through to ours). Returns its exit status, 128 + the signal that ended it, or CHILD_. */
int child_run(const struct child *what, char **out, char **err);

/* From now on SIGINT, SIGTERM and SIGHUP make a running child_run, and every later one, end its
 * child and return CHILD_INTERRUPTED. */
void child_catch_signals(void);

/* The signal that interrupted us, or 0. */
int child_interrupted(void);

/* The path of the running command (/proc/self/exe), valid as long as the process. NULL: errno. */
const char *child_self(void);

#endif
