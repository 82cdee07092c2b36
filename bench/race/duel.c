/* duel.c - see duel.h.
 *
 * The interval is a bootstrap's: the rounds are drawn again from themselves, with repetition, as
 * many as there were, and the ratio calculated from those; 95 of 100 such ratios lie within. A
 * round is drawn whole, with both of its times, so that a slow spell of the machine, which both had
 * to bear, does not widen the interval. */
#include "duel.h"

#include "compare/numbers.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* The same draws for each duel: a figure is the same whenever it is calculated from the same
 * rounds. */
enum { SEED = 20 };

static int draw(uint64_t *state, int below) {
  uint64_t x = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  x ^= x >> 31;
  return (int)((x >> 32) * (uint64_t)below >> 32);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

void duel_interval(double *values, double *low, double *high) {
  qsort(values, RESAMPLES, sizeof *values, ascending);
  *low = values[RESAMPLES * 25 / 1000];
  *high = values[RESAMPLES * 975 / 1000];
}

struct duel duel_of(const double *ours, const double *theirs, int count, double *logs) {
  struct duel duel = {.rival = -1, .low = NAN, .high = NAN};
  size_t n = (size_t)count;
  duel.ratio = numbers_median(ours, n) / numbers_median(theirs, n);
  double *own_logs = logs == NULL ? malloc(RESAMPLES * sizeof *logs) : logs;
  double *mine = malloc((n + 1) * sizeof *mine), *other = malloc((n + 1) * sizeof *other);
  /* Two rounds drawn from two say nothing; the ratio stands alone. */
  bool enough = count >= 3 && own_logs != NULL && mine != NULL && other != NULL;
  uint64_t state = SEED;
  for (int i = 0; own_logs != NULL && i < RESAMPLES; i++) {
    own_logs[i] = log(duel.ratio);
    for (int k = 0; enough && k < count; k++) {
      int round = draw(&state, count);
      mine[k] = ours[round];
      other[k] = theirs[round];
    }
    if (enough)
      own_logs[i] = log(numbers_median(mine, n) / numbers_median(other, n));
  }
  if (enough) {
    double *sorted = malloc(RESAMPLES * sizeof *sorted);
    for (int i = 0; sorted != NULL && i < RESAMPLES; i++)
      sorted[i] = own_logs[i];
    if (sorted != NULL) {
      duel_interval(sorted, &duel.low, &duel.high);
      duel.low = exp(duel.low);
      duel.high = exp(duel.high);
    }
    free(sorted);
  }
  free(mine);
  free(other);
  if (logs == NULL)
    free(own_logs);
  return duel;
}

/* The values of a lane in the rounds first, first + 2, ...; how many. */
static int every_other(const struct row *row, const struct lane *lane, enum quantity quantity,
                       int first, double *values) {
  int count = 0;
  for (int round = first; round < row->rounds; round += 2)
    values[count++] = lane->rounds[round].value[quantity];
  return count;
}

struct duel duel_fight(const struct contestants *contestants, const struct row *row,
                       enum quantity quantity, int ours, double *logs) {
  enum { FIRST_ODD = 0, FIRST_EVEN = 1 }; /* the first round is number 1, at place 0 */
  double best = INFINITY, mine[ROUNDS_LIMIT], other[ROUNDS_LIMIT];
  int rival = -1;
  for (int i = 0; i < contestants->first_ours; i++) {
    if (row->lane[i].left_out[0] != '\0' ||
        (quantity == PEAK_RSS_KIB && !contestants->list[i].frugal))
      continue;
    int count = every_other(row, &row->lane[i], quantity, FIRST_ODD, other);
    double median = numbers_median(other, (size_t)count);
    if (median < best) {
      best = median;
      rival = i;
    }
  }
  struct duel duel = {.rival = rival, .ratio = NAN, .low = NAN, .high = NAN};
  if (rival < 0 || row->lane[ours].left_out[0] != '\0' || row->rounds < 2) {
    for (int i = 0; logs != NULL && i < RESAMPLES; i++)
      logs[i] = NAN;
    return duel;
  }
  int count = every_other(row, &row->lane[ours], quantity, FIRST_EVEN, mine);
  every_other(row, &row->lane[rival], quantity, FIRST_EVEN, other);
  duel = duel_of(mine, other, count, logs);
  duel.rival = rival;
  return duel;
}

double duel_doubt(const struct duel *duel) {
  return (duel->high - duel->low) / 2 / duel->ratio;
}
