/* varint.h - integers of variable length: seven bits a byte, least significant first, the top bit
 * of a byte says that more follow. Signed ones are folded (zigzag) so that small ones stay short.
 */
#ifndef ARENITE_TRACE_VARINT_H
#define ARENITE_TRACE_VARINT_H

#include <stdbool.h>
#include <stdint.h>

#define VARINT_MAX 10 /* bytes */

static inline unsigned char *varint_put(unsigned char *at, uint64_t value) {
  while (value >= 0x80) {
    *at++ = (unsigned char)(value | 0x80);
    value >>= 7;
  }
  *at++ = (unsigned char)value;
  return at;
}

/* Reads one before end; false when it does not end there, or has more than 64 bits. */
static inline bool varint_get(const unsigned char **at, const unsigned char *end, uint64_t *value) {
  uint64_t result = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (*at == end)
      return false;
    unsigned char byte = *(*at)++;
    result |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = result;
      return true;
    }
  }
  return false;
}

static inline uint64_t varint_fold(int64_t value) {
  return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline int64_t varint_unfold(uint64_t value) {
  return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

#endif
