/* support.h - what the tests share: a random generator with a seed that is printed, contents that
 * can be verified, runtimes that are checked when they end, and a look at the process from outside.
 *
 * Include it first: it asks libc for its GNU interfaces.
 */
#ifndef ARENITE_TESTS_SUPPORT_H
#define ARENITE_TESTS_SUPPORT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <arenite.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sanitizers cost memory and time of their own; tests that measure either ask here. */
#ifdef __has_feature /* clang's */
#define SUPPORT_HAS(feature) __has_feature(feature)
#else
#define SUPPORT_HAS(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || SUPPORT_HAS(thread_sanitizer)
#define SUPPORT_THREAD_SANITIZER 1
#else
#define SUPPORT_THREAD_SANITIZER 0
#endif
#if defined(__SANITIZE_ADDRESS__) || SUPPORT_HAS(address_sanitizer)
#define SUPPORT_SANITIZED 1
#else
#define SUPPORT_SANITIZED SUPPORT_THREAD_SANITIZER
#endif

/* For threads other than the test's own, where cmocka's assertions may not be used: says what was
 * expected and aborts. */
#define REQUIRE(condition)                                                                         \
  do {                                                                                             \
    if (!(condition))                                                                              \
      support_fail(__FILE__, __LINE__, #condition);                                                \
  } while (0)
_Noreturn void support_fail(const char *file, int line, const char *condition);

/* Random numbers: splitmix64. One state per thread, started from support_seed. */
uint64_t support_random(uint64_t *state);
size_t support_below(uint64_t *state, size_t limit);
/* ARENITE_TEST_SEED, or the clock; printed once, so that a failure can be repeated. */
uint64_t support_seed(void);
/* A size between 1 and largest: half of them at most 128 bytes, few of them large. */
size_t support_size(uint64_t *state, size_t largest);

/* count, or a third of it when ARENITE_TEST_QUICK is set; less under a sanitizer. */
size_t support_scaled(size_t count);

/* Contents: a pattern that depends on the seed and on the place. In blocks above 16 KiB only both
 * ends and a word of each page are written and verified. */
void support_fill(void *at, size_t size, uint64_t seed);
/* Verifies the first kept bytes of a block that was filled as size bytes. */
bool support_holds(const void *at, size_t size, size_t kept, uint64_t seed);
bool support_is_zero(const void *at, size_t size);

/* The defaults, whatever the environment says. */
arn_config support_config(arn_mode mode);
/* Creates a runtime and attaches the calling thread. */
arn_runtime *support_start(arn_mode mode);
arn_runtime *support_start_with(const arn_config *config);
/* arn_check and the sum of stats.h; aborts with the message when either is broken. */
void support_check(arn_runtime *runtime);
/* Checks, detaches the calling thread, destroys. */
void support_end(arn_runtime *runtime);
arn_stats support_stats(arn_runtime *runtime);

/* In classic, requests above the small limit go to the system heap. */
bool support_is_classic(void);
/* foreign; in classic, where that might be a block of libc's for all that Arenite knows, an address
 * among the arenas that is no block instead. */
void *support_stranger(void *foreign);

/* The process from outside: resident bytes, mappings, resident bytes of a range. */
size_t support_rss(void);
size_t support_mappings(void);
size_t support_resident(const void *at, size_t size);
void support_sleep_ms(unsigned milliseconds);
uint64_t support_now_ns(void);

#endif
