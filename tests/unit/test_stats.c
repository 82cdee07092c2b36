/* test_stats.c - the statistics of a known program, as a struct, as text and as JSON. */
#include "support.h"

#include "json.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 1000, SIZE = 96 };

static const arn_class_stats *class_of(const arn_stats *stats, size_t size) {
  for (uint32_t i = 0; i < stats->class_count; i++)
    if (stats->classes[i].block_size >= size)
      return &stats->classes[i];
  fail();
  return NULL;
}

static void numbers_of_a_known_program(void **state) {
  (void)state;
  for (int mode = 0; mode < 2; mode++) {
    arn_runtime *runtime = support_start((arn_mode)mode);
    arn_stats before = support_stats(runtime);
    assert_int_equal(before.mode, mode);
    assert_int_equal(before.class_count, arn_class_count());
    assert_int_equal(before.live_bytes, 0);
    for (uint32_t i = 0; i < before.class_count; i++)
      assert_int_equal(before.classes[i].block_size, arn_class_size(i));
    void *blocks[COUNT];
    for (int i = 0; i < COUNT; i++)
      blocks[i] = arn_malloc(SIZE);
    arn_stats stats = support_stats(runtime);
    const arn_class_stats *class = class_of(&stats, SIZE);
    assert_int_equal(class->block_size, SIZE);
    assert_int_equal(class->blocks_used, COUNT);
    assert_int_equal(stats.live_bytes, COUNT * SIZE);
    size_t capacity = arn_geometry_get().pool_size / SIZE;
    assert_int_equal(class->pools, (COUNT + capacity - 1) / capacity);
    assert_int_equal(class->blocks_used + class->blocks_free + class->blocks_untouched +
                         class->blocks_purged,
                     class->pools * capacity);
    assert_true(stats.arenas_allocated >= 1);
    assert_int_equal(stats.arenas_highwater, stats.arenas);
    assert_true(stats.metadata_bytes > 0);
    for (int i = 0; i < COUNT; i += 2)
      arn_free(blocks[i]);
    stats = support_stats(runtime);
    assert_int_equal(class_of(&stats, SIZE)->blocks_used, COUNT / 2);
    assert_int_equal(stats.live_bytes, COUNT / 2 * SIZE);
    for (int i = 1; i < COUNT; i += 2)
      arn_free(blocks[i]);
    stats = support_stats(runtime);
    assert_int_equal(stats.live_bytes, 0);
    assert_int_equal(class_of(&stats, SIZE)->blocks_used, 0);
    if (mode == ARN_MODE_GIL)
      assert_true(stats.gil_takes >= 1);
    support_end(runtime);
  }
}

static void large_and_huge(void **state) {
  (void)state;
  if (support_is_classic())
    skip();
  arn_runtime *runtime = support_start(ARN_MODE_FREE_THREADED);
  size_t pool = arn_geometry_get().pool_size, arena = arn_geometry_get().arena_size;
  void *span = arn_malloc(20 * pool);
  arn_stats stats = support_stats(runtime);
  assert_int_equal(stats.large_blocks, 1);
  assert_true(stats.large_bytes >= 20 * pool);
  assert_true(stats.live_bytes >= stats.large_bytes);
  void *huge = arn_malloc(100 * arena);
  stats = support_stats(runtime);
  assert_int_equal(stats.large_blocks + stats.huge_blocks, 2);
  assert_true(stats.large_bytes + stats.huge_bytes >= 120 * pool);
  arn_free(span);
  arn_free(huge);
  stats = support_stats(runtime);
  assert_int_equal(stats.large_blocks + stats.huge_blocks, 0);
  support_end(runtime);
}

static char *written(arn_runtime *runtime, int (*write)(arn_runtime *, FILE *)) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  assert_non_null(out);
  assert_int_equal(write(runtime, out), 0);
  fclose(out);
  assert_true(size > 100);
  return text;
}

static void json_is_right(void **state) {
  (void)state;
  assert_true(json_is_value(" {\"a\": [1, -2.5e3, true, null, \"x\\n\"], \"b\": {}} "));
  assert_false(json_is_value("{\"a\": 1,}"));
  assert_false(json_is_value("{\"a\": 01}"));
  assert_false(json_is_value("{\"a\": 1} {"));
  arn_runtime *runtime = support_start(ARN_MODE_GIL);
  void *block = arn_malloc(SIZE);
  arn_stats stats = support_stats(runtime);
  char *text = written(runtime, arn_stats_json);
  assert_true(json_is_value(text));
  const struct {
    const char *name;
    uint64_t expected;
  } fields[] = {
      {"arenas", stats.arenas},
      {"arenas_allocated", stats.arenas_allocated},
      {"arenas_reclaimed", stats.arenas_reclaimed},
      {"arenas_highwater", stats.arenas_highwater},
      {"arena_bytes", stats.arena_bytes},
      {"live_bytes", stats.live_bytes},
      {"free_bytes", stats.free_bytes},
      {"untouched_bytes", stats.untouched_bytes},
      {"purged_bytes", stats.purged_bytes},
      {"deferred_bytes", stats.deferred_bytes},
      {"overhead_bytes", stats.overhead_bytes},
      {"huge_bytes", stats.huge_bytes},
      {"remote_frees", stats.remote_frees},
      {"inbox_drains", stats.inbox_drains},
      {"orphans", stats.orphans},
      {"gil_waits", stats.gil_waits},
      {"gil_switches", stats.gil_switches},
  };
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    uint64_t number = UINT64_MAX;
    if (!json_number(text, fields[i].name, &number) || number != fields[i].expected)
      fail_msg("%s: %llu in the JSON, expected %llu", fields[i].name, (unsigned long long)number,
               (unsigned long long)fields[i].expected);
  }
  assert_non_null(strstr(text, "\"classes\""));
  free(text);
  arn_free(block);
  support_end(runtime);
}

static void text_has_the_numbers(void **state) {
  (void)state;
  arn_runtime *runtime = support_start(ARN_MODE_FREE_THREADED);
  void *blocks[COUNT];
  for (int i = 0; i < COUNT; i++)
    blocks[i] = arn_malloc(SIZE);
  char *text = written(runtime, arn_stats_text);
  char wanted[32];
  snprintf(wanted, sizeof wanted, "%d", COUNT);
  assert_non_null(strstr(text, wanted));
  assert_non_null(strstr(text, "arena"));
  free(text);
  for (int i = 0; i < COUNT; i++)
    arn_free(blocks[i]);
  support_end(runtime);
}

static void failed_writes_are_reported(void **state) {
  (void)state;
  arn_runtime *runtime = support_start(ARN_MODE_GIL);
  FILE *full = fopen("/dev/full", "w");
  assert_non_null(full);
  setvbuf(full, NULL, _IONBF, 0);
  assert_int_equal(arn_stats_text(runtime, full), ENOSPC);
  assert_int_equal(arn_stats_json(runtime, full), ENOSPC);
  fclose(full);
  assert_int_equal(arn_stats_get(runtime, NULL), EINVAL);
  support_end(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_of_a_known_program),
      cmocka_unit_test(large_and_huge),
      cmocka_unit_test(json_is_right),
      cmocka_unit_test(text_has_the_numbers),
      cmocka_unit_test(failed_writes_are_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
