// forms: static
// timeout: 60
/* malloc_mixed.c - malloc and arn_malloc in one program: no thread needs to attach; blocks go either way
 * between their functions; runtimes of the program's own, in both modes, live beside the one behind
 * malloc, and threads attach to them, step away, allocate meanwhile, and end in any state.
 */
#include "served.h"

#include "unit.h"

#include <arenite/malloc.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 6, SLOTS_SHARED = 256, LARGEST = 200000 };

static arn_runtime *own[2]; /* by mode */

static void check_all(void) {
  for (int mode = 0; mode < 2; mode++)
    if (own[mode]) {
      char message[512] = "";
      assert_int_equal(arn_thread_attach(own[mode]), 0);
      if (arn_check(own[mode], message, sizeof message))
        fail_msg("runtime of mode %d: %s", mode, message);
      arn_thread_detach();
    }
  served_check();
}

static void run(void *(*function)(void *), void *context) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, function, context), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
}

/* One block through functions of both families; it may have been taken by either. */
static void pass_on(void *block, size_t size) {
  REQUIRE(block != NULL && (uintptr_t)block % 16 == 0);
  REQUIRE(malloc_usable_size(block) >= size);
  REQUIRE(arn_usable_size(block) == malloc_usable_size(block));
  support_fill(block, size, size);
  block = realloc(block, size + 1000);
  REQUIRE(block && support_holds(block, size, size, size));
  block = arn_realloc(block, size + 5000);
  REQUIRE(block && support_holds(block, size, size, size));
  if (size % 2)
    free(block);
  else
    arn_free(block);
}

static void *both_families(void *context) {
  static const size_t sizes[] = {1, 16, 100, 513, 5000, 40000, 300001, 1100000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    pass_on(malloc(sizes[i]), sizes[i]);
    pass_on(arn_malloc(sizes[i]), sizes[i]);
    pass_on(arn_calloc(1, sizes[i]), sizes[i]);
    pass_on(arn_aligned_alloc(64, sizes[i]), sizes[i]);
    pass_on(aligned_alloc(4096, sizes[i]), sizes[i]);
  }
  void *block = arn_malloc(0);
  REQUIRE(block != NULL);
  block = arn_realloc(block, 0); /* gives a block, where realloc frees */
  REQUIRE(block != NULL);
  free(block);
  return context;
}

/* --- Without attaching ----------------------------------------------------------------------- */

static void *guest(void *context) {
  both_families(NULL);
  /* A guest is attached to nothing that it knows of. */
  REQUIRE(arn_runtime_current() == NULL);
  arn_thread_detach();
  arn_safepoint();
  REQUIRE(arn_trim(arn_malloc_runtime(), 0) < SIZE_MAX);
  REQUIRE(arn_idle(arn_malloc_runtime()) < SIZE_MAX);
  both_families(NULL);
  return context;
}

static void without_attaching(void **state) {
  (void)state;
  pass_on(malloc(50000000), 50000000);
  pass_on(arn_malloc(50000001), 50000001);
  guest(NULL);
  run(guest, NULL);
  check_all();
}

/* --- Attached -------------------------------------------------------------------------------- */

static void *attaches(void *context) {
  arn_runtime *runtime = context;
  void *before = malloc(1000);
  REQUIRE(before != NULL);
  REQUIRE(arn_thread_attach(runtime) == 0);
  REQUIRE(arn_runtime_current() == runtime);
  REQUIRE(arn_thread_attach(arn_malloc_runtime()) == EBUSY);
  void *attached = malloc(1000);
  both_families(NULL);
  free(before);
  arn_thread *thread = arn_save_thread();
  REQUIRE(arn_runtime_current() == NULL);
  both_families(NULL);
  void *away = malloc(1000);
  REQUIRE(attached && away);
  free(attached);
  arn_restore_thread(thread);
  REQUIRE(arn_runtime_current() == runtime);
  arn_safepoint();
  free(away);
  attached = arn_malloc(1000);
  arn_thread_detach();
  REQUIRE(arn_runtime_current() == NULL);
  free(attached);
  both_families(NULL);
  return NULL;
}

static void to_runtimes_of_its_own(void **state) {
  (void)state;
  for (int mode = 0; mode < 2; mode++) {
    attaches(own[mode]);
    run(attaches, own[mode]);
    check_all();
  }
}

static void to_the_process_runtime(void **state) {
  (void)state;
  attaches(arn_malloc_runtime());
  run(attaches, arn_malloc_runtime());
  check_all();
}

/* --- Ends ------------------------------------------------------------------------------------ */

static void *ends_attached(void *context) {
  REQUIRE(arn_thread_attach(context) == 0);
  free(malloc(1000));
  return NULL;
}

static void *ends_attached_after_malloc(void *context) {
  free(malloc(1000));
  return ends_attached(context);
}

static void *ends_away(void *context) {
  REQUIRE(arn_thread_attach(context) == 0);
  free(malloc(1000));
  arn_save_thread();
  return NULL;
}

static void *ends_away_after_malloc(void *context) {
  ends_away(context);
  free(malloc(1000));
  return NULL;
}

static void threads_that_end_in_any_state(void **state) {
  (void)state;
  void *(*const ways[])(void *) = {ends_attached, ends_attached_after_malloc, ends_away,
                                   ends_away_after_malloc};
  for (int target = 0; target < 3; target++)
    for (int way = 0; way < 4; way++)
      for (int i = 0; i < 50; i++)
        run(ways[way], target < 2 ? own[target] : arn_malloc_runtime());
  check_all();
  arn_stats stats = served_stats();
  assert_true(stats.heaps <= 16);
}

/* --- All at once ----------------------------------------------------------------------------- */

struct block {
  size_t size;
  uint64_t seed;
};
static _Atomic(struct block *) shared[SLOTS_SHARED];

static struct block *take(uint64_t *random) {
  size_t size = sizeof(struct block) + support_size(random, LARGEST);
  struct block *block = support_below(random, 2) ? malloc(size) : arn_malloc(size);
  REQUIRE(block != NULL);
  *block = (struct block){size, support_random(random)};
  support_fill(block + 1, size - sizeof *block, block->seed);
  return block;
}

static void give(struct block *block, uint64_t number) {
  if (!block)
    return;
  size_t size = block->size - sizeof *block;
  REQUIRE(support_holds(block + 1, size, size, block->seed));
  if (number % 2)
    free(block);
  else
    arn_free(block);
}

static void exchange(uint64_t *random, int count) {
  for (int i = 0; i < count; i++) {
    struct block *block = take(random);
    give(atomic_exchange(&shared[support_below(random, SLOTS_SHARED)], block),
         support_random(random));
    arn_safepoint();
  }
}

static void *goes_everywhere(void *context) {
  uint64_t random = support_seed() + (uint64_t)(uintptr_t)context;
  for (size_t i = support_scaled(300); i > 0; i--) {
    size_t target = support_below(&random, 4);
    exchange(&random, 20);
    if (target == 3)
      continue;
    REQUIRE(arn_thread_attach(target < 2 ? own[target] : arn_malloc_runtime()) == 0);
    exchange(&random, 20);
    if (support_below(&random, 2)) {
      arn_thread *thread = arn_save_thread();
      exchange(&random, 20);
      arn_restore_thread(thread);
      exchange(&random, 5);
    }
    arn_thread_detach();
  }
  return NULL;
}

static void all_at_once(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  for (uintptr_t i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, goes_everywhere, (void *)i), 0);
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  check_all();
  for (int i = 0; i < SLOTS_SHARED; i++)
    give(atomic_exchange(&shared[i], NULL), (uint64_t)i);
  check_all();
}

/* --- Forks ----------------------------------------------------------------------------------- */

static atomic_bool enough;

static void *busy(void *context) {
  uint64_t random = (uint64_t)(uintptr_t)context;
  while (!atomic_load(&enough)) {
    REQUIRE(arn_thread_attach(own[random % 2]) == 0);
    exchange(&random, 5);
    arn_thread_detach();
    exchange(&random, 5);
    usleep(200);
  }
  return NULL;
}

/* In a state that the child inherits: attached to something, or not (away is not). */
static void fork_here(bool attached) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(20);
    both_families(NULL);
    arn_thread *thread = attached ? arn_save_thread() : NULL;
    for (int mode = 0; mode < 2; mode++) {
      pthread_t other;
      REQUIRE(pthread_create(&other, NULL, attaches, own[mode]) == 0);
      REQUIRE(pthread_join(other, NULL) == 0);
    }
    if (attached) {
      arn_restore_thread(thread);
      both_families(NULL);
      arn_thread_detach();
    }
    served_check();
    _exit(0);
  }
  int status;
  arn_thread *thread = attached ? arn_save_thread() : NULL;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (status)
    fprintf(stderr, "the child's status is %#x\n", status);
  REQUIRE(status == 0);
  if (attached)
    arn_restore_thread(thread);
}

static void *forks(void *context) {
  arn_runtime *runtime = context;
  for (int i = 0; i < 8; i++) {
    fork_here(false);
    REQUIRE(arn_thread_attach(runtime) == 0);
    fork_here(true);
    arn_thread *thread = arn_save_thread();
    fork_here(false);
    arn_restore_thread(thread);
    arn_thread_detach();
  }
  return NULL;
}

static void forks_in_any_state(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  enough = false;
  for (uintptr_t i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, busy, (void *)i), 0);
  for (int mode = 0; mode < 2; mode++)
    run(forks, own[mode]);
  run(forks, arn_malloc_runtime());
  enough = true;
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  for (int i = 0; i < SLOTS_SHARED; i++)
    give(atomic_exchange(&shared[i], NULL), (uint64_t)i);
  check_all();
}

/* --- The end of the runtimes ----------------------------------------------------------------- */

static void the_end_of_its_own(void **state) {
  (void)state;
  for (int mode = 0; mode < 2; mode++) {
    arn_runtime_destroy(own[mode]);
    own[mode] = NULL;
  }
  both_families(NULL);
  run(both_families, NULL);
  check_all();
}

int main(void) {
  support_seed();
  alarm(50);
  for (int mode = 0; mode < 2; mode++) {
    arn_config config = support_config((arn_mode)mode);
    if (arn_runtime_create(&own[mode], &config))
      return 1;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_attaching),
      cmocka_unit_test(to_runtimes_of_its_own),
      cmocka_unit_test(to_the_process_runtime),
      cmocka_unit_test(threads_that_end_in_any_state),
      cmocka_unit_test(all_at_once),
      cmocka_unit_test(forks_in_any_state),
      cmocka_unit_test(the_end_of_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
