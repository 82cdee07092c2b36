/* test_fork.c - a child of fork goes on with the forking thread's heap.
 *
 * It allocates, frees its parent's blocks and those of threads that exist only in the parent,
 * starts a thread of its own, and ends the runtime's life as any process does.
 */
#include "support.h"

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COUNT = 2000 };

struct world {
  arn_runtime *runtime;
  void *mine[COUNT], *others[COUNT];
  atomic_int ready, done;
};

static size_t size_of(int i) {
  return 1 + (size_t)i * 37 % 20000;
}

static void fill(void **blocks) {
  for (int i = 0; i < COUNT; i++) {
    blocks[i] = arn_malloc(size_of(i));
    REQUIRE(blocks[i] != NULL);
    support_fill(blocks[i], size_of(i), (uint64_t)i);
  }
}

static void free_all(void **blocks) {
  for (int i = 0; i < COUNT; i++) {
    REQUIRE(support_holds(blocks[i], size_of(i), size_of(i), (uint64_t)i));
    arn_free(blocks[i]);
  }
}

/* A thread that is attached, with blocks of its own and busy with them, while the process forks. */
static void *other_thread(void *context) {
  struct world *world = context;
  REQUIRE(arn_thread_attach(world->runtime) == 0);
  fill(world->others);
  atomic_store(&world->ready, 1);
  while (!atomic_load(&world->done)) {
    void *block = arn_malloc(100);
    REQUIRE(block != NULL);
    arn_free(block);
    arn_safepoint();
  }
  arn_thread_detach();
  return NULL;
}

static void *thread_of_the_child(void *context) {
  REQUIRE(arn_thread_attach(context) == 0);
  static void *blocks[COUNT];
  fill(blocks);
  free_all(blocks);
  arn_thread_detach();
  return NULL;
}

static void live_in_the_child(struct world *world) {
  static void *blocks[COUNT];
  REQUIRE(arn_runtime_current() == world->runtime);
  fill(blocks);
  free_all(world->mine);
  free_all(world->others);
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, thread_of_the_child, world->runtime) == 0);
  ARN_BEGIN_ALLOW_THREADS
  pthread_join(thread, NULL);
  ARN_END_ALLOW_THREADS
  free_all(blocks);
  REQUIRE(arn_trim(world->runtime, 0) < SIZE_MAX);
  support_check(world->runtime);
}

static int child_status(struct world *world, bool twice) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    alarm(60); /* a deadlock is a failure, not a wait */
    if (twice) {
      pid_t grandchild = fork();
      if (grandchild > 0) {
        int status;
        _exit(waitpid(grandchild, &status, 0) == grandchild && status == 0 ? 0 : 1);
      }
      REQUIRE(grandchild == 0);
      alarm(60);
    }
    live_in_the_child(world);
    _exit(0);
  }
  int status;
  ARN_BEGIN_ALLOW_THREADS
  waitpid(child, &status, 0);
  ARN_END_ALLOW_THREADS
  return status;
}

static void fork_in_mode(arn_mode mode) {
  static struct world world;
  arn_config config = support_config(mode);
  config.switch_interval_us = 200;
  world.runtime = support_start_with(&config);
  atomic_store(&world.ready, 0);
  atomic_store(&world.done, 0);
  fill(world.mine);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, other_thread, &world), 0);
  while (!atomic_load(&world.ready)) {
    arn_safepoint();
    ARN_BEGIN_ALLOW_THREADS
    support_sleep_ms(1);
    ARN_END_ALLOW_THREADS
  }
  for (int i = 0; i < 10; i++)
    assert_int_equal(child_status(&world, i % 4 == 3), 0);
  /* The parent does not notice. */
  atomic_store(&world.done, 1);
  ARN_BEGIN_ALLOW_THREADS
  pthread_join(thread, NULL);
  ARN_END_ALLOW_THREADS
  free_all(world.mine);
  free_all(world.others);
  support_end(world.runtime);
}

static void fork_free_threaded(void **state) {
  (void)state;
  fork_in_mode(ARN_MODE_FREE_THREADED);
}

static void fork_under_the_gil(void **state) {
  (void)state;
  fork_in_mode(ARN_MODE_GIL);
}

/* A thread that is not attached may fork too; its child attaches and works. */
static void fork_without_being_attached(void **state) {
  (void)state;
  for (int mode = 0; mode < 2; mode++) {
    arn_runtime *runtime = support_start((arn_mode)mode);
    void *block = arn_malloc(100);
    support_fill(block, 100, 1);
    arn_thread_detach();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      alarm(60);
      REQUIRE(arn_thread_attach(runtime) == 0);
      REQUIRE(support_holds(block, 100, 100, 1));
      arn_free(block);
      support_check(runtime);
      arn_thread_detach();
      arn_runtime_destroy(runtime);
      _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    arn_runtime_destroy(runtime);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fork_free_threaded),
      cmocka_unit_test(fork_under_the_gil),
      cmocka_unit_test(fork_without_being_attached),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
