/* thread.h - one replay thread, and the loops that it runs, one for each mode. */
#ifndef ARENITE_REPLAY_THREAD_H
#define ARENITE_REPLAY_THREAD_H

#include "replay/plan.h"

#include <arenite.h>
#include <pthread.h>
#include <stdatomic.h>

/* A block that several lanes use (plan.h): the turn says whose operation is next. */
struct shared_slot {
  void *block; /* the lane's whose turn it is */
  _Atomic uint32_t turn;
  _Atomic uint32_t waiters;
};

struct replay_thread {
  /* const while the thread runs */
  const struct plan *plan;
  const struct plan_lane *lane;
  arn_runtime *runtime; /* NULL in the modes system and null */
  uint32_t safepoint;   /* operations between two safepoints */
  bool check, think;
  void **slots; /* own table */
  struct shared_slot *shared;
  struct replay_run *run;
  const struct replay_thread *leader; /* of all threads: it does what one has to do */
  pthread_t id;
  /* own thread only */
  uint32_t until_safepoint;
  uint64_t think_debt; /* ns of recorded gaps that were not waited for yet */
  double begin, end;   /* seconds: of the passes between two meetings with all */
  uint64_t slow_waits; /* turns that were not there at once */
  const char *failure; /* NULL while all is well */
  struct plan_block *block;
};

/* Each runs the lane once from its beginning; false when thread->failure says why not. */
bool replay_loop_arenite(struct replay_thread *thread);
bool replay_loop_system(struct replay_thread *thread);
bool replay_loop_null(struct replay_thread *thread);

#endif
