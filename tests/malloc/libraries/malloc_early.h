/* malloc_early.h - what malloc_early.c does at the two ends of a process, for malloc_ends.c. */
#ifndef ARENITE_TESTS_MALLOC_EARLY_H
#define ARENITE_TESTS_MALLOC_EARLY_H

#include <stddef.h>

#define EARLY_API __attribute__((visibility("default")))

/* Takes and frees blocks of all kinds, keeps some until the next call, verifies what it kept, and says
 * where it was called. */
EARLY_API void early_work(const char *where);

/* Chosen by an indirect function's resolver when the process starts. */
EARLY_API size_t early_sum(const unsigned char *bytes, size_t count);

#endif
