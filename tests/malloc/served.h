/* served.h - the process's malloc under test, in whichever form it got here.
 *
 * A test may be linked with the shared library, or with the static one, or know nothing of it and
 * have it preloaded. So whatever is not in libc's headers is found by its name, at run time.
 */
#ifndef ARENITE_TESTS_SERVED_H
#define ARENITE_TESTS_SERVED_H

#include "support.h"

/* A function of the library, by its name; aborts when there is none. */
void *served_function(const char *name);

/* The file that a function of this process is in, without its folders; NULL when there is none. */
const char *served_file(const char *name);

/* Whether the process runs with a GIL. */
bool served_gil(void);

/* arn_check of the runtime behind malloc; aborts with what is wrong. No other thread may be inside
 * malloc. */
void served_check(void);

/* Exact when no other thread runs. */
arn_stats served_stats(void);

/* Hides from the compiler what it knows of a value, so that it does not warn of what a test is about.
 */
static inline void *served_hide(const void *value) {
  void *hidden = (void *)(uintptr_t)value;
  __asm__ volatile("" : "+r"(hidden));
  return hidden;
}
static inline size_t served_hide_size(size_t value) {
  __asm__ volatile("" : "+r"(value));
  return value;
}

#endif
