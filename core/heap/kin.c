/* kin.c - the numbers of kin.h. */
#include "kin.h"

static _Atomic uint64_t taken[4] = {1, 0, 0,
                                    UINT64_C(1) << 63}; /* 0 and ARN_KIN_NONE are nobody's */

uint8_t arn_kin_take(void) {
  for (uint32_t i = 0; i < 4; i++) {
    uint64_t word = load_relaxed(&taken[i]);
    while (~word) {
      uint64_t bit = ~word & (word + 1);
      if (cas_acq_rel(&taken[i], &word, word | bit)) /* with arn_kin_give */
        return (uint8_t)(i * 64 + (uint32_t)__builtin_ctzll(bit));
    }
  }
  return 0;
}

void arn_kin_give(uint8_t kin) {
  if (kin)
    and_seq_cst(&taken[kin / 64], ~(UINT64_C(1) << kin % 64));
}
