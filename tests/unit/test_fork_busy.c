/* test_fork_busy.c - fork while other threads are in the middle of things.
 *
 * The other threads do not exist in the child, and what each was doing stays half done there: a
 * span that was claimed and not described yet, an inbox that was taken and not drained, a runtime
 * that was being created. The child must find a heap whose every invariant holds, and use it.
 */
#include "support.h"

#include "hardened.h"
#include "os.h"
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static arn_runtime *runtime;
static atomic_int ready;

/* Runs a case in a process of its own, whose end takes the busy threads with it; a deadlock there
 * is a failure, not a wait. */
static void in_a_process(void (*run)(void)) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    alarm(60);
    run();
    _exit(0);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

static void start_thread(void *(*work)(void *)) {
  pthread_t thread;
  atomic_store(&ready, 0);
  REQUIRE(pthread_create(&thread, NULL, work, NULL) == 0);
  pthread_detach(thread);
  while (!atomic_load(&ready))
    support_sleep_ms(1);
}

static _Noreturn void end_whole(void) {
  arn_trim(runtime, 0);
  support_check(runtime);
  _exit(0);
}

static void wait_for(pid_t child) {
  int status;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
}

/* The child's life: all invariants hold, before and after it has used what it inherited. */
static void fork_a_child(bool attached) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(30);
    support_check(runtime);
    void *blocks[64];
    for (size_t i = 0; attached && i < 64; i++) {
      blocks[i] = arn_malloc(1 + i * 997);
      REQUIRE(blocks[i] != NULL);
      support_fill(blocks[i], 1 + i * 997, i);
    }
    for (size_t i = 0; attached && i < 64; i++) {
      REQUIRE(support_holds(blocks[i], 1 + i * 997, 1 + i * 997, i));
      arn_free(blocks[i]);
    }
    end_whole();
  }
  wait_for(child);
}

/* --- Spans ----------------------------------------------------------------------------------- */

static void *works_on_spans(void *context) {
  (void)context;
  static void *blocks[64];
  uint64_t random = support_seed();
  REQUIRE(arn_thread_attach(runtime) == 0);
  atomic_store(&ready, 1);
  size_t largest = support_is_classic() ? arn_geometry_get().small_limit : 230000;
  for (;;) {
    size_t i = support_below(&random, 64);
    arn_free(blocks[i]);
    blocks[i] = arn_malloc(largest / 8 + support_below(&random, largest - largest / 8));
  }
  return NULL;
}

static void fork_beside_spans(void) {
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.purge_delay_ms = 0;
  runtime = support_start_with(&config);
  start_thread(works_on_spans);
  for (size_t i = support_scaled(300); i > 0; i--) {
    usleep(200);
    fork_a_child(true);
  }
}

/* --- Runs ------------------------------------------------------------------------------------ */

/* Pages of free arenas are always on their way to another run. */
static void *works_on_runs(void *context) {
  (void)context;
  static unsigned char *blocks[6];
  uint64_t random = support_seed();
  REQUIRE(arn_thread_attach(runtime) == 0);
  atomic_store(&ready, 1);
  for (;;) {
    size_t i = support_below(&random, 6), size = (1 << 20) + support_below(&random, 4 << 20);
    if (support_below(&random, 3) == 0) {
      arn_free(blocks[i]);
      blocks[i] = NULL;
      continue;
    }
    unsigned char *block = arn_realloc(blocks[i], size);
    REQUIRE(block != NULL);
    for (size_t at = 0; at < size; at += 4096)
      block[at] = 1;
    blocks[i] = block;
  }
  return NULL;
}

static void fork_beside_runs(void) {
  runtime = support_start(ARN_MODE_FREE_THREADED);
  start_thread(works_on_runs);
  for (size_t i = support_scaled(200); i > 0; i--) {
    usleep(500);
    fork_a_child(true);
  }
}

/* An arena that has pages from elsewhere is mapped anew when they go: first for nobody, then for use. It is
 * copied in between. */
static int stops_in_between(void *context, const char *call) {
  (void)context;
  if (strcmp(call, "mprotect") == 0 && atomic_load(&ready) == 2) {
    atomic_store(&ready, 3);
    while (atomic_load(&ready) != 4)
      support_sleep_ms(1);
  }
  return 0;
}

static void *maps_anew(void *context) {
  enum { MIB = 1 << 20 };
  (void)context;
  REQUIRE(arn_thread_attach(runtime) == 0);
  atomic_store(&ready, 1);
  void *first = arn_malloc(8 * MIB);
  REQUIRE(first != NULL);
  memset(first, 1, 8 * MIB);
  arn_free(first); /* its pages go to the next, which does not fit there */
  void *next = arn_malloc(20 * MIB);
  REQUIRE(next != NULL);
  memset(next, 1, 20 * MIB);
  arn_free(next);
  atomic_store(&ready, 2);
  arn_trim(runtime, 0);
  REQUIRE(atomic_load(&ready) == 4);
  atomic_store(&ready, 5);
  for (;;)
    pause();
}

static void fork_beside_a_mapping(void) {
  enum { BLOCKS = 400, SIZE = 100000 };
  runtime = support_start(ARN_MODE_FREE_THREADED);
  arn_os_hooks.before = stops_in_between;
  start_thread(maps_anew);
  while (atomic_load(&ready) != 3)
    support_sleep_ms(1);
  pid_t child = fork();
  if (child == 0) {
    alarm(30);
    arn_os_hooks.before = NULL;
    support_check(runtime);
    static void *blocks[BLOCKS]; /* in all that there is */
    for (uint64_t i = 0; i < BLOCKS; i++)
      support_fill(blocks[i] = arn_malloc(SIZE), SIZE, i);
    for (uint64_t i = 0; i < BLOCKS; i++) {
      REQUIRE(support_holds(blocks[i], SIZE, SIZE, i));
      arn_free(blocks[i]);
    }
    end_whole();
  }
  wait_for(child);
  atomic_store(&ready, 4);
  while (atomic_load(&ready) != 5)
    support_sleep_ms(1);
  support_check(runtime);
}

/* --- Remote frees ---------------------------------------------------------------------------- */

enum { RING = 4096 };
static void *_Atomic ring[RING];

static void *fills_the_ring(void *context) {
  (void)context;
  REQUIRE(arn_thread_attach(runtime) == 0);
  atomic_store(&ready, 1);
  for (unsigned i = 0;; i = (i + 1) % RING)
    if (atomic_load(&ring[i]) == NULL)
      atomic_store(&ring[i], arn_malloc(32));
  return NULL;
}

/* The owner drains its inbox most of the time. */
static void fork_beside_an_owner(void) {
  runtime = support_start(ARN_MODE_FREE_THREADED);
  start_thread(fills_the_ring);
  unsigned at = 0;
  for (size_t i = support_scaled(300); i > 0; i--) {
    for (int k = 0; k < 5000; k++, at = (at + 1) % RING)
      arn_free(atomic_exchange(&ring[at], NULL));
    fork_a_child(true);
  }
}

/* --- A half-drained inbox -------------------------------------------------------------------- */

enum { WAITING = 50000, SIZE = 128 };
static void *waiting[WAITING];

/* Takes what is freed to it out of its inbox, goes through the first part of it, and stops. */
static void *drains_a_part(void *context) {
  (void)context;
  REQUIRE(arn_thread_attach(runtime) == 0);
  for (int i = 0; i < WAITING; i++)
    REQUIRE((waiting[i] = arn_malloc(SIZE)) != NULL);
  atomic_store(&ready, 1);
  while (atomic_load(&ready) != 2)
    support_sleep_ms(1);
  uint64_t drains = support_stats(runtime).inbox_drains;
  while (support_stats(runtime).inbox_drains == drains)
    REQUIRE(arn_malloc(SIZE) != NULL);
  atomic_store(&ready, 3);
  for (;;)
    pause();
  return NULL;
}

/* What waits for a thread that is not in the child is used there again, all of it. */
static void fork_beside_a_drain(void) {
  runtime = support_start(ARN_MODE_FREE_THREADED);
  start_thread(drains_a_part);
  for (int i = 0; i < WAITING; i++)
    arn_free(waiting[i]);
  arn_trim(runtime, 0); /* sends the last batch */
  atomic_store(&ready, 2);
  while (atomic_load(&ready) != 3)
    support_sleep_ms(1);
  REQUIRE(support_stats(runtime).deferred_bytes >= WAITING * SIZE / 2);
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(30);
    arn_stats before = support_stats(runtime);
    REQUIRE(before.deferred_bytes >= WAITING * SIZE / 2);
    for (uint64_t bytes = 0; bytes < before.deferred_bytes / 10 * 9; bytes += SIZE)
      REQUIRE(arn_malloc(SIZE) != NULL);
    arn_stats after = support_stats(runtime);
    REQUIRE(after.deferred_bytes < before.deferred_bytes / 2);
    REQUIRE(after.arenas <= before.arenas + 1);
    support_check(runtime);
    _exit(0);
  }
  int status;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
}

/* --- Runtimes -------------------------------------------------------------------------------- */

static void *creates_and_destroys(void *context) {
  (void)context;
  REQUIRE(arn_thread_attach(runtime) == 0);
  atomic_store(&ready, 1);
  for (unsigned i = 0;; i++) {
    arn_config config = support_config(i % 2 ? ARN_MODE_GIL : ARN_MODE_FREE_THREADED);
    arn_runtime *other;
    REQUIRE(arn_runtime_create(&other, &config) == 0);
    arn_runtime_destroy(other);
    arn_safepoint();
  }
  return NULL;
}

/* fork wants every GIL, and a thread that holds one wants the list of runtimes, which fork has. */
static void fork_beside_a_creator(void) {
  arn_config config = support_config(ARN_MODE_GIL);
  REQUIRE(arn_runtime_create(&runtime, &config) == 0);
  start_thread(creates_and_destroys);
  for (size_t i = support_scaled(300); i > 0; i--)
    fork_a_child(false);
}

static void beside_spans(void **state) {
  (void)state;
  in_a_process(fork_beside_spans);
}

static void beside_runs(void **state) {
  (void)state;
  if (support_is_classic())
    skip(); /* which passes what is large to libc */
  in_a_process(fork_beside_runs);
}

static void beside_a_mapping(void **state) {
  (void)state;
  if (support_is_classic() || ARN_HARDENED)
    skip(); /* whose runs get no pages from elsewhere */
  in_a_process(fork_beside_a_mapping);
}

static void beside_an_owner(void **state) {
  (void)state;
  in_a_process(fork_beside_an_owner);
}

static void beside_a_drain(void **state) {
  (void)state;
  in_a_process(fork_beside_a_drain);
}

static void beside_a_creator(void **state) {
  (void)state;
  in_a_process(fork_beside_a_creator);
}

int main(void) {
  support_seed(); /* printed by one process, before there are many */
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(beside_spans),     cmocka_unit_test(beside_runs),
      cmocka_unit_test(beside_a_mapping), cmocka_unit_test(beside_an_owner),
      cmocka_unit_test(beside_a_drain),   cmocka_unit_test(beside_a_creator),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
