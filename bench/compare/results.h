/* results.h - what a comparison measured: a cell for every (program, mode, threads, safepoint), in
 * it a sample for every round.
 *
 * Every figure is calculated either from the medians (ROUND_MEDIAN: what is reported) or from one
 * round alone (what shows how far the rounds lie apart). NAN is "not measured" (numbers.h).
 */
#ifndef ARENITE_BENCH_RESULTS_H
#define ARENITE_BENCH_RESULTS_H

#include "programs.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum mode { MODE_NULL, MODE_SYSTEM, MODE_GIL, MODE_FREE_THREADED, MODE_COUNT };
extern const char *const mode_names[MODE_COUNT];

enum {
  ROUNDS_MAX = 31,
  THREAD_COUNTS_MAX = 16,
  THREADS_OWN = 0,  /* instead of a number: as many as recorded, in the recorded order */
  SAFEPOINT = 100,  /* operations between two safepoints, where nothing else is said */
  ROUND_MEDIAN = -1 /* instead of a round */
};

struct sample {
  double mops;           /* million operations per second, all threads together */
  double peak_rss_kib;   /* of the replaying process */
  double gil_wait_share; /* of the threads' time */
  double gil_switches;
  double seconds, ops, passes;
  double threads; /* as many as ran */
};

struct cell {
  int program; /* index into results.program */
  enum mode mode;
  int threads; /* a number, or THREADS_OWN */
  int safepoint;
  struct sample rounds[ROUNDS_MAX];
  struct sample median; /* of each field by itself */
};

struct results {
  const struct program *program[PROGRAM_COUNT];
  double trace_bytes[PROGRAM_COUNT];
  int program_count;
  int threads[THREAD_COUNTS_MAX];
  int thread_count;
  int rounds;
  double min_time;
  bool quick;
  double record_seconds, replay_seconds;
  json_t *machine; /* names and strings or numbers, in the order in which they are shown */
  struct cell *cells;
  size_t cell_count;
};

/* Makes the cells for its programs and thread counts. False: out of memory. */
bool results_plan(struct results *results);
void results_free(struct results *results);

/* The highest number of threads that was replayed. */
int results_most_threads(const struct results *results);

/* Fills in every cell's median. */
void results_medians(struct results *results);

/* The cell, or NULL; and its sample of a round or of the medians. */
const struct cell *results_cell(const struct results *results, int program, enum mode mode,
                                int threads, int safepoint);
const struct sample *cell_sample(const struct cell *cell, int round);

/* Speed against the system's malloc: as it is, and with the replay's own time (the null replay's)
 * taken off both. */
double results_against_system(const struct results *results, int round, const struct cell *cell);
double results_net_of_null(const struct results *results, int round, const struct cell *cell);

#endif
