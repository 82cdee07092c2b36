/* run.h - one replay: its threads, its clock, its result. */
#ifndef ARENITE_REPLAY_RUN_H
#define ARENITE_REPLAY_RUN_H

#include "replay/plan.h"

#include <arenite.h>

enum replay_mode { REPLAY_NULL, REPLAY_SYSTEM, REPLAY_GIL, REPLAY_FREE_THREADED };

struct replay_options {
  enum replay_mode mode;
  uint32_t threads; /* 0: as recorded */
  uint32_t safepoint;
  uint32_t passes; /* 0: as many as min_seconds needs */
  double min_seconds;
  bool check, think;
};

struct replay_result {
  uint32_t threads;
  uint64_t passes;
  uint64_t operations; /* calls of an allocator, of all threads and passes */
  double seconds;
  long peak_rss_kib;
  uint64_t slow_waits; /* operations whose turn was not there at once */
  bool has_stats;
  arn_stats stats;
};

/* 0, or 1 with one sentence on standard error. */
int replay_run(const struct plan *plan, const struct replay_options *options,
               struct replay_result *result);

#endif
