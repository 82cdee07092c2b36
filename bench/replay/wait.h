/* wait.h - where a replay thread waits: for its turn, and for time to pass. */
#ifndef ARENITE_REPLAY_WAIT_H
#define ARENITE_REPLAY_WAIT_H

#include "replay/thread.h"

/* Waits until it is the slot's turn, outside the GIL. */
void replay_wait_turn(struct replay_thread *thread, struct shared_slot *slot, uint32_t turn);
/* The operation is done: the next one's turn. */
static inline void replay_pass_turn(struct shared_slot *slot, uint32_t turn);
/* The recorded gap before an operation: computing, with the GIL, passing safepoints. */
void replay_think(struct replay_thread *thread, unsigned gap);
/* The recorded time of a call that blocked; the caller has dropped the GIL. */
void replay_sleep(unsigned duration);

void replay_wake(struct shared_slot *slot);

static inline void replay_pass_turn(struct shared_slot *slot, uint32_t turn) {
  /* Sequentially consistent, as in replay_wait_turn: either the waiter sees the turn or we see the
   * waiter. */
  atomic_store_explicit(&slot->turn, turn + 1, memory_order_seq_cst);
  if (__builtin_expect(atomic_load_explicit(&slot->waiters, memory_order_seq_cst) != 0, 0))
    replay_wake(slot);
}

#endif
