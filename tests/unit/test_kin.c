// threads
/* test_kin.c - heaps that hand out each other's blocks: which of them, when, and that every block comes
 * home.
 *
 * What one thread allocates, another frees; by the counter of what was sent home, and by the addresses that
 * its next mallocs return, one sees what it kept. */
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "heap.h"
#include "kin.h"
#include "os.h"
#include "unit.h"

enum { COUNT = 400, SIZE = 256, SMALL = 64 };

static arn_runtime *runtime;
static void *blocks[COUNT];

static int begin(void **state) {
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.purge_delay_ms = -1; /* nothing settles a bin meanwhile */
  *state = runtime = support_start_with(&config);
  return 0;
}

static int end(void **state) {
  support_end(*state);
  return 0;
}

static void fill(size_t size) {
  for (int i = 0; i < COUNT; i++)
    support_fill(blocks[i] = arn_malloc(size), size, (uint64_t)i);
}

static uint64_t sent(void) {
  return atomic_load(&arn_self->remote_frees);
}

static bool among(const void *block, void *const *of, int count) {
  for (int i = 0; i < count; i++)
    if (of[i] == block)
      return true;
  return false;
}

/* Its bin of the class has been empty, and has room for all. */
static void allocate_and_free(size_t size) {
  enum { OWN = 4000 };
  static void *own[OWN];
  for (int i = 0; i < OWN; i++)
    own[i] = arn_malloc(size);
  for (int i = 0; i < OWN; i++)
    arn_free(own[i]);
  for (int i = 0; i < OWN / 2; i++)
    own[i] = arn_malloc(size);
}

static void run(void *(*work)(void *), size_t size) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, work, (void *)(uintptr_t)size), 0);
  pthread_join(thread, NULL);
}

/* --- Those of its kin it keeps --------------------------------------------------------------- */

static void *keep(void *context) {
  (void)context;
  REQUIRE(arn_thread_attach(runtime) == 0);
  REQUIRE(arn_self->kin == ARN_KIN_NONE);
  allocate_and_free(SIZE);
  for (int i = 0; i < COUNT; i++)
    arn_free(blocks[i]);
  REQUIRE(sent() == 0);
  REQUIRE(arn_self->kin == arn_self->group->kin);
  int again = 0;
  for (int i = 0; i < COUNT; i++) {
    void *block = arn_malloc(SIZE);
    again += among(block, blocks, COUNT);
    support_fill(block, SIZE, 9);
  }
  REQUIRE(again == COUNT);
  arn_thread_detach();
  return NULL;
}

static void its_kins_blocks_are_handed_out(void **state) {
  if (ARN_TEXTBOOK || ARN_HARDENED)
    skip();
  fill(SIZE);
  run(keep, SIZE);
  support_check(*state);
}

/* --- Those that may not be kept -------------------------------------------------------------- */

/* A thread that would keep blocks of the size, if they were its kin's. */
static void *send_all(void *size) {
  REQUIRE(arn_thread_attach(runtime) == 0);
  allocate_and_free((size_t)(uintptr_t)size);
  for (int i = 0; i < COUNT; i++)
    arn_free(blocks[i]);
  REQUIRE(sent() == COUNT);
  arn_thread_detach();
  return NULL;
}

/* Two threads' small blocks would lie on one line of the cache. */
static void small_ones_go_home(void **state) {
  fill(SMALL);
  run(send_all, SMALL);
  support_check(*state);
}

/* An extra heap may be destroyed at once. */
static void an_extra_heaps_go_home(void **state) {
  arn_heap *extra = NULL;
  assert_int_equal(arn_heap_create(*state, &extra), 0);
  for (int i = 0; i < COUNT; i++)
    blocks[i] = arn_heap_malloc(extra, SIZE);
  run(send_all, SIZE);
  support_check(*state);
  arn_heap_destroy(extra);
  support_check(*state);
}

/* Another runtime has a budget of its own. */
static void another_runtimes_go_home(void **state) {
  (void)state;
  arn_runtime *other = NULL;
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  assert_int_equal(arn_runtime_create(&other, &config), 0);
  assert_int_not_equal(arn_runtime_group(other)->kin, arn_runtime_group(runtime)->kin);
  fill(SIZE);
  arn_runtime *first = runtime;
  runtime = other;
  run(send_all, SIZE);
  runtime = first;
  support_check(first);
  arn_runtime_destroy(other);
}

/* --- A thread that only frees ---------------------------------------------------------------- */

static void *only_free(void *context) {
  (void)context;
  REQUIRE(arn_thread_attach(runtime) == 0);
  allocate_and_free(SIZE);
  REQUIRE(arn_self->kin == ARN_KIN_NONE);
  for (int i = 0; i < COUNT; i++)
    arn_free(blocks[i]);
  REQUIRE(arn_self->kin != ARN_KIN_NONE);
  *(_Atomic bool *)context = true;
  while (*(_Atomic bool *)context)
    sched_yield();
  for (int round = 0; round < 20; round++) {
    /* The other thread's part: it fills again. */
    *(_Atomic bool *)context = true;
    while (*(_Atomic bool *)context)
      sched_yield();
    for (int i = 0; i < COUNT; i++)
      arn_free(blocks[i]);
  }
  REQUIRE(arn_self->kin == ARN_KIN_NONE);
  REQUIRE(sent() > 10 * COUNT);
  arn_thread_detach();
  return NULL;
}

static void who_only_frees_sends_home(void **state) {
  if (ARN_TEXTBOOK || ARN_HARDENED)
    skip();
  _Atomic bool turn = false;
  fill(SIZE);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, only_free, &turn), 0);
  for (int round = 0; round < 21; round++) {
    while (!turn)
      sched_yield();
    fill(SIZE);
    turn = false;
  }
  pthread_join(thread, NULL);
  support_check(*state);
}

/* --- Numbers --------------------------------------------------------------------------------- */

static void there_may_be_more_groups_than_numbers(void **state) {
  (void)state;
  uint8_t numbers[UINT8_MAX + 1];
  int got = 0;
  while ((numbers[got] = arn_kin_take()) != 0) {
    assert_int_not_equal(numbers[got], ARN_KIN_NONE);
    for (int i = 0; i < got; i++)
      assert_int_not_equal(numbers[i], numbers[got]);
    got++;
    assert_true(got < UINT8_MAX);
  }
  arn_runtime *without = NULL;
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  assert_int_equal(arn_runtime_create(&without, &config), 0);
  assert_int_equal(arn_runtime_group(without)->kin, 0);
  fill(SIZE);
  arn_runtime *first = runtime;
  runtime = without;
  run(send_all, SIZE);
  runtime = first;
  arn_runtime_destroy(without);
  while (got-- > 0)
    arn_kin_give(numbers[got]);
}

enum { MANY = 2000, ROUNDS = 60 };
static void *given[MANY];
static pthread_barrier_t turn;

static void *takes_over_and_frees(void *context) {
  REQUIRE(arn_thread_attach(context) == 0);
  static void *own[3 * MANY];
  for (int round = 0; round < ROUNDS; round++) {
    pthread_barrier_wait(&turn);
    for (int i = 0; i < MANY; i++)
      arn_free(given[i]);
    if (round == 0) { /* the owner sleeps: its inbox is handed out */
      support_sleep_ms(20);
      for (int i = 0; i < 3 * MANY; i++)
        REQUIRE((own[i] = arn_malloc(SIZE)) != NULL);
      for (int i = 0; i < 3 * MANY; i++)
        arn_free(own[i]);
    }
    pthread_barrier_wait(&turn);
  }
  arn_thread_detach();
  return NULL;
}

/* A thread that took over what another one was freed while it slept, and from then on frees what that one
 * allocates, sends it home. */
static void an_owner_that_slept_gets_its_blocks(void **state) {
  if (ARN_TEXTBOOK)
    skip();
  pthread_t thread;
  pthread_barrier_init(&turn, NULL, 2);
  assert_int_equal(pthread_create(&thread, NULL, takes_over_and_frees, *state), 0);
  uint64_t arenas = 0;
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < MANY; i++)
      assert_non_null(given[i] = arn_malloc(SIZE));
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    if (round == 5)
      arenas = support_stats(*state).arenas;
  }
  pthread_join(thread, NULL);
  pthread_barrier_destroy(&turn);
  assert_true(support_stats(*state).takeovers > 0);
  assert_in_range(support_stats(*state).arenas, 0, arenas + 2);
  support_check(*state);
}

static void *says_its_number_and_sleeps(void *context) {
  atomic_store((atomic_int *)context, gettid());
  pthread_barrier_wait(&turn);
  return NULL;
}

/* What the system says of threads: this one runs, one that waits does not, and one that has ended is none. */
static void a_thread_that_sleeps_is_on_no_processor(void **state) {
  (void)state;
  atomic_int number = 0;
  pthread_t thread;
  pthread_barrier_init(&turn, NULL, 2);
  assert_int_equal(pthread_create(&thread, NULL, says_its_number_and_sleeps, &number), 0);
  while (!atomic_load(&number))
    sched_yield();
  bool off = false;
  for (int i = 0; i < 1000 && !off; i++) {
    support_sleep_ms(1);
    off = arn_os_off_cpu(number);
  }
  assert_true(off);
  pthread_barrier_wait(&turn);
  pthread_join(thread, NULL);
  pthread_barrier_destroy(&turn);
  assert_false(arn_os_off_cpu(number));
  int often = 0;
  for (int i = 0; i < 100; i++)
    often += arn_os_off_cpu(gettid()); /* never, but where clocks are coarse */
  assert_in_range(often, 0, 10);
}

/* Blocks that one thread allocates and the one that takes them over never does; and how many of its own that
 * one allocates each time. */
enum { UNUSED = 512, GROWTH = 3000 };

static void *takes_over_what_it_cannot_use(void *context) {
  REQUIRE(arn_thread_attach(context) == 0);
  static void *own[ROUNDS / 2][GROWTH];
  for (int round = 0; round < ROUNDS / 2; round++) {
    pthread_barrier_wait(&turn);
    for (int i = 0; i < MANY; i++)
      arn_free(given[i]);
    support_sleep_ms(5); /* the owner sleeps */
    for (int i = 0; i < GROWTH; i++)
      REQUIRE((own[round][i] = arn_malloc(SIZE)) != NULL);
    pthread_barrier_wait(&turn);
  }
  for (int round = 0; round < ROUNDS / 2; round++)
    for (int i = 0; i < GROWTH; i++)
      arn_free(own[round][i]);
  arn_thread_detach();
  return NULL;
}

/* A thread that grows while another one sleeps takes that one's inbox over again and again. What it does not
 * allocate itself does not stay with it. */
static void what_is_of_no_use_goes_home(void **state) {
  if (ARN_TEXTBOOK)
    skip();
  pthread_t thread;
  pthread_barrier_init(&turn, NULL, 2);
  assert_int_equal(pthread_create(&thread, NULL, takes_over_what_it_cannot_use, *state), 0);
  for (int round = 0; round < ROUNDS / 2; round++) {
    for (int i = 0; i < MANY; i++)
      assert_non_null(given[i] = arn_malloc(UNUSED));
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
  }
  uint64_t arenas = support_stats(*state).arenas;
  pthread_join(thread, NULL);
  pthread_barrier_destroy(&turn);
  assert_true(support_stats(*state).takeovers > 0);
  uint64_t grown = (uint64_t)ROUNDS / 2 * GROWTH * SIZE, turned = (uint64_t)MANY * UNUSED;
  assert_in_range(arenas * ARN_ARENA_SIZE, grown, grown + grown / 8 + 5 * turned);
  support_check(*state);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const struct CMUnitTest tests[] = {
      TEST(its_kins_blocks_are_handed_out),
      TEST(small_ones_go_home),
      TEST(an_extra_heaps_go_home),
      TEST(another_runtimes_go_home),
      TEST(who_only_frees_sends_home),
      TEST(there_may_be_more_groups_than_numbers),
      TEST(an_owner_that_slept_gets_its_blocks),
      TEST(what_is_of_no_use_goes_home),
      TEST(a_thread_that_sleeps_is_on_no_processor),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
