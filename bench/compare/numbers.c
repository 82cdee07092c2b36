/* numbers.c - see numbers.h. */
#include "numbers.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double numbers_median(const double *values, size_t count) {
  double *sorted = malloc((count + 1) * sizeof *sorted);
  if (sorted == NULL)
    return NAN;
  size_t n = 0;
  for (size_t i = 0; i < count; i++)
    if (!isnan(values[i]))
      sorted[n++] = values[i];
  qsort(sorted, n, sizeof *sorted, ascending);
  double median = NAN;
  if (n > 0)
    median = n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
  free(sorted);
  return median;
}

double numbers_geomean(const double *values, size_t count) {
  double sum = 0;
  size_t n = 0;
  for (size_t i = 0; i < count; i++) {
    if (isnan(values[i]))
      continue;
    if (values[i] <= 0)
      return NAN;
    sum += log(values[i]);
    n++;
  }
  return n > 0 ? exp(sum / (double)n) : NAN;
}

double numbers_min(const double *values, size_t count) {
  double least = NAN;
  for (size_t i = 0; i < count; i++)
    least = fmin(least, values[i]);
  return least;
}

double numbers_max(const double *values, size_t count) {
  double most = NAN;
  for (size_t i = 0; i < count; i++)
    most = fmax(most, values[i]);
  return most;
}
