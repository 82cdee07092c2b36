/* hardened.h - what the tests of the hardened build share: blocks in known places, and work on another
 * thread of the runtime. */
#ifndef ARENITE_TESTS_HARDENED_H
#define ARENITE_TESTS_HARDENED_H

#include "support.h"

#include <pthread.h>

/* Blocks that go home in batches when another thread frees them, and ones that it keeps. */
enum { SMALL = 64, KEPT = 256, COUNT = 1000 };

static arn_runtime *runtime;
static void *blocks[COUNT];

static inline void begin(void) {
  runtime = support_start(ARN_MODE_FREE_THREADED);
}

static inline void allocate(size_t size) {
  for (int i = 0; i < COUNT; i++) {
    blocks[i] = arn_malloc(size);
    REQUIRE(blocks[i] != NULL);
  }
}

/* Every second block is freed and in its pool: none in a bin, and no page without a block in use. */
static inline void half_in_pools(void) {
  allocate(SMALL);
  for (int i = 0; i < COUNT; i += 2)
    arn_free(blocks[i]);
  arn_trim(runtime, 0);
}

/* What a program does that goes on writing where a block was. */
static inline void overwrite(void *block) {
  *(void *volatile *)block = (void *)(uintptr_t)0x4141414141414141;
}

typedef struct errand {
  void (*work)(void);
  pthread_barrier_t done;
} errand;

static inline void *run_errand(void *context) {
  errand *e = context;
  REQUIRE(arn_thread_attach(runtime) == 0);
  e->work();
  pthread_barrier_wait(&e->done);
  for (;;)
    support_sleep_ms(1000); /* ending, it would send its batches */
  return NULL;
}

/* Does the work on another thread, which stays. */
static inline void elsewhere(void (*work)(void)) {
  static errand errands[2];
  static int count;
  errand *e = &errands[count++];
  e->work = work;
  pthread_t thread;
  REQUIRE(pthread_barrier_init(&e->done, NULL, 2) == 0);
  REQUIRE(pthread_create(&thread, NULL, run_errand, e) == 0);
  pthread_barrier_wait(&e->done);
}

#endif
