// forms: static preloaded
/* malloc_contract.c - what malloc(3), posix_memalign(3), malloc_usable_size(3) and C23 promise of
 * every function that gives, resizes or takes back a block.
 */
#include "served.h"

#include "unit.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Classes of every kind, and spans, runs and huge blocks: both sides of each border. */
static const size_t sizes[] = {1,
                               8,
                               15,
                               16,
                               17,
                               24,
                               100,
                               512,
                               513,
                               1000,
                               1024,
                               1025,
                               4096,
                               5000,
                               16384,
                               32768,
                               32769,
                               100000,
                               1 << 20,
                               (1 << 20) + 1,
                               5000000,
                               32 << 20,
                               (32 << 20) + 1,
                               40000000};
enum { SIZES = sizeof sizes / sizeof *sizes, LARGE = 1 << 18, UNTOUCHED = 4711 };

static const size_t absurd[] = {(size_t)PTRDIFF_MAX + 1, SIZE_MAX - 4096, SIZE_MAX - 15, SIZE_MAX};
enum { ABSURD = sizeof absurd / sizeof *absurd };

static size_t page(void) {
  return (size_t)sysconf(_SC_PAGESIZE);
}

static void assert_aligned(const void *block, size_t alignment) {
  assert_non_null(block);
  assert_int_equal((uintptr_t)block % alignment, 0);
}

/* A refusal: NULL, and errno says why. */
static void assert_refused(const void *block, int error) {
  assert_null(block);
  assert_int_equal(errno, error);
  errno = UNTOUCHED;
}

/* All of the block is the caller's, to the last usable byte. Of large ones only the ends are written:
 * their pages take time. */
static void use_all_and_free(void *block, size_t asked) {
  size_t usable = malloc_usable_size(block), part = usable < LARGE ? usable : LARGE / 2;
  assert_true(usable >= asked);
  support_fill(block, part, asked);
  support_fill((char *)block + usable - part, part, asked);
  assert_true(part < usable || support_holds(block, part, part, asked));
  assert_true(support_holds((char *)block + usable - part, part, part, asked));
  errno = UNTOUCHED;
  free(block);
  assert_int_equal(errno, UNTOUCHED);
}

static void whole_heap(void **state) {
  (void)state;
  served_check();
}

/* --- malloc, calloc, free -------------------------------------------------------------------- */

static void malloc_gives(void **state) {
  (void)state;
  for (size_t size = 0; size < 40000; size += size < 2000 ? 1 : 61) {
    errno = UNTOUCHED;
    void *block = malloc(size);
    assert_aligned(block, 16);
    assert_int_equal(errno, UNTOUCHED);
    use_all_and_free(block, size);
  }
  for (int i = 0; i < SIZES; i++) {
    void *block = malloc(sizes[i]);
    assert_aligned(block, 16);
    use_all_and_free(block, sizes[i]);
  }
}

static void malloc_of_nothing_is_unique(void **state) {
  (void)state;
  void *blocks[1000];
  for (int i = 0; i < 1000; i++) {
    blocks[i] = i % 3 == 0 ? malloc(0) : i % 3 == 1 ? calloc(0, 8) : realloc(NULL, 0);
    assert_aligned(blocks[i], 16);
    memset(blocks[i], 1 + i % 200, 1); /* it has room; others must not notice */
  }
  for (int i = 0; i < 1000; i++) {
    assert_int_equal(*(unsigned char *)blocks[i], 1 + i % 200);
    for (int j = 0; j < i; j++)
      assert_ptr_not_equal(blocks[i], blocks[j]);
  }
  for (int i = 0; i < 1000; i++)
    free(blocks[i]);
}

static void absurd_sizes_are_refused(void **state) {
  (void)state;
  void *old = malloc(100);
  support_fill(old, 100, 1);
  for (int i = 0; i < ABSURD; i++) {
    assert_refused(malloc(served_hide_size(absurd[i])), ENOMEM);
    assert_refused(calloc(1, served_hide_size(absurd[i])), ENOMEM);
    assert_refused(realloc(NULL, served_hide_size(absurd[i])), ENOMEM);
    assert_refused(realloc(served_hide(old), served_hide_size(absurd[i])), ENOMEM);
    assert_refused(reallocarray(served_hide(old), served_hide_size(absurd[i]), 1), ENOMEM);
    assert_refused(aligned_alloc(16, served_hide_size(absurd[i])), ENOMEM);
    assert_refused(aligned_alloc(4096, served_hide_size(absurd[i])), ENOMEM);
    assert_refused(memalign(1 << 20, served_hide_size(absurd[i])), ENOMEM);
    assert_refused(valloc(served_hide_size(absurd[i])), ENOMEM);
    assert_refused(pvalloc(served_hide_size(absurd[i])), ENOMEM);
  }
  /* More than the address space, though not absurd. */
  assert_refused(malloc(served_hide_size(PTRDIFF_MAX)), ENOMEM);
  assert_refused(malloc(served_hide_size((size_t)1 << 60)), ENOMEM);
  assert_refused(calloc(served_hide_size((size_t)1 << 50), 1 << 10), ENOMEM);
  assert_true(support_holds(old, 100, 100, 1));
  free(old);
}

static void calloc_clears(void **state) {
  (void)state;
  for (int i = 0; i < SIZES; i++) {
    void *dirty = malloc(sizes[i]);
    assert_non_null(dirty);
    memset(dirty, 0xff, sizes[i] < LARGE ? sizes[i] : LARGE);
    free(dirty);
    errno = UNTOUCHED;
    void *block = calloc(sizes[i] % 8 ? 1 : 8, sizes[i] % 8 ? sizes[i] : sizes[i] / 8);
    assert_aligned(block, 16);
    assert_int_equal(errno, UNTOUCHED);
    assert_true(support_is_zero(block, sizes[i] < LARGE ? sizes[i] : LARGE));
    use_all_and_free(block, sizes[i]);
  }
}

static void products_that_overflow_are_refused(void **state) {
  (void)state;
  void *old = malloc(48);
  support_fill(old, 48, 2);
  assert_refused(calloc(served_hide_size(SIZE_MAX), 2), ENOMEM);
  assert_refused(calloc(served_hide_size(SIZE_MAX / 16 + 2), 16), ENOMEM);
  assert_refused(calloc(served_hide_size((size_t)1 << 32), (size_t)1 << 32), ENOMEM);
  assert_refused(reallocarray(served_hide(old), served_hide_size(SIZE_MAX / 16 + 2), 16), ENOMEM);
  assert_refused(reallocarray(NULL, served_hide_size((size_t)1 << 63), 2), ENOMEM);
  assert_true(support_holds(old, 48, 48, 2));
  free(old);
}

static void free_keeps_errno(void **state) {
  (void)state;
  void *blocks[SIZES];
  for (int i = 0; i < SIZES; i++)
    blocks[i] = malloc(sizes[i]);
  errno = UNTOUCHED;
  free(NULL);
  for (int i = 0; i < SIZES; i++) {
    free(blocks[i]);
    assert_int_equal(errno, UNTOUCHED);
  }
}

static void other_ways_to_free(void **state) {
  (void)state;
  void (*sized)(void *, size_t) = (void (*)(void *, size_t))served_function("free_sized");
  void (*aligned)(void *, size_t, size_t) =
      (void (*)(void *, size_t, size_t))served_function("free_aligned_sized");
  void (*older)(void *) = (void (*)(void *))served_function("cfree");
  uint64_t before = served_stats().live_bytes;
  for (int round = 0; round < 100; round++)
    for (int i = 0; i < SIZES - 4; i++) {
      errno = UNTOUCHED;
      sized(malloc(sizes[i]), sizes[i]);
      aligned(aligned_alloc(64, sizes[i]), 64, sizes[i]);
      older(malloc(sizes[i]));
      assert_int_equal(errno, UNTOUCHED);
    }
  sized(NULL, 10);
  aligned(NULL, 64, 10);
  older(NULL);
  assert_true(served_stats().live_bytes <= before);
}

/* --- realloc --------------------------------------------------------------------------------- */

static void realloc_keeps_the_contents(void **state) {
  (void)state;
  for (int i = 0; i < SIZES; i++)
    for (int j = 0; j < SIZES; j++) {
      size_t from = sizes[i], to = sizes[j], kept = from < to ? from : to;
      if (from > 1 << 20 && j % 3)
        continue; /* their pages take time */
      void *block = malloc(from);
      assert_non_null(block);
      support_fill(block, from, (uint64_t)i);
      errno = UNTOUCHED;
      block = j % 2 ? realloc(block, to) : reallocarray(block, 1, to);
      assert_aligned(block, 16);
      assert_int_equal(errno, UNTOUCHED);
      assert_true(malloc_usable_size(block) >= to);
      assert_true(support_holds(block, from, kept, (uint64_t)i));
      free(block);
    }
}

static void realloc_to_nothing_frees(void **state) {
  (void)state;
  uint64_t before = served_stats().live_bytes;
  for (int round = 0; round < 1000; round++) {
    errno = UNTOUCHED;
    assert_null(realloc(served_hide(malloc(1000)), served_hide_size(0)));
    assert_null(reallocarray(served_hide(malloc(1000)), 0, 10));
    assert_null(reallocarray(served_hide(malloc(1000)), 10, 0));
    assert_int_equal(errno, UNTOUCHED);
  }
  assert_null(realloc(served_hide(malloc(40000000)), served_hide_size(0)));
  assert_true(served_stats().live_bytes < before + 1000000);
  assert_int_equal(served_stats().huge_blocks, 0);
}

static void realloc_of_nothing_allocates(void **state) {
  (void)state;
  for (int i = 0; i < SIZES; i++) {
    void *block = i % 2 ? realloc(NULL, sizes[i]) : reallocarray(NULL, sizes[i], 1);
    assert_aligned(block, 16);
    use_all_and_free(block, sizes[i]);
  }
}

/* Blocks from the aligned functions are blocks like all others. */
static void realloc_takes_aligned_blocks(void **state) {
  (void)state;
  for (size_t alignment = 16; alignment <= 1 << 20; alignment *= 4)
    for (int i = 0; i < SIZES; i++) {
      void *block = aligned_alloc(alignment, sizes[i]);
      assert_aligned(block, alignment);
      size_t part = sizes[i] < LARGE ? sizes[i] : LARGE;
      support_fill(block, part, (uint64_t)i);
      block = realloc(block, sizes[i] + 1000);
      assert_aligned(block, 16);
      assert_true(support_holds(block, part, part, (uint64_t)i));
      free(block);
    }
}

/* --- Aligned --------------------------------------------------------------------------------- */

static void aligned_functions_align(void **state) {
  (void)state;
  for (size_t alignment = 1; alignment <= (size_t)64 << 20; alignment *= 2)
    for (int i = 0; i < SIZES; i++) {
      if (alignment > 1 << 20 && sizes[i] > 1 << 20)
        continue; /* would ask for much and show nothing new */
      errno = UNTOUCHED;
      void *block = aligned_alloc(alignment, sizes[i]);
      assert_aligned(block, alignment < 16 ? 16 : alignment);
      void *other = memalign(alignment, sizes[i]);
      assert_aligned(other, alignment < 16 ? 16 : alignment);
      assert_int_equal(errno, UNTOUCHED);
      use_all_and_free(block, sizes[i]);
      use_all_and_free(other, sizes[i]);
    }
  void *nothing = aligned_alloc(256, 0), *other = aligned_alloc(256, 0);
  assert_aligned(nothing, 256);
  assert_aligned(other, 256);
  assert_ptr_not_equal(nothing, other);
  free(nothing);
  free(other);
}

static void aligned_functions_refuse(void **state) {
  (void)state;
  static const size_t bad[] = {0, 3, 6, 7, 12, 24, 48, 100, 4095, 4097, SIZE_MAX};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_refused(aligned_alloc(served_hide_size(bad[i]), 100), EINVAL);
    assert_refused(memalign(served_hide_size(bad[i]), 100), EINVAL);
  }
  for (int shift = 50; shift < 64; shift++) {
    assert_refused(aligned_alloc(served_hide_size((size_t)1 << shift), 100), ENOMEM);
    assert_refused(memalign(served_hide_size((size_t)1 << shift), 0), ENOMEM);
    assert_refused(aligned_alloc(served_hide_size((size_t)1 << shift), PTRDIFF_MAX), ENOMEM);
  }
}

static void posix_memalign_does(void **state) {
  (void)state;
  errno = UNTOUCHED;
  for (size_t alignment = sizeof(void *); alignment <= 1 << 22; alignment *= 2)
    for (int i = 0; i < SIZES - 6; i++) {
      void *block = NULL;
      assert_int_equal(posix_memalign(&block, alignment, sizes[i]), 0);
      assert_aligned(block, alignment < 16 ? 16 : alignment);
      use_all_and_free(block, sizes[i]);
    }
  static const size_t bad[] = {0, 1, 2, 4, 3, 7, 12, 24, 40, 100, 4095, SIZE_MAX};
  void *sentinel = &sentinel, *block = sentinel;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(posix_memalign(&block, served_hide_size(bad[i]), 100), EINVAL);
    assert_ptr_equal(block, sentinel);
  }
  for (int i = 0; i < ABSURD; i++) {
    assert_int_equal(posix_memalign(&block, 64, served_hide_size(absurd[i])), ENOMEM);
    assert_ptr_equal(block, sentinel);
  }
  assert_int_equal(posix_memalign(&block, served_hide_size((size_t)1 << 62), 10), ENOMEM);
  assert_ptr_equal(block, sentinel);
  void *nothing[2];
  assert_int_equal(posix_memalign(&nothing[0], 64, 0), 0);
  assert_int_equal(posix_memalign(&nothing[1], 64, 0), 0);
  assert_ptr_not_equal(nothing[0], nothing[1]);
  free(nothing[0]);
  free(nothing[1]);
  assert_int_equal(errno, UNTOUCHED);
}

static void valloc_and_pvalloc_give_pages(void **state) {
  (void)state;
  for (int i = 0; i < SIZES; i++) {
    errno = UNTOUCHED;
    void *block = valloc(sizes[i]), *pages = pvalloc(sizes[i]);
    assert_aligned(block, page());
    assert_aligned(pages, page());
    assert_int_equal(errno, UNTOUCHED);
    use_all_and_free(block, sizes[i]);
    use_all_and_free(pages, (sizes[i] + page() - 1) / page() * page());
  }
  void *block = valloc(0), *pages = pvalloc(0);
  assert_aligned(block, page());
  assert_aligned(pages, page());
  free(block);
  free(pages);
}

static void usable_size_of_nothing_is_nothing(void **state) {
  (void)state;
  assert_int_equal(malloc_usable_size(NULL), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(malloc_gives),
      cmocka_unit_test(malloc_of_nothing_is_unique),
      cmocka_unit_test(absurd_sizes_are_refused),
      cmocka_unit_test(calloc_clears),
      cmocka_unit_test(products_that_overflow_are_refused),
      cmocka_unit_test(free_keeps_errno),
      cmocka_unit_test(other_ways_to_free),
      cmocka_unit_test(whole_heap),
      cmocka_unit_test(realloc_keeps_the_contents),
      cmocka_unit_test(realloc_to_nothing_frees),
      cmocka_unit_test(realloc_of_nothing_allocates),
      cmocka_unit_test(realloc_takes_aligned_blocks),
      cmocka_unit_test(whole_heap),
      cmocka_unit_test(aligned_functions_align),
      cmocka_unit_test(aligned_functions_refuse),
      cmocka_unit_test(posix_memalign_does),
      cmocka_unit_test(valloc_and_pvalloc_give_pages),
      cmocka_unit_test(usable_size_of_nothing_is_nothing),
      cmocka_unit_test(whole_heap),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
