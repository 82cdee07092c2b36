/* clock.h - seconds of the monotonic clock, as a double. */
#ifndef ARENITE_BENCH_CLOCK_H
#define ARENITE_BENCH_CLOCK_H

#include <time.h>

static inline double clock_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#endif
