/* figures.h - the figures that the project asks of itself, calculated from a comparison. */
#ifndef ARENITE_BENCH_FIGURES_H
#define ARENITE_BENCH_FIGURES_H

#include "results.h"

enum { FIGURES_MAX = 40 };

enum figure_verdict { FIGURE_REPORTED, FIGURE_MET, FIGURE_SHORT, FIGURE_UNKNOWN };

struct figure {
  char id[64]; /* stays the same from version to version */
  char text[120];
  double asked_low, asked_high; /* NAN: no limit on this side */
  double measured;              /* from the medians */
  double low, high;             /* smallest and largest of the single rounds */
  double program[PROGRAM_COUNT];
};

/* Fills in up to FIGURES_MAX figures and returns how many. */
int figures_of(const struct results *results, struct figure *figures);

enum figure_verdict figure_verdict(const struct figure *figure);

/* What was asked, for people: "at least 0.90", "reported". */
void figure_asked(const struct figure *figure, char *text, size_t size);

/* One sentence that says what the GIL cost. */
void figures_sentence(const struct results *results, char *text, size_t size);

/* A warning when the machine did not have the processors that the threads needed; else "". */
void figures_note(const struct results *results, char *text, size_t size);

#endif
