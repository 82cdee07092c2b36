/* test_pools.c - what the textbooks say about blocks, pools and size classes, one test for each.
 *
 * Pools are watched from outside, through arn_heap_visit.
 */
#include "support.h"

#include "unit.h"

enum { POOL = 4096, SIZE = 64, CAPACITY = POOL / SIZE };

static int begin(void **state) {
  *state = support_start(ARN_MODE_GIL);
  return 0;
}

static int end(void **state) {
  support_end(*state);
  return 0;
}

struct search {
  const void *pool;
  arn_visit found;
  int pools;
};

static int look(const arn_visit *what, void *context) {
  struct search *search = context;
  if (what->kind == ARN_VISIT_POOL) {
    search->pools++;
    if (what->address == search->pool)
      search->found = *what;
  }
  return 0;
}

/* The pool that block is in; address NULL when it is not in use by any class. */
static arn_visit pool_of(arn_runtime *runtime, const void *block) {
  struct search search = {.pool = (const void *)((uintptr_t)block & ~(uintptr_t)(POOL - 1))};
  assert_int_equal(arn_heap_visit(runtime, NULL, false, look, &search), 0);
  return search.found;
}

static int pools_in_use(arn_runtime *runtime) {
  struct search search = {0};
  assert_int_equal(arn_heap_visit(runtime, NULL, false, look, &search), 0);
  return search.pools;
}

static void assert_pool(arn_runtime *runtime, const void *block, arn_pool_state state,
                        unsigned used) {
  arn_visit pool = pool_of(runtime, block);
  assert_non_null(pool.address);
  assert_int_equal(pool.state, state);
  assert_int_equal(pool.used, used);
  assert_int_equal(pool.used + pool.free + pool.untouched + pool.purged, POOL / pool.block_size);
}

/* Request 1-8 is class 0 with blocks of 8 bytes, ... 505-512 is class 63 with blocks of 512. */
static void table_of_classes(void **state) {
  (void)state;
  arn_geometry geometry = arn_geometry_get();
  assert_int_equal(geometry.step, 8);
  assert_int_equal(geometry.small_classes, geometry.small_limit / 8);
  assert_true(geometry.small_limit == 512 || geometry.small_limit == 256);
  for (uint32_t i = 0; i < geometry.small_classes; i++)
    assert_int_equal(arn_class_size(i), (i + 1) * 8);
  assert_int_equal(arn_class_size(UINT32_MAX), 0);
  for (size_t size = 1; size <= geometry.small_limit; size++) {
    void *block = arn_malloc(size);
    assert_int_equal(arn_usable_size(block), (size + 7) / 8 * 8);
    arn_visit pool = pool_of(*state, block);
    assert_int_equal(pool.size_class, (size - 1) / 8);
    assert_int_equal(pool.block_size, (size + 7) / 8 * 8);
    arn_free(block);
  }
}

static void pool_becomes_full_and_usable_again(void **state) {
  void *blocks[CAPACITY];
  for (int i = 0; i < CAPACITY; i++) {
    blocks[i] = arn_malloc(SIZE);
    assert_ptr_equal(blocks[i], (char *)blocks[0] + i * SIZE);
    bool full = i == CAPACITY - 1;
    assert_pool(*state, blocks[0], full ? ARN_POOL_FULL : ARN_POOL_USED, (unsigned)i + 1);
  }
  arn_free(blocks[7]);
  assert_pool(*state, blocks[0], ARN_POOL_USED, CAPACITY - 1);
  assert_ptr_equal(arn_malloc(SIZE), blocks[7]);
  assert_pool(*state, blocks[0], ARN_POOL_FULL, CAPACITY);
  for (int i = 0; i < CAPACITY; i++)
    arn_free(blocks[i]);
}

static void pool_becomes_empty(void **state) {
  void *keeper = arn_malloc(8); /* another class: keeps the arena */
  void *blocks[3];
  for (int i = 0; i < 3; i++)
    blocks[i] = arn_malloc(SIZE);
  uint64_t pools_free = support_stats(*state).pools_free;
  assert_int_equal(pools_in_use(*state), 2);
  for (int i = 0; i < 3; i++)
    arn_free(blocks[i]);
  assert_int_equal(pools_in_use(*state), 1);
  assert_null(pool_of(*state, blocks[0]).address);
  assert_int_equal(support_stats(*state).pools_free, pools_free + 1);
  arn_free(keeper);
}

/* An empty pool serves any class, and the one that became empty last is taken first. */
static void empty_pool_serves_any_class(void **state) {
  void *keeper = arn_malloc(8);
  void *one = arn_malloc(SIZE), *two = arn_malloc(2 * SIZE);
  arn_free(two);
  arn_free(one);
  void *other = arn_malloc(128 + 8);
  assert_ptr_equal(other, one);
  assert_int_equal(pool_of(*state, other).block_size, 128 + 8);
  void *third = arn_malloc(128 + 16);
  assert_ptr_equal(third, two);
  arn_free(third);
  arn_free(other);
  arn_free(keeper);
}

static void freed_block_is_reused_first(void **state) {
  (void)state;
  void *a = arn_malloc(SIZE), *b = arn_malloc(SIZE), *c = arn_malloc(SIZE);
  arn_free(a);
  arn_free(c);
  assert_ptr_equal(arn_malloc(SIZE), c);
  assert_ptr_equal(arn_malloc(SIZE), a);
  arn_free(a);
  arn_free(b);
  arn_free(c);
}

static void untouched_only_when_none_is_free(void **state) {
  void *blocks[10];
  for (int i = 0; i < 10; i++)
    blocks[i] = arn_malloc(SIZE);
  for (int i = 0; i < 9; i++)
    arn_free(blocks[i]);
  uint32_t untouched = pool_of(*state, blocks[0]).untouched;
  assert_int_equal(untouched, CAPACITY - 10);
  for (int i = 8; i >= 0; i--) {
    assert_ptr_equal(arn_malloc(SIZE), blocks[i]);
    assert_int_equal(pool_of(*state, blocks[0]).untouched, untouched);
  }
  void *fresh = arn_malloc(SIZE);
  assert_ptr_equal(fresh, (char *)blocks[9] + SIZE);
  assert_int_equal(pool_of(*state, blocks[0]).untouched, untouched - 1);
  arn_free(fresh);
  for (int i = 0; i < 10; i++)
    arn_free(blocks[i]);
}

/* usedpools: a full pool goes to the front at its first free, and the front serves the next malloc,
 * although another pool of the class has free blocks as well. */
static void full_pool_goes_to_the_front(void **state) {
  void *full[CAPACITY], *second;
  for (int i = 0; i < CAPACITY; i++)
    full[i] = arn_malloc(SIZE);
  second = arn_malloc(SIZE);
  assert_pool(*state, second, ARN_POOL_USED, 1);
  arn_free(full[20]);
  assert_ptr_equal(arn_malloc(SIZE), full[20]);
  assert_ptr_equal(arn_malloc(SIZE), (char *)second + SIZE);
  /* Frees in a pool that is not full change no order: the first pool is full and off the list. */
  arn_free((char *)second + SIZE);
  arn_free(full[3]);
  arn_free(second); /* empty: leaves usedpools */
  assert_null(pool_of(*state, second).address);
  assert_ptr_equal(arn_malloc(SIZE), full[3]);
  for (int i = 0; i < CAPACITY; i++)
    arn_free(full[i]);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const struct CMUnitTest tests[] = {
      TEST(table_of_classes),
      TEST(pool_becomes_full_and_usable_again),
      TEST(pool_becomes_empty),
      TEST(empty_pool_serves_any_class),
      TEST(freed_block_is_reused_first),
      TEST(untouched_only_when_none_is_free),
      TEST(full_pool_goes_to_the_front),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
