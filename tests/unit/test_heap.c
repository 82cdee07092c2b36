// threads
/* test_heap.c - extra heaps: filled by one part of a program, dropped at once. */
#include "support.h"

#include "unit.h"

#include <pthread.h>

enum { COUNT = 5000 };

static const arn_mode modes[] = {ARN_MODE_FREE_THREADED, ARN_MODE_GIL};

/* Leaves the blocks allocated; their contents are their index. */
static void fill(arn_heap *heap, void **blocks, size_t *sizes, size_t largest) {
  uint64_t random = support_seed();
  if (support_is_classic()) /* larger ones are libc's, and do not go with the heap */
    largest = arn_geometry_get().small_limit;
  for (int i = 0; i < COUNT; i++) {
    sizes[i] = support_size(&random, largest);
    blocks[i] = i % 3 ? arn_heap_malloc(heap, sizes[i]) : arn_heap_calloc(heap, sizes[i], 1);
    assert_non_null(blocks[i]);
    support_fill(blocks[i], sizes[i], (uint64_t)i);
  }
}

static void destroyed_at_once(void **state) {
  (void)state;
  static void *blocks[COUNT];
  static size_t sizes[COUNT];
  for (int i = 0; i < 2; i++) {
    arn_runtime *runtime = support_start(modes[i]);
    uint64_t live = support_stats(runtime).live_bytes;
    for (int round = 0; round < 3; round++) {
      arn_heap *heap = NULL;
      assert_int_equal(arn_heap_create(runtime, &heap), 0);
      fill(heap, blocks, sizes, 300000);
      for (int k = 0; k < COUNT; k++)
        assert_true(support_holds(blocks[k], sizes[k], sizes[k], (uint64_t)k));
      support_check(runtime);
      arn_heap_destroy(heap);
      support_check(runtime);
      assert_int_equal(support_stats(runtime).live_bytes, live);
      assert_int_equal(support_stats(runtime).huge_bytes, 0);
    }
    arn_heap_destroy(NULL);
    support_end(runtime);
  }
}

static void all_operations(void **state) {
  (void)state;
  arn_runtime *runtime = support_start(ARN_MODE_FREE_THREADED);
  arn_heap *one, *two;
  assert_int_equal(arn_heap_create(runtime, &one), 0);
  assert_int_equal(arn_heap_create(runtime, &two), 0);
  char *block = arn_heap_calloc(one, 10, 10);
  assert_true(support_is_zero(block, 100));
  support_fill(block, 100, 3);
  block = arn_heap_realloc(one, block, 9000);
  assert_true(support_holds(block, 100, 100, 3));
  char *aligned = arn_heap_aligned_alloc(two, 256, 100);
  assert_int_equal((uintptr_t)aligned % 256, 0);
  arn_heap_free(one, block);
  arn_heap_free(two, aligned);
  arn_heap_free(one, NULL);
  arn_heap_destroy(one);
  /* The second is not disturbed by the end of the first. */
  block = arn_heap_malloc(two, 64);
  support_fill(block, 64, 4);
  assert_true(support_holds(block, 64, 64, 4));
  arn_heap_destroy(two);
  support_end(runtime);
}

/* The heap needs no attached thread. */
static void *fills_unattached(void *context) {
  arn_heap *heap = context;
  for (int i = 0; i < 1000; i++) {
    void *block = arn_heap_malloc(heap, 100);
    REQUIRE(block != NULL);
    support_fill(block, 100, 1);
    if (i % 2)
      arn_heap_free(heap, block);
  }
  return NULL;
}

static void needs_no_attached_thread(void **state) {
  (void)state;
  arn_runtime *runtime = support_start(ARN_MODE_GIL);
  arn_heap *heap;
  assert_int_equal(arn_heap_create(runtime, &heap), 0);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, fills_unattached, heap), 0);
  pthread_join(thread, NULL);
  support_check(runtime);
  arn_heap_destroy(heap);
  support_end(runtime);
}

struct gift {
  arn_runtime *runtime;
  void **blocks;
  size_t *sizes;
};

static void *frees_all(void *context) {
  struct gift *gift = context;
  REQUIRE(arn_thread_attach(gift->runtime) == 0);
  for (int i = 0; i < COUNT; i++) {
    REQUIRE(support_holds(gift->blocks[i], gift->sizes[i], gift->sizes[i], (uint64_t)i));
    arn_free(gift->blocks[i]);
  }
  arn_thread_detach();
  return NULL;
}

static void freed_by_another_thread(void **state) {
  (void)state;
  static void *blocks[COUNT];
  static size_t sizes[COUNT];
  arn_runtime *runtime = support_start(ARN_MODE_FREE_THREADED);
  arn_heap *heap;
  assert_int_equal(arn_heap_create(runtime, &heap), 0);
  for (int round = 0; round < 3; round++) {
    fill(heap, blocks, sizes, 20000);
    struct gift gift = {runtime, blocks, sizes};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, frees_all, &gift), 0);
    pthread_join(thread, NULL);
    support_check(runtime);
  }
  /* What was freed is used again: three rounds need about the arenas of one. */
  fill(heap, blocks, sizes, 20000);
  arn_heap_destroy(heap);
  assert_int_equal(support_stats(runtime).live_bytes, 0);
  support_end(runtime);
}

/* A run of an extra heap that the thread's own heap lets grow elsewhere is that one's from then on. */
static void a_run_grown_by_another_heap(void **state) {
  (void)state;
  if (support_is_classic())
    skip();
  enum { SIZE = 3 << 20 };
  arn_runtime *runtime = support_start(ARN_MODE_FREE_THREADED);
  for (int round = 0; round < 3; round++) {
    arn_heap *heap;
    assert_int_equal(arn_heap_create(runtime, &heap), 0);
    void *block = arn_heap_malloc(heap, SIZE), *wall = arn_heap_malloc(heap, SIZE);
    support_fill(block, SIZE, 1);
    support_fill(wall, SIZE, 2);
    void *grown = arn_realloc(block, 3 * SIZE);
    assert_true(grown != NULL && grown != block);
    support_check(runtime);
    assert_true(support_holds(wall, SIZE, SIZE, 2));
    arn_heap_destroy(heap);
    assert_true(support_holds(grown, SIZE, SIZE, 1));
    support_fill(grown, 3 * SIZE, 3);
    assert_true(support_holds(grown, 3 * SIZE, 3 * SIZE, 3));
    support_check(runtime);
    arn_free(grown);
  }
  assert_int_equal(support_stats(runtime).live_bytes, 0);
  support_end(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(destroyed_at_once),           cmocka_unit_test(all_operations),
      cmocka_unit_test(needs_no_attached_thread),    cmocka_unit_test(freed_by_another_thread),
      cmocka_unit_test(a_run_grown_by_another_heap),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
