/* gap.h - times on a coarse logarithmic scale: two steps per doubling, so that any time between
 * operations fits into a byte and is right to within a fifth. Used by the recorder (in ticks of its
 * clock) and by traces (in units of 16 ns, six bits). */
#ifndef ARENITE_TRACE_GAP_H
#define ARENITE_TRACE_GAP_H

#include <stdint.h>

/* 0 and 1 stand for themselves; then the exponent, and the first bit of the mantissa. At most 127.
 */
static inline unsigned gap_class(uint64_t value) {
  if (value < 2)
    return (unsigned)value;
  unsigned exponent = 63 - (unsigned)__builtin_clzll(value);
  return 2 * exponent + ((unsigned)(value >> (exponent - 1)) & 1);
}

/* The middle of a class. */
static inline uint64_t gap_value(unsigned class) {
  if (class < 2)
    return class;
  if (class < 4)
    return class; /* 2 and 3 stand for themselves too */
  uint64_t half = UINT64_C(1) << (class / 2 - 1);
  return (2 + (class & 1)) * half + half / 2;
}

#define GAP_NS_BITS 6
#define GAP_NS_SHIFT 4

/* Nanoseconds to a class of six bits (up to half a minute), and back. Less than 32 ns is nothing.
 */
static inline unsigned gap_from_ns(uint64_t ns) {
  unsigned class = gap_class(ns >> GAP_NS_SHIFT);
  return class < (1u << GAP_NS_BITS) ? class : (1u << GAP_NS_BITS) - 1;
}

static inline uint64_t gap_to_ns(unsigned class) {
  return class < 2 ? 0 : gap_value(class) << GAP_NS_SHIFT;
}

#endif
