/* misuse.h - a misuse says first which address it is about, so that the sentence can be compared. */
#ifndef ARENITE_TESTS_MISUSE_H
#define ARENITE_TESTS_MISUSE_H

#include <stdint.h>
#include <stdio.h>

/* The address, of which the compiler knows nothing any more. */
static inline void *misuse(const void *address) {
  void *hidden = (void *)(uintptr_t)address;
  __asm__ volatile("" : "+r"(hidden));
  printf("%p\n", hidden);
  fflush(stdout);
  return hidden;
}

#endif
