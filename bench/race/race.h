/* race.h - what a race of allocators is made of.
 *
 * A row is one program, with one number of threads; a lane is one allocator in one row; a lap is
 * one run of the row's program in that lane. A round takes one lap in each lane, one right after
 * the other, so that what is compared was measured within seconds.
 */
#ifndef ARENITE_BENCH_RACE_H
#define ARENITE_BENCH_RACE_H

#include "compare/progress.h"
#include "contestants.h"

#include <jansson.h>
#include <stdbool.h>

enum { ROWS_MAX = 64, ROUNDS_LIMIT = 99, REPEATS_MAX = 10 };

/* What a lap says; all but these two stands in its line, for those rows that have one. */
enum quantity { SECONDS, PEAK_RSS_KIB, QUANTITIES };

struct lap {
  double value[QUANTITIES];
  json_t *line; /* what a row program printed; NULL for the real programs */
};

struct lane {
  struct lap rounds[ROUNDS_LIMIT];
  double median[QUANTITIES]; /* over all rounds; NAN for a lane that is left out */
  const char *preload;       /* the contestant's library, but see race.c */
  char served_by[128];       /* the library whose malloc the program called */
  char left_out[256];        /* why it does not take part, or "" */
};

/* One of ours against the best of the others; see duel.h. */
struct duel {
  int rival; /* a contestant, or -1 */
  double ratio, low, high;
};

struct real_program;

/* What is run: by how many threads is the row's to say. */
struct kind {
  const char *name, *what;
  bool threaded;                   /* raced by one thread and by as many as there are cores */
  bool details;                    /* what else its line says is worth a table */
  const struct real_program *real; /* NULL: a program of our own, in rows/ */
};

struct row {
  const struct kind *kind;
  int threads; /* 0: a real program, which has its own */
  char name[48];
  struct lane lane[CONTESTANTS_MAX];
  struct duel duel[QUANTITIES][CONTESTANTS_MAX]; /* of the contestants that are ours */
  int rounds;
  int repeated;  /* rounds that were thrown away: the machine was taken from us meanwhile */
  int kept;      /* rounds that were as bad, when the patience for repeating had ended */
  double others; /* share of all processor time that went to programs that were not ours */
  double seconds;
};

struct race {
  struct contestants contestants;
  struct row *rows;
  int row_count;
  int rounds_least, rounds_most;
  double scale;
  double budget_s;  /* for all rows together */
  const char *work; /* a directory for what the programs need */
  struct progress progress;
  double seconds; /* that the rows took */
};

/* Runs all rows. 0; or -1 after a signal or a sentence on standard error. */
int race_run(struct race *race);

/* Runs a row program once, under the contestant's library. 0; -1: interrupted; or its exit status,
 * with err, to be freed, saying why. lap->line is to be released. */
int race_program(struct race *race, const char *name, int threads, double scale,
                 const char *preload, struct lap *lap, char **err);

/* The library that served malloc in the lap, or "". */
const char *lap_served_by(const struct lap *lap);

void race_free(struct race *race);

#endif
