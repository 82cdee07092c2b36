/* test_visit.c - arn_heap_visit names exactly what a known program has allocated. */
#include "support.h"

#include "unit.h"

#include <stdlib.h>

enum { COUNT = 3000 };

struct walk {
  void **blocks; /* sorted */
  int seen[COUNT];
  int heaps, arenas, pools, free_blocks, stop_after;
  bool unknown;
  size_t arena_bytes, pool_used;
  int last_kind; /* arenas, then large blocks, then heaps */
  bool out_of_order;
};

static int by_address(const void *a, const void *b) {
  uintptr_t left = (uintptr_t) * (void *const *)a, right = (uintptr_t) * (void *const *)b;
  return (left > right) - (left < right);
}

static void found(struct walk *walk, const void *address) {
  void **at = bsearch(&address, walk->blocks, COUNT, sizeof *walk->blocks, by_address);
  if (at == NULL)
    walk->unknown = true;
  else
    walk->seen[at - walk->blocks]++;
}

static int look(const arn_visit *what, void *context) {
  struct walk *walk = context;
  int kind = what->kind == ARN_VISIT_ARENA ? 1 : what->kind == ARN_VISIT_LARGE ? 2 : 3;
  walk->out_of_order |= kind < walk->last_kind;
  walk->last_kind = kind;
  switch (what->kind) {
  case ARN_VISIT_HEAP:
    walk->heaps++;
    break;
  case ARN_VISIT_ARENA:
    walk->arenas++;
    walk->arena_bytes += what->size;
    break;
  case ARN_VISIT_POOL:
    walk->pools++;
    walk->pool_used += what->used;
    REQUIRE(what->heap != NULL);
    REQUIRE(what->block_size == arn_class_size(what->size_class));
    REQUIRE(what->used + what->free + what->untouched + what->purged ==
            what->size / what->block_size);
    break;
  case ARN_VISIT_BLOCK:
    if (what->in_use)
      found(walk, what->address);
    else
      walk->free_blocks++;
    break;
  case ARN_VISIT_LARGE:
    found(walk, what->address);
    break;
  }
  return walk->stop_after > 0 && --walk->stop_after == 0 ? 4711 : 0;
}

static void sees_exactly_what_is_live(void **state) {
  (void)state;
  for (int mode = 0; mode < 2; mode++) {
    arn_runtime *runtime = support_start((arn_mode)mode);
    /* classic passes the large ones to libc, where no visitor goes. */
    size_t largest = support_is_classic() ? arn_geometry_get().small_limit : 5000000;
    uint64_t random = support_seed();
    static void *blocks[COUNT];
    for (int i = 0; i < COUNT; i++) {
      void *passing = arn_malloc(support_size(&random, largest));
      blocks[i] = arn_malloc(support_size(&random, largest));
      arn_free(passing);
    }
    for (int i = 0; i < COUNT; i += 3) { /* holes */
      arn_free(blocks[i]);
      blocks[i] = arn_malloc(support_size(&random, largest));
    }
    qsort(blocks, COUNT, sizeof *blocks, by_address);
    struct walk walk = {.blocks = blocks};
    assert_int_equal(arn_heap_visit(runtime, NULL, true, look, &walk), 0);
    assert_false(walk.unknown);
    assert_false(walk.out_of_order);
    for (int i = 0; i < COUNT; i++)
      assert_int_equal(walk.seen[i], 1);
    assert_true(walk.heaps >= 1);
    arn_stats stats = support_stats(runtime);
    assert_int_equal(walk.arenas, stats.arenas);
    assert_int_equal(walk.arena_bytes, stats.arena_bytes);
    uint64_t pools = 0, used = 0;
    for (uint32_t i = 0; i < stats.class_count; i++) {
      pools += stats.classes[i].pools;
      used += stats.classes[i].blocks_used;
    }
    assert_int_equal(walk.pools, pools);
    assert_int_equal(walk.pool_used, used);
    /* Without blocks: the same pools and no block. */
    struct walk outline = {.blocks = blocks};
    assert_int_equal(arn_heap_visit(runtime, NULL, false, look, &outline), 0);
    assert_int_equal(outline.pools, walk.pools);
    assert_int_equal(outline.free_blocks, 0);
    for (int i = 0; i < COUNT; i++)
      arn_free(blocks[i]);
    support_end(runtime);
  }
}

static void visitor_ends_the_walk(void **state) {
  (void)state;
  arn_runtime *runtime = support_start(ARN_MODE_GIL);
  static void *blocks[COUNT];
  for (int i = 0; i < COUNT; i++)
    blocks[i] = arn_malloc(100);
  qsort(blocks, COUNT, sizeof *blocks, by_address);
  for (int n = 1; n < 200; n += 13) {
    struct walk walk = {.blocks = blocks, .stop_after = n};
    assert_int_equal(arn_heap_visit(runtime, NULL, true, look, &walk), 4711);
    assert_int_equal(walk.stop_after, 0);
  }
  for (int i = 0; i < COUNT; i++)
    arn_free(blocks[i]);
  support_end(runtime);
}

static void one_heap_alone(void **state) {
  (void)state;
  arn_runtime *runtime = support_start(ARN_MODE_FREE_THREADED);
  arn_heap *heap;
  assert_int_equal(arn_heap_create(runtime, &heap), 0);
  static void *blocks[COUNT];
  void *other = arn_malloc(100);
  for (int i = 0; i < COUNT; i++)
    blocks[i] = arn_heap_malloc(heap, 1 + (size_t)i % 256);
  qsort(blocks, COUNT, sizeof *blocks, by_address);
  struct walk walk = {.blocks = blocks};
  assert_int_equal(arn_heap_visit(runtime, heap, true, look, &walk), 0);
  assert_false(walk.unknown);
  assert_int_equal(walk.heaps, 1);
  for (int i = 0; i < COUNT; i++)
    assert_int_equal(walk.seen[i], 1);
  arn_free(other);
  arn_heap_destroy(heap);
  support_end(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sees_exactly_what_is_live),
      cmocka_unit_test(visitor_ends_the_walk),
      cmocka_unit_test(one_heap_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
