/* test_classes.c - a size's class: never too small, never much too large, and in order. */
#include "support.h"

#include "unit.h"

#include <string.h>

static int begin(void **state) {
  *state = support_start(ARN_MODE_FREE_THREADED);
  return 0;
}

static int end(void **state) {
  support_end(*state);
  return 0;
}

static void geometry_is_one_of_three(void **state) {
  (void)state;
  arn_geometry geometry = arn_geometry_get();
  assert_true(strcmp(geometry.name, "classic") == 0 || strcmp(geometry.name, "modern") == 0 ||
              strcmp(geometry.name, "wide") == 0);
  assert_int_equal(geometry.arena_size, 64 * geometry.pool_size);
  assert_int_equal(geometry.small_limit, geometry.small_classes * geometry.step);
}

static void classes_ascend(void **state) {
  (void)state;
  arn_geometry geometry = arn_geometry_get();
  assert_true(arn_class_count() >= geometry.small_classes);
  assert_true(arn_class_count() <= ARN_CLASS_MAX);
  for (uint32_t i = 0; i < arn_class_count(); i++) {
    assert_true(i == 0 || arn_class_size(i) > arn_class_size(i - 1));
    assert_int_equal(arn_class_size(i) % geometry.step, 0);
    if (i < geometry.small_classes)
      assert_int_equal(arn_class_size(i), (i + 1) * geometry.step);
  }
  assert_int_equal(arn_class_size(arn_class_count()), 0);
}

/* Between the small limit and the largest class there are at least four classes per doubling, so
 * at most a quarter of what was asked for is added. */
static void every_size_fits(void **state) {
  (void)state;
  arn_geometry geometry = arn_geometry_get();
  size_t largest = arn_class_size(arn_class_count() - 1), before = 0;
  for (size_t size = 1; size <= 40000; size++) {
    void *block = arn_malloc(size);
    assert_non_null(block);
    size_t usable = arn_usable_size(block);
    assert_true(usable >= size);
    if (size <= geometry.small_limit)
      assert_true(usable < size + geometry.step);
    else if (size <= largest)
      assert_true(usable <= size + size / 4 + geometry.step);
    else if (!support_is_classic())
      assert_true(usable < size + geometry.pool_size);
    if (!support_is_classic() || size <= geometry.small_limit) {
      assert_true(usable >= before);
      before = usable;
    }
    /* The last byte is the caller's. */
    ((volatile char *)block)[usable - 1] = 1;
    arn_free(block);
  }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const struct CMUnitTest tests[] = {TEST(geometry_is_one_of_three), TEST(classes_ascend),
                                     TEST(every_size_fits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
