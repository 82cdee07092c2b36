/* test_malloc.c - the contract of malloc, calloc, realloc and their kin, in both modes. */
#include "support.h"

#include "unit.h"

#include <errno.h>
#include <string.h>

static int begin_gil(void **state) {
  *state = support_start(ARN_MODE_GIL);
  return 0;
}

static int begin_free_threaded(void **state) {
  *state = support_start(ARN_MODE_FREE_THREADED);
  return 0;
}

static int end(void **state) {
  support_end(*state);
  return 0;
}

/* Through a volatile, so that the compiler does not warn about the sizes that must fail. */
static size_t opaque(size_t size) {
  volatile size_t copy = size;
  return copy;
}

/* Small, medium, span of slots, run of arenas, mapping of its own (in the default geometry). */
static const size_t kinds[] = {
    1, 16, 100, 512, 513, 2000, 10000, 40000, 100000, 500000, 1500000, 5000000, 64 * 1024 * 1024};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void zero_bytes_give_a_unique_block(void **state) {
  (void)state;
  void *a = arn_malloc(0), *b = arn_malloc(0), *c = arn_calloc(0, 8), *d = arn_realloc(NULL, 0);
  for (size_t alignment = 1; alignment <= 64 * 1024 * 1024; alignment *= 4) {
    void *aligned = arn_aligned_alloc(alignment, 0);
    assert_non_null(aligned);
    arn_free(aligned);
  }
  assert_non_null(a);
  assert_non_null(b);
  assert_non_null(c);
  assert_non_null(d);
  assert_true(a != b && a != c && a != d && b != c && b != d && c != d);
  arn_free(a);
  arn_free(b);
  arn_free(c);
  arn_free(d);
  arn_free(NULL);
  assert_int_equal(arn_usable_size(NULL), 0);
}

static void blocks_are_aligned(void **state) {
  (void)state;
  size_t alignment = support_is_classic() ? 8 : 16;
  for (size_t size = 1; size < 3000; size += 7) {
    void *block = arn_malloc(size);
    assert_int_equal((uintptr_t)block % alignment, 0);
    arn_free(block);
  }
}

static void too_much_is_out_of_memory(void **state) {
  (void)state;
  void *block = arn_malloc(100);
  support_fill(block, 100, 1);
  static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 64, (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX,
                                 PTRDIFF_MAX - 4096};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    size_t size = opaque(sizes[i]);
#define IS_OUT_OF_MEMORY(call)                                                                     \
  errno = 0;                                                                                       \
  assert_null(call);                                                                               \
  assert_int_equal(errno, ENOMEM)
    IS_OUT_OF_MEMORY(arn_malloc(size));
    IS_OUT_OF_MEMORY(arn_calloc(1, size));
    IS_OUT_OF_MEMORY(arn_zalloc(size));
    IS_OUT_OF_MEMORY(arn_realloc(block, size));
    IS_OUT_OF_MEMORY(arn_aligned_alloc(64, size));
  }
  IS_OUT_OF_MEMORY(arn_calloc(opaque(SIZE_MAX / 2), 3));
  IS_OUT_OF_MEMORY(arn_calloc(opaque((size_t)1 << 32), (size_t)1 << 32));
  IS_OUT_OF_MEMORY(arn_reallocarray(block, opaque((size_t)1 << 33), (size_t)1 << 31));
  IS_OUT_OF_MEMORY(arn_reallocarray(NULL, opaque(SIZE_MAX), 2));
  if (!SUPPORT_SANITIZED || !support_is_classic()) { /* the sanitizer's memalign cannot */
    IS_OUT_OF_MEMORY(arn_aligned_alloc(opaque((size_t)1 << 63), 1));
  }
  IS_OUT_OF_MEMORY(arn_aligned_alloc(opaque((size_t)1 << 46), (size_t)1 << 46));
  assert_true(support_holds(block, 100, 100, 1));
  arn_free(block);
}

static void calloc_clears_used_memory(void **state) {
  (void)state;
  for (int k = 0; k < KINDS; k++) {
    for (int round = 0; round < 3; round++) {
      void *blocks[4];
      for (int i = 0; i < 4; i++) {
        blocks[i] = i % 2 ? arn_zalloc(kinds[k]) : arn_calloc(kinds[k], 1);
        assert_non_null(blocks[i]);
        assert_true(
            support_is_zero(blocks[i], arn_usable_size(blocks[i]) < 1000000 ? kinds[k] : 4096));
      }
      for (int i = 0; i < 4; i++) {
        size_t dirty = kinds[k] < 1000000 ? kinds[k] : 4096;
        memset(blocks[i], 0xff, dirty);
        memset((char *)blocks[i] + kinds[k] - dirty, 0xff, dirty);
        arn_free(blocks[i]);
      }
    }
  }
}

static void realloc_keeps_contents(void **state) {
  (void)state;
  for (int from = 0; from < KINDS; from++)
    for (int to = 0; to < KINDS; to++) {
      void *block = arn_malloc(kinds[from]);
      assert_non_null(block);
      support_fill(block, kinds[from], 42);
      void *moved = arn_realloc(block, kinds[to]);
      assert_non_null(moved);
      assert_true(arn_usable_size(moved) >= kinds[to]);
      size_t kept = kinds[from] < kinds[to] ? kinds[from] : kinds[to];
      assert_true(support_holds(moved, kinds[from], kept, 42));
      support_fill(moved, kinds[to], 43);
      assert_true(support_holds(moved, kinds[to], kinds[to], 43));
      arn_free(moved);
    }
}

static void realloc_step_by_step(void **state) {
  (void)state;
  size_t size = 1;
  char *block = arn_realloc(NULL, size);
  block[0] = 1;
  while (size < 300000) {
    size_t next = size + size / 3 + 1;
    block = arn_realloc(block, next);
    assert_non_null(block);
    memset(block + size, (int)(next % 251), next - size);
    size = next;
  }
  assert_int_equal(block[0], 1);
  block = arn_realloc(block, 0); /* a block of the smallest size, as CPython gives */
  assert_non_null(block);
  block = arn_reallocarray(block, 1000, 30);
  assert_true(arn_usable_size(block) >= 30000);
  arn_free(block);
}

static void free_sized_is_free(void **state) {
  for (int k = 0; k < KINDS; k++) {
    void *block = arn_malloc(kinds[k]);
    assert_non_null(block);
    arn_free_sized(block, kinds[k]);
  }
  arn_free_sized(NULL, 0);
  assert_int_equal(support_stats(*state).live_bytes, 0);
}

static void aligned_alloc_aligns(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 24, 600, 5000, 70000, 3000000};
  for (size_t alignment = 1; alignment <= 64 * 1024 * 1024; alignment *= 2)
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
      void *one = arn_aligned_alloc(alignment, sizes[i]);
      void *two = arn_aligned_alloc(alignment, sizes[i]);
      assert_non_null(one);
      assert_non_null(two);
      assert_int_equal((uintptr_t)one % alignment, 0);
      assert_int_equal((uintptr_t)two % alignment, 0);
      assert_true(arn_usable_size(one) >= sizes[i]);
      support_fill(one, sizes[i], 1);
      support_fill(two, sizes[i], 2);
      assert_true(support_holds(one, sizes[i], sizes[i], 1));
      one = arn_realloc(one, sizes[i] * 2);
      assert_true(support_holds(one, sizes[i], sizes[i], 1));
      assert_true(support_holds(two, sizes[i], sizes[i], 2));
      arn_free(one);
      arn_free(two);
    }
}

static void bad_alignments_are_refused(void **state) {
  (void)state;
  static const size_t bad[] = {0, 3, 6, 24, 100, 4097, SIZE_MAX};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    errno = 0;
    assert_null(arn_aligned_alloc(opaque(bad[i]), 64));
    assert_int_equal(errno, EINVAL);
  }
}

static void errno_is_kept(void **state) {
  (void)state;
  for (int k = 0; k < KINDS; k++) {
    errno = 1234;
    void *block = arn_malloc(kinds[k]);
    block = arn_realloc(block, kinds[k] + kinds[k] / 2);
    assert_non_null(block);
    assert_int_equal(errno, 1234);
    arn_free(block);
    assert_int_equal(errno, 1234);
    arn_free(arn_calloc(1, kinds[k]));
    assert_int_equal(errno, 1234);
  }
}

static void live_bytes_come_back_to_nothing(void **state) {
  enum { COUNT = 20000 };
  static void *blocks[COUNT];
  uint64_t random = support_seed();
  for (int i = 0; i < COUNT; i++)
    blocks[i] = arn_malloc(support_size(&random, 40000));
  assert_true(support_stats(*state).live_bytes > COUNT);
  for (int i = 0; i < COUNT; i++)
    arn_free(blocks[i]);
  arn_stats stats = support_stats(*state);
  assert_int_equal(stats.live_bytes, 0);
  assert_int_equal(stats.large_blocks, 0);
  assert_int_equal(stats.huge_blocks, 0);
  assert_int_equal(stats.huge_bytes, 0);
}

int main(void) {
#define TEST(name)                                                                                 \
  {#name " (gil)", name, begin_gil, end, NULL}, {                                                  \
#name " (ft)", name, begin_free_threaded, end, NULL                                            \
  }
  const struct CMUnitTest tests[] = {
      TEST(zero_bytes_give_a_unique_block),
      TEST(blocks_are_aligned),
      TEST(too_much_is_out_of_memory),
      TEST(calloc_clears_used_memory),
      TEST(realloc_keeps_contents),
      TEST(realloc_step_by_step),
      TEST(free_sized_is_free),
      TEST(aligned_alloc_aligns),
      TEST(bad_alignments_are_refused),
      TEST(errno_is_kept),
      TEST(live_bytes_come_back_to_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
