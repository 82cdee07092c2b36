/* duel.h - one of ours against the best of the others, in one row.
 *
 * The best of several noisy numbers looks better than it is: whoever was lucky is chosen. So the
 * rival is chosen by one half of the rounds, the odd ones, and the ratio taken from the other half,
 * in which the rival had no more luck than anybody.
 */
#ifndef ARENITE_BENCH_DUEL_H
#define ARENITE_BENCH_DUEL_H

#include "race.h"

enum { RESAMPLES = 2000 };

/* The duel of contestant `ours` in this row. logs, unless NULL, gets the RESAMPLES logarithms of
 * resampled ratios, or NANs. */
struct duel duel_fight(const struct contestants *contestants, const struct row *row,
                       enum quantity quantity, int ours, double *logs);

/* The same ratio with its interval for two lists of numbers, of which those at the same place were
 * measured together. rival is -1. */
struct duel duel_of(const double *ours, const double *theirs, int count, double *logs);

/* Half of the interval's width, as a share of the ratio; NAN without an interval. */
double duel_doubt(const struct duel *duel);

/* The places between which 95 of 100 of the RESAMPLES values lie; sorts them. */
void duel_interval(double *values, double *low, double *high);

#endif
