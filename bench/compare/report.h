/* report.h - the three forms of one comparison: a table, compare.json and compare.html. */
#ifndef ARENITE_BENCH_REPORT_H
#define ARENITE_BENCH_REPORT_H

#include "figures.h"
#include "results.h"

#include <stdio.h>

struct report {
  const struct results *results;
  struct figure figures[FIGURES_MAX];
  int figure_count;
  char sentence[640];
  char note[400];    /* "" or what speaks against the run */
  char command[512]; /* how to repeat it */
};

/* Writes the table, the figures and the sentence. */
void report_text(const struct report *report, FILE *out);

/* Each writes a file by way of a temporary one beside it, so that a reader never sees half of it.
 * 0; or a sentence on standard error and -1. */
int report_json(const struct report *report, const char *path);
int report_html(const struct report *report, const char *path);

/* "2", or "own (5)" for threads as they were recorded. */
void report_threads(const struct cell *cell, char *text, size_t size);

/* A number with so many decimals, or a dash where it was not measured. */
void report_number(double value, int decimals, char *text, size_t size);

#endif
