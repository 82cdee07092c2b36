// threads
/* test_orphans.c - memory of threads that are gone is found again, however many there were.
 *
 * A thread that needs a pool looks at a few orphans for each refill and goes on from there at the
 * next. So the one orphan that has what is needed is found, whatever its place in the row.
 */
#include "support.h"

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
  WANTED = 64,
  OTHER = 256,
  MOST = 100,
  WANTED_BLOCKS = 20000,
  OTHER_BLOCKS = 100,
  KEPT = 100
};

static arn_runtime *runtime;
static pthread_barrier_t all_attached;
static atomic_int attached;
static void *kept[MOST][WANTED_BLOCKS / KEPT];
static int rich; /* number of the thread whose blocks are of the wanted size */

/* Leaves pools behind that are nearly empty: every KEPT-th block stays. */
static void *leaves_pools(void *context) {
  size_t number = (size_t)context;
  bool has = number == (size_t)rich;
  size_t count = has ? WANTED_BLOCKS : OTHER_BLOCKS, size = has ? WANTED : OTHER;
  REQUIRE(arn_thread_attach(runtime) == 0);
  atomic_fetch_add(&attached, 1);
  void **blocks = malloc(count * sizeof *blocks);
  for (size_t i = 0; i < count; i++)
    REQUIRE((blocks[i] = arn_malloc(size)) != NULL);
  for (size_t i = 0; i < count; i++) {
    if (i % KEPT == 0) {
      support_fill(blocks[i], size, i);
      kept[number][i / KEPT] = blocks[i];
    } else {
      arn_free(blocks[i]);
    }
  }
  free(blocks);
  pthread_barrier_wait(&all_attached); /* one that ends early would be adopted by the next */
  arn_thread_detach();
  return NULL;
}

static void free_kept(int threads) {
  for (int number = 0; number < threads; number++) {
    size_t count = number == rich ? WANTED_BLOCKS : OTHER_BLOCKS;
    size_t size = number == rich ? WANTED : OTHER;
    for (size_t i = 0; i < count / KEPT; i++) {
      REQUIRE(support_holds(kept[number][i], size, size, i * KEPT));
      arn_free(kept[number][i]);
    }
  }
}

static uint64_t free_of(const arn_stats *stats, size_t size) {
  uint32_t class = 0;
  while (arn_class_size(class) != size)
    class ++;
  return stats->classes[class].blocks_free;
}

/* threads orphans; the last one that attached has the memory, or the first: both ends of the row.
 */
static void one_of(int threads, int which) {
  runtime = support_start(ARN_MODE_FREE_THREADED);
  rich = which;
  atomic_store(&attached, 0);
  pthread_t ids[MOST];
  pthread_barrier_init(&all_attached, NULL, (unsigned)threads + 1);
  for (int i = 0; i < threads; i++) {
    REQUIRE(pthread_create(&ids[i], NULL, leaves_pools, (void *)(uintptr_t)i) == 0);
    /* One after another, so that the number says the place in the row. */
    while (atomic_load(&attached) <= i)
      support_sleep_ms(1);
  }
  pthread_barrier_wait(&all_attached);
  for (int i = 0; i < threads; i++)
    pthread_join(ids[i], NULL);
  pthread_barrier_destroy(&all_attached);
  arn_stats before = support_stats(runtime);
  assert_int_equal(before.orphans, threads);
  uint64_t there = free_of(&before, WANTED);
  assert_true(there > WANTED_BLOCKS / 2);

  /* Twice what is there is needed. The first refills may miss; then most of it is found. */
  size_t needed = 2 * WANTED_BLOCKS;
  void **blocks = malloc(needed * sizeof *blocks);
  for (size_t i = 0; i < needed; i++) {
    blocks[i] = arn_malloc(WANTED);
    assert_non_null(blocks[i]);
    support_fill(blocks[i], WANTED, i);
  }
  arn_stats after = support_stats(runtime);
  assert_true(after.scavenged_pools > 0);
  assert_true(free_of(&after, WANTED) < there / 10);
  support_check(runtime);
  for (size_t i = 0; i < needed; i++) {
    assert_true(support_holds(blocks[i], WANTED, WANTED, i));
    arn_free(blocks[i]);
  }
  free(blocks);
  free_kept(threads);
  arn_trim(runtime, 0);
  after = support_stats(runtime);
  assert_int_equal(after.live_bytes, 0);
  assert_int_equal(after.deferred_bytes, 0);
  support_end(runtime);
}

static void first_of_a_dozen(void **state) {
  (void)state;
  one_of(12, 0);
}

static void last_of_a_dozen(void **state) {
  (void)state;
  one_of(12, 11);
}

/* More heaps than one refill passes by, too. */
static void first_of_a_hundred(void **state) {
  (void)state;
  one_of(MOST, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(first_of_a_dozen),
      cmocka_unit_test(last_of_a_dozen),
      cmocka_unit_test(first_of_a_hundred),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
