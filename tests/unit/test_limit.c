/* test_limit.c - limit_bytes bounds what is used, not what was: before a request is out of memory,
 * what is free and merely not given back yet is given back.
 *
 * In each case nearly the whole limit is filled, freed, and asked for in another form.
 */
#include "support.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { LIMIT = 64 << 20, SMALL = 256, MOST = LIMIT / SMALL + 1 };

static void *blocks[MOST];

static arn_runtime *start(bool private_arenas) {
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.limit_bytes = LIMIT;
  config.private_arenas = private_arenas;
  return support_start_with(&config);
}

/* Blocks of the size until there are no more; how many. */
static size_t fill(size_t size) {
  size_t count = 0;
  while (count < MOST && (blocks[count] = arn_malloc(size)) != NULL)
    count++;
  assert_int_equal(errno, ENOMEM);
#ifdef ARENITE_HARDENED
  assert_true(count * size >= LIMIT / 4); /* guards count */
#else
  assert_true(count * size >= LIMIT / 2);
#endif
  return count;
}

static void empty(size_t count) {
  for (size_t i = 0; i < count; i++)
    arn_free(blocks[i]);
}

static void a_huge_block_after_others(void **state) {
  (void)state;
  if (support_is_classic())
    skip(); /* which passes what is large to libc */
  static const size_t sizes[] = {SMALL, 40000, 700000, 3 << 20};
  arn_runtime *runtime = start(false);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    empty(fill(sizes[i]));
    errno = 0;
    char *huge = arn_malloc(40 << 20);
    assert_non_null(huge);
    assert_int_equal(errno, 0);
    huge[0] = huge[(40 << 20) - 1] = 1;
    /* There is a limit all the same. */
    assert_null(arn_malloc(40 << 20));
    assert_int_equal(errno, ENOMEM);
    huge = arn_realloc(huge, 50 << 20);
    assert_non_null(huge);
    arn_free(huge);
    support_check(runtime);
  }
  support_end(runtime);
}

/* An extra heap has arenas of its own. */
static void an_extra_heap_after_others(void **state) {
  (void)state;
  arn_runtime *runtime = start(false);
  empty(fill(SMALL));
  arn_heap *heap;
  assert_int_equal(arn_heap_create(runtime, &heap), 0);
  size_t bytes = 0;
  while (arn_heap_malloc(heap, SMALL) != NULL)
    bytes += SMALL;
  assert_true(bytes >= LIMIT / 4 * 3 && bytes <= LIMIT);
  support_check(runtime);
  arn_heap_destroy(heap);
  support_end(runtime);
}

static void *fills_as_well(void *context) {
  REQUIRE(arn_thread_attach(context) == 0);
  void **last = NULL, **block;
  size_t bytes = 0;
  for (; (block = arn_malloc(SMALL)) != NULL; bytes += SMALL) {
    *block = last;
    last = block;
  }
  REQUIRE(bytes >= LIMIT / 4 * 3 && bytes <= LIMIT);
  for (void **next; last != NULL; last = next) {
    next = *last;
    arn_free(last);
  }
  arn_thread_detach();
  return NULL;
}

/* So has each thread, with private arenas. */
static void another_thread_after_this_one(void **state) {
  (void)state;
  for (int private_arenas = 0; private_arenas < 2; private_arenas++) {
    arn_runtime *runtime = start(private_arenas);
    for (int round = 0; round < 2; round++) {
      empty(fill(SMALL));
      pthread_t thread;
      assert_int_equal(pthread_create(&thread, NULL, fills_as_well, runtime), 0);
      pthread_join(thread, NULL);
    }
    support_end(runtime);
  }
}

/* Empty pools that the heap still has at hand for their classes serve another class at last; and
 * that it took some looking is not to be seen in errno. */
static void the_last_pools_serve_any_class(void **state) {
  (void)state;
  size_t step = arn_geometry_get().step, small = arn_geometry_get().small_limit;
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.limit_bytes = arn_geometry_get().arena_size;
  config.purge_delay_ms = -1; /* otherwise they may go back before */
  arn_runtime *runtime = support_start_with(&config);
  for (size_t size = step; size <= small / 2; size += step)
    arn_free(arn_malloc(size));
  size_t count = 0;
  while (support_stats(runtime).pools_free > 0) {
    blocks[count] = arn_malloc(small);
    assert_non_null(blocks[count++]);
  }
  errno = 0;
  void *last = arn_malloc(small - step);
  if (last != NULL) /* classic gives an empty pool back at once, so that none is left here */
    assert_int_equal(errno, 0);
  else
    assert_int_equal(errno, ENOMEM);
  assert_true(last != NULL || support_is_classic());
  arn_free(last);
  empty(count);
  support_end(runtime);
}

/* --- All of it ------------------------------------------------------------------------------- */

static void *fills_and_goes(void *runtime) {
  REQUIRE(arn_thread_attach(runtime) == 0);
  for (size_t i = 0; i < MOST; i++)
    blocks[i] = arn_malloc(i % 500 + 1);
  arn_thread_detach();
  return NULL;
}

/* When nothing is in use, nothing is held: one block may have the whole limit. What was freed by
 * others, to a thread that is gone, and what lies in bins is no exception. */
static void one_block_for_all(void **state) {
  (void)state;
  if (support_is_classic())
    skip(); /* which passes what is large to libc */
  for (int other_thread = 0; other_thread < 2; other_thread++)
    for (int private_arenas = 0; private_arenas < 2; private_arenas++) {
      arn_runtime *runtime = start(private_arenas);
      if (other_thread) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, fills_and_goes, runtime), 0);
        pthread_join(thread, NULL);
      } else {
        for (size_t i = 0; i < MOST; i++)
          blocks[i] = arn_malloc(i % 500 + 1);
      }
      assert_null(arn_malloc(LIMIT));
      assert_int_equal(errno, ENOMEM);
      empty(MOST);
      for (size_t size = 600; size < 1 << 20; size += size / 3)
        arn_free(arn_malloc(size));
      errno = 0;
      void *all = arn_malloc(LIMIT);
      assert_non_null(all);
      assert_int_equal(errno, 0);
      assert_null(arn_malloc(1));
      arn_free(all);
      support_check(runtime);
      support_end(runtime);
    }
}

/* --- Near the limit, and at it --------------------------------------------------------------- */

enum { WIDE = 256 << 20, PIECE = 512, PIECES = WIDE / 2 / PIECE, EVERY = 1024, BIG = 100 << 20 };

/* Half of a limit in blocks that were freed but for two in each arena; whose pages nobody gives back
 * unless somebody has a reason. */
static arn_runtime *start_scattered(void) {
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.limit_bytes = WIDE;
  config.purge_delay_ms = -1;
  arn_runtime *runtime = support_start_with(&config);
  for (size_t i = 0; i < PIECES; i++) {
    blocks[i] = arn_malloc(PIECE);
    assert_non_null(blocks[i]);
  }
  for (size_t i = 0; i < PIECES; i++)
    if (i % EVERY != 0)
      arn_free(blocks[i]);
  return runtime;
}

static void end_scattered(arn_runtime *runtime) {
  support_check(runtime);
  for (size_t i = 0; i < PIECES; i += EVERY)
    arn_free(blocks[i]);
  support_end(runtime);
}

static void near_the_limit_pages_go_back(void **state) {
  (void)state;
  if (support_is_classic())
    skip(); /* which keeps no free pages */
  arn_runtime *runtime = start_scattered();
  uint64_t before = support_stats(runtime).purges;
  void *huge = arn_malloc(WIDE / 8 * 3); /* with the half: just 7/8, not near yet */
  assert_non_null(huge);
  assert_int_equal(support_stats(runtime).purges, before);
  assert_true(support_stats(runtime).free_bytes > WIDE / 4);
  arn_free(huge);
  errno = 0;
  huge = arn_malloc(BIG);
  assert_non_null(huge);
  assert_int_equal(errno, 0);
  assert_true(support_stats(runtime).purges > before);
  assert_true(support_stats(runtime).free_bytes < WIDE / 8); /* what is left is in used pools */
  arn_free(huge);
  end_scattered(runtime);
}

/* A program that stays near its limit does not pay for that again and again. */
static void near_the_limit_not_again_and_again(void **state) {
  (void)state;
  if (support_is_classic())
    skip();
  arn_runtime *runtime = start_scattered();
  arn_free(arn_malloc(BIG));
  uint64_t purges = support_stats(runtime).purges;
  /* Nothing has been freed since. */
  for (int i = 0; i < 200; i++)
    arn_free(arn_malloc(BIG));
  assert_int_equal(support_stats(runtime).purges, purges);
  /* Something has, each time: a span, of one arena. Ten milliseconds and more are between. */
  uint64_t begin = support_now_ns(), rounds = 0;
  for (; support_now_ns() - begin < 200000000; rounds++) {
    arn_free(arn_malloc(200000));
    arn_free(arn_malloc(BIG));
  }
  uint64_t most = (support_now_ns() - begin) / 10000000 + 1;
  purges = support_stats(runtime).purges - purges;
  assert_true(purges >= 1 && purges <= most);
  assert_true(rounds > 2 * most);
  end_scattered(runtime);
}

/* What is refused is refused at once, as long as nothing is freed; and all is as it was. */
static void refusals_are_cheap(void **state) {
  (void)state;
  if (support_is_classic())
    skip();
  arn_runtime *runtime = start_scattered();
  void *huge = arn_malloc(BIG);
  assert_non_null(huge);
  assert_null(arn_malloc(BIG));
  arn_stats before = support_stats(runtime);
  static const size_t sizes[] = {BIG, 33 << 20, WIDE, (size_t)1 << 40, 32 << 20};
  for (int i = 0; i < 10000; i++) {
    errno = 0;
    assert_null(arn_malloc(sizes[i % 5]));
    assert_int_equal(errno, ENOMEM);
  }
  arn_stats after = support_stats(runtime);
  assert_int_equal(after.purges, before.purges);
  assert_int_equal(after.arena_bytes, before.arena_bytes);
  assert_int_equal(after.live_bytes, before.live_bytes);
  void *small = arn_malloc(PIECE);
  assert_non_null(small);
  arn_free(small);
  arn_free(huge);
  end_scattered(runtime);
}

enum { RUNS = 8, ROUNDS = 400 };

/* Runs that come, grow and go; those that there is no room for do not come. */
static void *asks_for_runs(void *context) {
  REQUIRE(arn_thread_attach(context) == 0);
  uint64_t random = support_seed();
  struct {
    unsigned char *block;
    size_t size;
  } runs[RUNS] = {{NULL, 0}};
  for (size_t i = support_scaled(ROUNDS); i > 0; i--) {
    size_t r = support_below(&random, RUNS), size = (1 << 20) + support_below(&random, 12 << 20);
    if (runs[r].block && i % 2) {
      arn_free(runs[r].block);
      runs[r].block = NULL;
      continue;
    }
    size_t kept = runs[r].block && runs[r].size < size ? runs[r].size : size;
    bool had = runs[r].block != NULL;
    unsigned char *block = arn_realloc(runs[r].block, size);
    if (!block) {
      REQUIRE(errno == ENOMEM);
      if (had)
        REQUIRE(support_holds(runs[r].block, runs[r].size, runs[r].size, r));
      continue;
    }
    if (had)
      REQUIRE(support_holds(block, runs[r].size, kept, r));
    support_fill(block, size, r);
    runs[r].block = block;
    runs[r].size = size;
  }
  for (size_t r = 0; r < RUNS; r++)
    arn_free(runs[r].block);
  arn_thread_detach();
  return NULL;
}

/* Pages in passing between arenas are refused to nobody and lost by nobody. */
static void two_threads_move_pages_at_the_limit(void **state) {
  (void)state;
  if (support_is_classic())
    skip();
  arn_runtime *runtime = start(false);
  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, asks_for_runs, runtime), 0);
  for (int i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
  support_check(runtime);
  assert_int_equal(support_stats(runtime).live_bytes, 0);
  void *most = arn_malloc(24 << 20), *rest = arn_malloc(24 << 20);
  assert_true(most != NULL && rest != NULL);
  arn_free(most);
  arn_free(rest);
  support_end(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_huge_block_after_others),
      cmocka_unit_test(an_extra_heap_after_others),
      cmocka_unit_test(another_thread_after_this_one),
      cmocka_unit_test(the_last_pools_serve_any_class),
      cmocka_unit_test(one_block_for_all),
      cmocka_unit_test(near_the_limit_pages_go_back),
      cmocka_unit_test(near_the_limit_not_again_and_again),
      cmocka_unit_test(refusals_are_cheap),
      cmocka_unit_test(two_threads_move_pages_at_the_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
