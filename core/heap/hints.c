/* hints.c - see hints.h. */
#include "hints.h"

static void lower_first(arn_arenas *set, int step, uint32_t group) {
  uint32_t first = load_relaxed(&set->first[step]);
  while (group < first && !cas_seq_cst(&set->first[step], &first, group)) {
  }
}

void arn_hint_place(arn_arenas *set, uint32_t number, int at) {
  arn_arena *arena = &arn_space.arenas[number];
  arn_hints *hints = &set->hints[number / 64];
  uint64_t bit = UINT64_C(1) << number % 64;
  for (;;) {
    int step =
        load_seq_cst(&arena->home) == set ? arn_step_of(load_seq_cst(&arena->taken)) : ARN_NOWHERE;
    if (step == at)
      return;
    if (step != ARN_NOWHERE) {
      or_seq_cst(&hints->by_fullness[step], bit);
      lower_first(set, step, number / 64);
    }
    if (at != ARN_NOWHERE)
      and_seq_cst(&hints->by_fullness[at], ~bit);
    at = step;
  }
}

void arn_hint_dirty(arn_arenas *set, uint32_t number) {
  _Atomic uint64_t *word = &set->hints[number / 64].dirty;
  uint64_t bit = UINT64_C(1) << number % 64;
  if (!(load_seq_cst(word) & bit))
    or_seq_cst(word, bit);
  if (!load_seq_cst(&set->any_dirty))
    store_seq_cst(&set->any_dirty, 1);
}

void arn_unhint_dirty(arn_arenas *set, uint32_t number) {
  arn_arena *arena = &arn_space.arenas[number];
  and_seq_cst(&set->hints[number / 64].dirty, ~(UINT64_C(1) << number % 64));
  if (load_seq_cst(&arena->home) == set &&
      (~load_seq_cst(&arena->taken) & load_seq_cst(&arena->dirty)))
    arn_hint_dirty(set, number);
}

void arn_hint_idle(uint32_t number) {
  or_seq_cst(&arn_space.idle[number / 64], UINT64_C(1) << number % 64);
}
