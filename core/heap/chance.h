/* chance.h - random numbers of the hardened build: a seed from the system, and what follows from it. */
#ifndef ARN_HEAP_CHANCE_H
#define ARN_HEAP_CHANCE_H

#include <stdint.h>

/* 64 bits that nobody knows. */
uint64_t arn_chance_seed(void);

/* The next of a sequence; splitmix64. */
static inline uint64_t arn_chance_next(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

#endif
