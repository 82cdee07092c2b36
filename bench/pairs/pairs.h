/* pairs.h - `arenite bench pairs`: malloc and free in a small loop, Arenite against the system's
 * allocator, mimalloc and jemalloc. */
#ifndef ARENITE_BENCH_PAIRS_H
#define ARENITE_BENCH_PAIRS_H

#include <stdbool.h>

/* Runs the children in interleaved rounds and prints the table, or one JSON object. 0; or a
 * sentence on standard error and 1. */
int pairs_run(int rounds, double row_seconds, bool json);

#endif
