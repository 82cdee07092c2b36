/* race_report.h - the three forms of one race: tables, allocators.json and allocators.html. */
#ifndef ARENITE_BENCH_RACE_REPORT_H
#define ARENITE_BENCH_RACE_REPORT_H

#include "asked.h"
#include "race.h"

#include <stdio.h>

struct race_report {
  const struct race *race;
  const struct outcome *outcome;
  json_t *machine;
  char command[1024]; /* how to repeat it */
  char note[400];     /* "" or what speaks against the run */
};

void race_text(const struct race_report *report, FILE *out);

/* Each writes a file by way of a temporary one beside it, so that a reader never sees half of it.
 * 0; or a sentence on standard error and -1. */
int race_json(const struct race_report *report, const char *path);
int race_html(const struct race_report *report, const char *path);

/* A number that a row program says beyond the time and the memory, such as a percentile of the
 * latency: {"p50":...} in "malloc_ns", or with no outer name. */
struct detail {
  const char *outer, *name; /* outer may be NULL */
};
enum { DETAILS_MAX = 24 };

/* Those of this row; how many. */
int race_details(const struct race *race, const struct row *row,
                 struct detail details[DETAILS_MAX]);

/* The median of one over a lane's rounds. */
double race_detail(const struct row *row, int contestant, const struct detail *detail);

/* "malloc_ns p99.9" */
void race_detail_name(const struct detail *detail, char *text, size_t size);

/* "at most 0.98"; "reported". */
void race_asked(const struct asked *asked, char *text, size_t size);

/* "1.023 (1.010 to 1.034)", with what is known of it. */
void race_interval(double ratio, double low, double high, char *text, size_t size);

#endif
