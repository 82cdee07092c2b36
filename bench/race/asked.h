/* asked.h - what is asked of ours, and what came out: the means over the rows, the worst row, and
 * the figures of programs that ask for one thing each. */
#ifndef ARENITE_BENCH_ASKED_H
#define ARENITE_BENCH_ASKED_H

#include "race.h"

enum { ASKED_MAX = 16 };
/* The first of an outcome's list; the figures follow. */
enum { ASKED_TIME_MEAN, ASKED_TIME_WORST, ASKED_MEMORY_MEAN, ASKED_MEMORY_WORST, ASKED_OF_ROWS };
enum verdict { REACHED, NOT_REACHED, NOT_MEASURED, REPORTED };

/* One question to all of ours. */
struct asked {
  const char *id; /* stays the same from version to version */
  const char *text;
  const char *unit; /* of value; NULL: there are no values, the figure is of all rows */
  int decimals;
  double at_most;                /* NAN: nothing is asked, it is reported */
  double value[CONTESTANTS_MAX]; /* what a figure's program said of each allocator */
  double reference;              /* what ours are divided by; NAN: nothing */
  const char *reference_name;
  struct answer {
    double measured, low, high;
    char row[48];            /* the worst one, or "" */
    int missing;             /* rows that ours did not run: nothing is reached then */
  } answer[CONTESTANTS_MAX]; /* of those that are ours */
};

struct outcome {
  struct asked list[ASKED_MAX];
  int count;
  /* The geometric mean over the rows of a contestant's medians by those of one of ours, and of how
   * many rows: above 1, ours is the better. */
  double against[QUANTITIES][CONTESTANTS_MAX][CONTESTANTS_MAX]; /* [][ours][contestant] */
  int rows_against[CONTESTANTS_MAX][CONTESTANTS_MAX];
};

/* Puts what the rows say at the beginning. */
void asked_of_rows(const struct race *race, struct outcome *outcome);

/* Runs the figures' programs and adds them. 0; or -1, after a signal. */
int asked_of_figures(struct race *race, int rounds, struct outcome *outcome);

enum verdict asked_verdict(const struct asked *asked, int ours);
extern const char *const verdict_words[];

#endif
