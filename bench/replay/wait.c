/* wait.c - where a replay thread waits. The GIL is dropped first: the thread that is waited for may
 * need it, so even a short spin with it would be in vain. */
#include "replay/wait.h"
#include "trace/gap.h"

#include <linux/futex.h>
#include <limits.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SPINS 400          /* a few microseconds: shorter than a sleep and a wake */
#define THINK_STEP_NS 2000 /* gaps are saved up until they are worth a look at the clock */
#define SLEEP_MIN_NS 60000 /* sleeping takes this much longer than it should */

static inline void relax(void) {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

void replay_wait_turn(struct replay_thread *thread, struct shared_slot *slot, uint32_t turn) {
  thread->slow_waits++;
  arn_thread *away = thread->runtime ? arn_save_thread() : NULL;
  int spins = SPINS;
  while (atomic_load_explicit(&slot->turn, memory_order_acquire) != turn && --spins)
    relax();
  if (!spins) {
    atomic_fetch_add_explicit(&slot->waiters, 1, memory_order_seq_cst);
    uint32_t now;
    while ((now = atomic_load_explicit(&slot->turn, memory_order_seq_cst)) != turn)
      syscall(SYS_futex, &slot->turn, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0);
    atomic_fetch_sub_explicit(&slot->waiters, 1, memory_order_relaxed);
  }
  if (away)
    arn_restore_thread(away);
}

void replay_wake(struct shared_slot *slot) {
  syscall(SYS_futex, &slot->turn, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void replay_think(struct replay_thread *thread, unsigned gap) {
  thread->think_debt += gap_to_ns(gap);
  if (thread->think_debt < THINK_STEP_NS)
    return;
  uint64_t end = now_ns() + thread->think_debt;
  thread->think_debt = 0;
  do {
    for (int i = 0; i < 20; i++)
      relax();
    if (thread->runtime)
      arn_safepoint();
  } while (now_ns() < end);
}

void replay_sleep(unsigned duration) {
  uint64_t ns = gap_to_ns(duration);
  if (ns > SLEEP_MIN_NS) {
    ns -= SLEEP_MIN_NS;
    struct timespec time = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    nanosleep(&time, NULL);
    return;
  }
  for (uint64_t end = now_ns() + ns; now_ns() < end;)
    relax();
}
