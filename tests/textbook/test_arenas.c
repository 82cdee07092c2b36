/* test_arenas.c - what the textbooks say about arenas: 256 KiB, aligned, 64 pools of 4 KiB; the
 * fullest is used first; one whose pools are all free goes back at once, and nothing else does.
 */
#include "support.h"

#include "unit.h"

#include <malloc.h>

enum { ARENA = 256 * 1024, POOL = 4096, POOLS = 64 };

/* A block of the largest small class, so that a pool is filled with few of them. */
static size_t size;
static int capacity;

static int begin(void **state) {
  size = arn_geometry_get().small_limit;
  capacity = (int)(POOL / size);
  *state = support_start(ARN_MODE_GIL);
  return 0;
}

static int end(void **state) {
  support_end(*state);
  return 0;
}

static uintptr_t arena_of(const void *block) {
  return (uintptr_t)block & ~(uintptr_t)(ARENA - 1);
}

/* Fills count pools; blocks[pool * capacity + i]. */
static void fill(void **blocks, int count) {
  for (int i = 0; i < count * capacity; i++) {
    blocks[i] = arn_malloc(size);
    assert_non_null(blocks[i]);
  }
}

static void empty(void **blocks, int first, int count) {
  for (int i = first * capacity; i < (first + count) * capacity; i++) {
    arn_free(blocks[i]);
    blocks[i] = NULL;
  }
}

static int look(const arn_visit *what, void *context) {
  if (what->kind == ARN_VISIT_ARENA)
    *(arn_visit *)context = *what;
  return 0;
}

static void arena_is_aligned_to_its_size(void **state) {
  static void *blocks[2 * POOLS * 16];
  assert_int_equal(arn_geometry_get().arena_size, ARENA);
  assert_int_equal(arn_geometry_get().pool_size, POOL);
  fill(blocks, 1);
  arn_visit arena = {0};
  assert_int_equal(arn_heap_visit(*state, NULL, false, look, &arena), 0);
  assert_int_equal(arena.size, ARENA);
  assert_int_equal((uintptr_t)arena.address % ARENA, 0);
  assert_int_equal(arena_of(blocks[0]), (uintptr_t)arena.address);
  assert_int_equal(arena.free, POOLS - 1);
  empty(blocks, 0, 1);
  /* 64 pools in address order, and the 65th is of another arena. */
  fill(blocks, POOLS + 1);
  for (int i = 0; i < POOLS * capacity; i++)
    assert_int_equal((uintptr_t)blocks[i] - arena_of(blocks[0]), (uintptr_t)i * size);
  assert_int_not_equal(arena_of(blocks[POOLS * capacity]), arena_of(blocks[0]));
  assert_int_equal(support_stats(*state).arenas, 2);
  empty(blocks, 0, POOLS + 1);
}

static void fullest_arena_is_used_first(void **state) {
  static void *blocks[3 * POOLS * 16];
  fill(blocks, 3 * POOLS);
  assert_int_equal(support_stats(*state).arenas, 3);
  empty(blocks, 0, 10);         /* the first arena has 10 free pools */
  empty(blocks, POOLS, 3);      /* the second has 3 */
  empty(blocks, 2 * POOLS, 20); /* the third has 20 */
  void *more[(3 + 10 + 1) * 16];
  fill(more, 3 + 10 + 1);
  int at = 0;
  for (; at < 3 * capacity; at++)
    assert_int_equal(arena_of(more[at]), arena_of(blocks[2 * POOLS * capacity - 1]));
  for (; at < 13 * capacity; at++)
    assert_int_equal(arena_of(more[at]), arena_of(blocks[POOLS * capacity - 1]));
  for (; at < 14 * capacity; at++)
    assert_int_equal(arena_of(more[at]), arena_of(blocks[3 * POOLS * capacity - 1]));
  for (int i = 0; i < 3 * POOLS * capacity; i++)
    arn_free(blocks[i]);
  for (int i = 0; i < at; i++)
    arn_free(more[i]);
}

static void free_arena_goes_back_at_once(void **state) {
  static void *blocks[2 * POOLS * 16];
  fill(blocks, 2 * POOLS);
  for (int i = 0; i < 2 * POOLS * capacity; i++)
    support_fill(blocks[i], size, (uint64_t)i);
  void *first = (void *)arena_of(blocks[0]);
  assert_int_equal(support_resident(first, ARENA), ARENA);
  uint64_t reclaimed = support_stats(*state).arenas_reclaimed;
  void *last = blocks[POOLS * capacity - 1];
  blocks[POOLS * capacity - 1] = NULL;
  empty(blocks, 0, POOLS);
  /* One block of 64 pools is left: neither a freed pool nor the arena goes back. */
  assert_int_equal(support_stats(*state).arenas_reclaimed, reclaimed);
  assert_int_equal(support_stats(*state).purged_bytes, 0);
  assert_int_equal(support_resident(first, ARENA), ARENA);
  arn_free(last);
  assert_int_equal(support_stats(*state).arenas_reclaimed, reclaimed + 1);
  assert_int_equal(support_stats(*state).arenas, 1);
  assert_int_equal(support_resident(first, ARENA), 0);
  empty(blocks, POOLS, POOLS);
  assert_int_equal(support_stats(*state).arenas, 0);
}

/* A request above the limit is libc's: outside the arenas, and libc knows its size. */
static void large_goes_to_the_system_heap(void **state) {
  (void)state;
  void *small = arn_malloc(size), *large = arn_malloc(size + 1);
  assert_non_null(small);
  assert_non_null(large);
  assert_true(arn_usable_size(large) >= size + 1);
  assert_int_equal(arn_usable_size(large), malloc_usable_size(large));
  assert_int_equal(support_stats(*state).arenas, 1);
  assert_int_equal(support_stats(*state).large_blocks, 0);
  assert_true(arena_of(small) != arena_of(large));
  support_fill(large, size + 1, 7);
  /* As in CPython, libc's blocks stay libc's when they shrink; small ones that grow move there. */
  large = arn_realloc(large, size / 2);
  assert_true(support_holds(large, size + 1, size / 2, 7));
  support_fill(small, size, 8);
  small = arn_realloc(small, 100000);
  assert_true(support_holds(small, size, size, 8));
  assert_int_equal(arn_usable_size(small), malloc_usable_size(small));
  assert_int_equal(support_stats(*state).arenas, 0);
  arn_free(large);
  arn_free(small);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const struct CMUnitTest tests[] = {
      TEST(arena_is_aligned_to_its_size),
      TEST(fullest_arena_is_used_first),
      TEST(free_arena_goes_back_at_once),
      TEST(large_goes_to_the_system_heap),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
