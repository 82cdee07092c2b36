/* noise.h - was the machine ours while something was measured?
 *
 * A virtual machine's processors are now and then taken by its host (steal time), a container's by
 * the quota of its control group (throttling); what runs meanwhile is measured as slow without
 * being so. Other programs of the same machine take their part as well.
 */
#ifndef ARENITE_BENCH_NOISE_H
#define ARENITE_BENCH_NOISE_H

#include <stdbool.h>

struct noise {
  double at;        /* seconds of the clock */
  double stolen;    /* seconds of all processors together, as the next two */
  double busy, own; /* with anything; with our children that have ended */
  double throttled; /* how often */
};

/* What the counters say now. */
struct noise noise_now(void);

/* Were the processors taken away between the two? */
bool noise_bad(const struct noise *from, const struct noise *to);

/* The share of all processor time in between that went to other programs, 0 to 1. */
double noise_others(const struct noise *from, const struct noise *to);

#endif
