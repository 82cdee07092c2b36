/* progress.h - one line on standard error that says what is being done and how long it will take.
 *
 * On a terminal the line is written over; elsewhere a line comes every few seconds, so that a log
 * stays short. Standard output is left to the results.
 */
#ifndef ARENITE_BENCH_PROGRESS_H
#define ARENITE_BENCH_PROGRESS_H

#include <stdbool.h>

struct progress {
  bool terminal;
  bool shown; /* a line is on the terminal that the next one has to cover */
  double written_at;
  double ends_at; /* when all should be done, on the monotonic clock */
  char what[160];
};

void progress_start(struct progress *progress);

/* What begins now, and how many seconds are thought to be left with it. */
void progress_say(struct progress *progress, double seconds_left, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Time has passed; for struct child's tick. */
void progress_tick(void *progress);

/* Takes the line away. */
void progress_end(struct progress *progress);

#endif
