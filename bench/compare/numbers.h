/* numbers.h - medians and geometric means. NAN stands for "not measured" everywhere: it goes
 * through every calculation and is printed as a dash. */
#ifndef ARENITE_BENCH_NUMBERS_H
#define ARENITE_BENCH_NUMBERS_H

#include <stddef.h>

/* The median of those values that are numbers; NAN when there is none. */
double numbers_median(const double *values, size_t count);

/* The geometric mean of those values that are numbers; NAN when there is none, or one of them is
 * not positive. */
double numbers_geomean(const double *values, size_t count);

/* The smallest and the largest of those that are numbers; NAN when there is none. */
double numbers_min(const double *values, size_t count);
double numbers_max(const double *values, size_t count);

#endif
