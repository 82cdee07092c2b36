/* machine.h - what a report has to say about where it was measured. */
#ifndef ARENITE_BENCH_MACHINE_H
#define ARENITE_BENCH_MACHINE_H

#include <jansson.h>

/* Processors that this process may use. */
int machine_cores(void);

/* Names and values, to be released by the caller; NULL: out of memory. */
json_t *machine_describe(void);

#endif
