/* programs.h - the real programs whose allocations are compared, and how each is recorded.
 *
 * Every program has a script in workloads/ that makes its own input in an empty directory and
 * records one run; the scripts say what the run does.
 */
#ifndef ARENITE_BENCH_PROGRAMS_H
#define ARENITE_BENCH_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

struct program {
  const char *name;
  const char *what; /* one line for the report */
  bool own_threads; /* it has threads worth replaying as they were recorded */
  /* Commands that its script needs and the Debian package of each; NULL at the end. */
  struct {
    const char *command, *package;
  } needs[4];
};

enum { PROGRAM_COUNT = 4 };
extern const struct program programs[PROGRAM_COUNT];

/* The program of that name, or NULL. */
const struct program *program_find(const char *name, size_t length);

/* True when everything that it needs is installed; otherwise one sentence on standard error names
 * the Debian package. */
bool program_installed(const struct program *program);

/* Records it into the file trace, in the empty directory work; quick makes its input small. 0; or a
 * sentence on standard error and -1. tick is called a few times a second meanwhile. */
int program_record(const struct program *program, const char *work, const char *trace, bool quick,
                   void (*tick)(void *context), void *context);

#endif
