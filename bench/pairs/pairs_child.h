/* pairs_child.h - one process of `arenite bench pairs`: all rows on one allocator. */
#ifndef ARENITE_BENCH_PAIRS_CHILD_H
#define ARENITE_BENCH_PAIRS_CHILD_H

#include <stdbool.h>

enum pairs_pattern { PAIRS_LIFO, PAIRS_FIFO, PAIRS_RANDOM, PAIRS_PATTERNS };
enum { PAIRS_SIZES = 3, PAIRS_ROWS = PAIRS_SIZES * PAIRS_PATTERNS, PAIRS_LIVE = 10000 };
extern const int pairs_sizes[PAIRS_SIZES];
extern const char *const pairs_patterns[PAIRS_PATTERNS];

/* Measures every row and prints one line of JSON: {"library": PATH, "ns": [ROWS]}. which is "gil",
 * "free-threaded", or "malloc" for whatever malloc the process has. The exit status. */
int pairs_child(const char *which, double row_seconds);

#endif
