/* start.h - how long a process takes that does nothing but load an allocator. */
#ifndef ARENITE_BENCH_START_H
#define ARENITE_BENCH_START_H

/* Runs /bin/true `runs` times under each of the count libraries ("": none), in turns, and puts the
 * microseconds of each run into us[library][run]. 0; or -1, after a sentence on standard error or
 * a signal. */
int start_measure(const char *const *libraries, int count, int runs, double *const *us);

#endif
