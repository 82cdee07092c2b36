/* support.c - random numbers, contents, runtimes that are checked when they end (support.h). */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A test that asks for more than there is wants NULL, not the sanitizer's report. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "allocator_may_return_null=1";
}
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void) {
  return "allocator_may_return_null=1";
}

void support_fail(const char *file, int line, const char *condition) {
  fprintf(stderr, "%s:%d: expected %s (errno %d)\n", file, line, condition, errno);
  abort();
}

uint64_t support_random(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

size_t support_below(uint64_t *state, size_t limit) {
  return (size_t)(support_random(state) % limit);
}

uint64_t support_seed(void) {
  static uint64_t seed;
  if (seed == 0) {
    const char *given = getenv("ARENITE_TEST_SEED");
    seed = given != NULL ? strtoull(given, NULL, 0) : support_now_ns();
    printf("ARENITE_TEST_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
  }
  return seed;
}

size_t support_size(uint64_t *state, size_t largest) {
  size_t limit;
  switch (support_below(state, 64)) {
  case 0:
    limit = largest;
    break;
  case 1:
  case 2:
    limit = 256 * 1024;
    break;
  case 3:
  case 4:
  case 5:
  case 6:
    limit = 32 * 1024;
    break;
  default:
    limit = support_below(state, 2) ? 128 : 1024;
  }
  return 1 + support_below(state, limit < largest ? limit : largest);
}

size_t support_scaled(size_t count) {
  if (getenv("ARENITE_TEST_QUICK") != NULL)
    count /= 3;
  if (SUPPORT_SANITIZED)
    count /= 3;
  return count > 0 ? count : 1;
}

enum { WHOLE_UP_TO = 16 * 1024, END = 1024, PAGE = 4096 };

/* The offset after offset that the pattern of a block of size bytes covers. */
static size_t next_offset(size_t offset, size_t size) {
  if (size <= WHOLE_UP_TO || offset < END)
    return offset + 8;
  size_t tail = (size - END) & ~(size_t)7;
  if (offset >= tail)
    return offset + 8;
  return offset + PAGE < tail ? offset + PAGE : tail;
}

static uint64_t pattern(uint64_t seed, size_t offset) {
  return (seed ^ offset) * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

void support_fill(void *at, size_t size, uint64_t seed) {
  for (size_t i = 0; i < size; i = next_offset(i, size)) {
    uint64_t word = pattern(seed, i);
    memcpy((char *)at + i, &word, size - i < 8 ? size - i : 8);
  }
}

bool support_holds(const void *at, size_t size, size_t kept, uint64_t seed) {
  for (size_t i = 0; i < kept; i = next_offset(i, size)) {
    uint64_t word = pattern(seed, i);
    if (memcmp((const char *)at + i, &word, kept - i < 8 ? kept - i : 8) != 0)
      return false;
  }
  return true;
}

bool support_is_zero(const void *at, size_t size) {
  const unsigned char *bytes = at;
  return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

arn_config support_config(arn_mode mode) {
  arn_config config;
  REQUIRE(arn_config_init(&config) == 0);
  config.mode = mode;
  return config;
}

arn_runtime *support_start(arn_mode mode) {
  arn_config config = support_config(mode);
  return support_start_with(&config);
}

arn_runtime *support_start_with(const arn_config *config) {
  arn_runtime *runtime = NULL;
  REQUIRE(arn_runtime_create(&runtime, config) == 0);
  REQUIRE(runtime != NULL);
  REQUIRE(arn_thread_attach(runtime) == 0);
  return runtime;
}

arn_stats support_stats(arn_runtime *runtime) {
  arn_stats stats;
  REQUIRE(arn_stats_get(runtime, &stats) == 0);
  return stats;
}

void support_check(arn_runtime *runtime) {
  char message[512] = "";
  int broken = arn_check(runtime, message, sizeof message);
  if (broken != 0) {
    fprintf(stderr, "arn_check: %d broken: %s\n", broken, message);
    abort();
  }
  arn_stats s = support_stats(runtime);
  uint64_t sum = s.live_bytes + s.free_bytes + s.untouched_bytes + s.purged_bytes +
                 s.deferred_bytes + s.overhead_bytes;
  if (s.arena_bytes != sum) {
    fprintf(stderr,
            "arena_bytes %llu != live %llu + free %llu + untouched %llu + purged %llu + deferred "
            "%llu + overhead %llu\n",
            (unsigned long long)s.arena_bytes, (unsigned long long)s.live_bytes,
            (unsigned long long)s.free_bytes, (unsigned long long)s.untouched_bytes,
            (unsigned long long)s.purged_bytes, (unsigned long long)s.deferred_bytes,
            (unsigned long long)s.overhead_bytes);
    abort();
  }
  REQUIRE(s.arena_bytes == s.arenas * arn_geometry_get().arena_size);
  REQUIRE(s.arenas == s.arenas_allocated - s.arenas_reclaimed);
  REQUIRE(s.arenas <= s.arenas_highwater);
}

void support_end(arn_runtime *runtime) {
  support_check(runtime);
  arn_thread_detach();
  arn_runtime_destroy(runtime);
}

bool support_is_classic(void) {
  return strcmp(arn_geometry_get().name, "classic") == 0;
}

void *support_stranger(void *foreign) {
  if (!support_is_classic())
    return foreign;
  char *block = arn_malloc(8); /* the only pool that is in use */
  REQUIRE(block != NULL);
  return block + 5 * arn_geometry_get().pool_size;
}

void support_sleep_ms(unsigned milliseconds) {
  struct timespec left = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
  while (nanosleep(&left, &left) != 0)
    ;
}

uint64_t support_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
