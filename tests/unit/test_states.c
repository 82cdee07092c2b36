/* test_states.c - a pool's life in the modern and wide geometries: used, full when all its blocks
 * are taken, used again when an eighth of them is free, and gone when all are (pool.h has the
 * table). The classic geometry's pools live otherwise: textbook/test_pools.c.
 */
#include "heap.h"
#include "support.h"

#include "unit.h"

enum { SIZE = 256, MOST = 1024 };

struct search {
  uintptr_t first, end;
  arn_visit found;
};

static int look(const arn_visit *what, void *context) {
  struct search *search = context;
  uintptr_t at = (uintptr_t)what->address;
  if (what->kind == ARN_VISIT_POOL && at >= search->first && at < search->end)
    search->found = *what;
  return 0;
}

/* The pool of a block; address NULL when there is none. */
static arn_visit pool_of(arn_runtime *runtime, const void *block) {
  size_t size = arn_geometry_get().pool_size;
  struct search search = {.first = (uintptr_t)block / size * size};
  search.end = search.first + size;
  assert_int_equal(arn_heap_visit(runtime, NULL, false, look, &search), 0);
  return search.found;
}

static void life_of_a_pool(arn_mode mode) {
  if (support_is_classic())
    skip();
  arn_config config = support_config(mode);
  config.purge_delay_ms = -1;
  arn_runtime *runtime = support_start_with(&config);
  int capacity = (int)(arn_geometry_get().pool_size / SIZE), freed = 0;
  void *blocks[MOST];
  assert_true(capacity < MOST);
  for (int i = 0; i < capacity; i++)
    blocks[i] = arn_malloc(SIZE);
  arn_visit pool = pool_of(runtime, blocks[0]);
  assert_int_equal(pool.state, ARN_POOL_FULL);
  assert_int_equal(pool.used, capacity);
  assert_int_equal(pool.untouched, 0);
  void *next = arn_malloc(SIZE); /* of another pool */
  assert_int_equal(pool_of(runtime, next).state, ARN_POOL_USED);
  /* What is freed reaches its pool when the heap's bin lets it go. */
  while (freed < capacity / 8 - 1)
    arn_free(blocks[freed++]);
  arn_heap_settle(arn_self);
  pool = pool_of(runtime, blocks[0]);
  assert_int_equal(pool.state, ARN_POOL_FULL);
  assert_int_equal(pool.free, freed);
  arn_free(blocks[freed++]);
  arn_heap_settle(arn_self);
  pool = pool_of(runtime, blocks[0]);
  assert_int_equal(pool.state, ARN_POOL_USED);
  assert_int_equal(pool.used, capacity - freed);
  assert_int_equal(pool.free, freed);
  while (freed < capacity)
    arn_free(blocks[freed++]);
  arn_heap_settle(arn_self);
  assert_null(pool_of(runtime, blocks[0]).address);
  arn_free(next);
  support_end(runtime);
}

static void free_threaded(void **state) {
  (void)state;
  life_of_a_pool(ARN_MODE_FREE_THREADED);
}

static void under_the_gil(void **state) {
  (void)state;
  life_of_a_pool(ARN_MODE_GIL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(free_threaded),
      cmocka_unit_test(under_the_gil),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
