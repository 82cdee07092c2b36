/* hints.h - where in a set of arenas a search should look first.
 *
 * For every 64 arenas a set has one word per step of fullness (bit: this arena is about that full),
 * and one word "has dirty free slots". The process has one word "is idle" (space.h). A hint is
 * verified on use, and whoever changes `taken` moves the arena's bit and then looks again, until
 * what it wrote is what it sees; so once nobody changes an arena, its bit is where it belongs. There may
 * be others where it does not; whoever follows one clears it.
 */
#ifndef ARN_HEAP_HINTS_H
#define ARN_HEAP_HINTS_H

#include "arena.h"

#define ARN_ALL_SLOTS (~UINT64_C(0))

/* Step 0 has the fewest free slots; the last one is for arenas that are all free; a full arena is
 * on none. */
#define ARN_NOWHERE (-1)
#define ARN_ALL_FREE_STEP (ARN_FULLNESS_STEPS - 1)

/* The step of fullness that a word of taken slots belongs to. */
static inline int arn_step_of(uint64_t taken) {
  int free = __builtin_popcountll(~taken);
  if (free == 0)
    return ARN_NOWHERE;
  if (ARN_TEXTBOOK)
    return free - 1;
  return free == 64 ? ARN_ALL_FREE_STEP : free * ARN_ALL_FREE_STEP / 64;
}

/* The most slots that an arena of a step can have free. */
static inline uint32_t arn_step_most_free(int step) {
  if (ARN_TEXTBOOK)
    return (uint32_t)step + 1;
  return step == ARN_ALL_FREE_STEP ? 64 : ((uint32_t)step * 64 + 64) / ARN_ALL_FREE_STEP;
}

/* How many words of hints are in use: for 64 arenas each, up to the frontier. */
static inline uint32_t arn_group_count(void) {
  return (load_acquire(&arn_space.frontier) + 63) / 64; /* advance's CAS releases */
}

/* Moves the arena's bit from step `at` (ARN_NOWHERE: it has none) to where it belongs, and looks
 * again until nothing changed meanwhile. Sequentially consistent: of two threads that change
 * `taken` and then the hint, the one whose look is last sees both changes. */
void arn_hint_place(arn_arenas *set, uint32_t number, int at);

/* The arena may have dirty free slots. */
void arn_hint_dirty(arn_arenas *set, uint32_t number);

/* The arena was seen to have no dirty free slot. Looks again afterwards, as arn_hint_place does. */
void arn_unhint_dirty(arn_arenas *set, uint32_t number);

/* The arena is nobody's. */
void arn_hint_idle(uint32_t number);

#endif
