/* pairs_child.c - see pairs_child.h.
 *
 * A pair is one allocation, a write to the block's first word, and one free. Each pattern is
 * written once, as a macro over the two functions, so that the loop around arn_malloc and the one
 * around malloc are the same code; both are called through the PLT, as a program calls a library.
 *
 *   LIFO    allocate 10,000 blocks, then free them in reverse: a stack
 *   FIFO    10,000 blocks live; free the oldest, allocate one: a queue
 *   random  10,000 blocks live; free one of them, allocate one; the order is drawn beforehand
 */
#include "pairs_child.h"

#include "compare/clock.h"

#include <arenite.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const int pairs_sizes[PAIRS_SIZES] = {16, 64, 512};
const char *const pairs_patterns[PAIRS_PATTERNS] = {"lifo", "fifo", "random"};

/* Not of the heap under test: its blocks would lie among those that are measured. */
static void *live[PAIRS_LIVE];
enum { ORDER = 1 << 16 };
static uint16_t order[ORDER];

static void draw_order(void) {
  uint64_t x = 88172645463325252u; /* Marsaglia's xorshift64, and his seed */
  for (int i = 0; i < ORDER; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    order[i] = (uint16_t)(x % PAIRS_LIVE);
  }
}

/* Three functions for each allocator; each does `passes` times PAIRS_LIVE pairs. */
#define PAIRS_FUNCTIONS(name, allocate, release)                                                   \
  static void *name##_block(size_t size, long mark) {                                              \
    long *block = allocate(size);                                                                  \
    if (block == NULL)                                                                             \
      abort();                                                                                     \
    *block = mark;                                                                                 \
    return block;                                                                                  \
  }                                                                                                \
  static void name##_lifo(size_t size, long passes) {                                              \
    for (long pass = 0; pass < passes; pass++) {                                                   \
      for (int i = 0; i < PAIRS_LIVE; i++)                                                         \
        live[i] = name##_block(size, i);                                                           \
      for (int i = PAIRS_LIVE - 1; i >= 0; i--)                                                    \
        release(live[i]);                                                                          \
    }                                                                                              \
  }                                                                                                \
  static void name##_fill(size_t size) {                                                           \
    for (int i = 0; i < PAIRS_LIVE; i++)                                                           \
      live[i] = name##_block(size, i);                                                             \
  }                                                                                                \
  static void name##_drop(void) {                                                                  \
    for (int i = 0; i < PAIRS_LIVE; i++)                                                           \
      release(live[i]);                                                                            \
  }                                                                                                \
  static void name##_fifo(size_t size, long passes) {                                              \
    for (long pass = 0; pass < passes; pass++)                                                     \
      for (int i = 0; i < PAIRS_LIVE; i++) {                                                       \
        release(live[i]);                                                                          \
        live[i] = name##_block(size, i);                                                           \
      }                                                                                            \
  }                                                                                                \
  static void name##_random(size_t size, long passes) {                                            \
    static unsigned at;                                                                            \
    for (long step = 0; step < passes * PAIRS_LIVE; step++) {                                      \
      void **slot = &live[order[at++ % ORDER]];                                                    \
      release(*slot);                                                                              \
      *slot = name##_block(size, step);                                                            \
    }                                                                                              \
  }                                                                                                \
  static const struct allocator name##_allocator = {                                               \
      name##_fill, name##_drop, {name##_lifo, name##_fifo, name##_random}};

struct allocator {
  void (*fill)(size_t size);
  void (*drop)(void);
  void (*run[PAIRS_PATTERNS])(size_t size, long passes);
};

PAIRS_FUNCTIONS(system, malloc, free)
PAIRS_FUNCTIONS(arenite, arn_malloc, arn_free)

/* Nanoseconds a pair. The clock is read every 20 passes, a millisecond or more. */
static double measure(const struct allocator *allocator, int row, double seconds) {
  size_t size = (size_t)pairs_sizes[row / PAIRS_PATTERNS];
  int pattern = row % PAIRS_PATTERNS;
  enum { STEP = 20 };
  if (pattern != PAIRS_LIFO)
    allocator->fill(size);
  allocator->run[pattern](size, STEP); /* the first touch of the memory is not what is asked */
  double start = clock_seconds(), now = start;
  long passes = 0;
  while (now - start < seconds) {
    allocator->run[pattern](size, STEP);
    passes += STEP;
    now = clock_seconds();
  }
  if (pattern != PAIRS_LIFO)
    allocator->drop();
  return (now - start) * 1e9 / ((double)passes * PAIRS_LIVE);
}

/* The file that serves the function: the proof of what was measured. */
static const char *served_by(const char *function) {
  Dl_info info;
  void *address = dlsym(RTLD_DEFAULT, function);
  return address != NULL && dladdr(address, &info) != 0 ? info.dli_fname : "";
}

int pairs_child(const char *which, double row_seconds) {
  bool system = strcmp(which, "malloc") == 0;
  arn_runtime *runtime = NULL;
  if (!system) {
    arn_config config;
    arn_config_init(&config);
    config.mode = strcmp(which, "gil") == 0 ? ARN_MODE_GIL : ARN_MODE_FREE_THREADED;
    if (arn_runtime_create(&runtime, &config) != 0 || arn_thread_attach(runtime) != 0) {
      fprintf(stderr, "arenite bench pairs: cannot create a runtime.\n");
      return 1;
    }
  }
  draw_order();
  double ns[PAIRS_ROWS];
  for (int row = 0; row < PAIRS_ROWS; row++)
    ns[row] = measure(system ? &system_allocator : &arenite_allocator, row, row_seconds);
  if (!system) {
    arn_thread_detach();
    arn_runtime_destroy(runtime);
  }
  printf("{\"library\": \"%s\", \"ns\": [", served_by(system ? "malloc" : "arn_malloc"));
  for (int row = 0; row < PAIRS_ROWS; row++)
    printf("%s%.4f", row > 0 ? ", " : "", ns[row]);
  printf("]}\n");
  return fflush(stdout) == 0 ? 0 : 1;
}
