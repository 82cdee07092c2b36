/* measure.h - recording the programs and replaying the recordings, in turn and again. */
#ifndef ARENITE_BENCH_MEASURE_H
#define ARENITE_BENCH_MEASURE_H

#include "progress.h"
#include "results.h"

struct measure {
  struct results *results;
  const char *traces; /* directory of the traces, NAME.trace */
  const char *work;   /* an empty directory for the programs' input */
  bool reuse;         /* the traces are there already */
  int rounds;         /* exactly so many; 0: at least three, more while they fit in budget_s */
  double budget_s;    /* for all replays */
  struct progress progress;
};

/* Each: 0; or a sentence on standard error and -1. */
int measure_record(struct measure *measure);
int measure_replay(struct measure *measure);

#endif
