/* test_huge_pages.c - with ARENITE_HUGE_PAGES off, no arena may get transparent huge pages.
 *
 * What the system was told of the reserved range once must hold for every arena of the process's
 * life: also for one that was given back, by mapping anew, with its runtime or by a source that
 * mapped its own memory there. Otherwise khugepaged fills again what was purged.
 */
#include "support.h"

#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SMALL = 256, BYTES = 16 << 20, COUNT = BYTES / SMALL };

static void *blocks[COUNT];

static int by_address(const void *a, const void *b) {
  uintptr_t left = (uintptr_t) * (void *const *)a, right = (uintptr_t) * (void *const *)b;
  return (left > right) - (left < right);
}

/* How many of the (sorted) blocks are in mappings that have the flag nh, "no huge pages". */
static size_t blocks_without_huge_pages(void) {
  FILE *file = fopen("/proc/self/smaps", "r");
  assert_non_null(file);
  char line[1024];
  size_t in_this = 0, found = 0, at = 0;
  while (fgets(line, sizeof line, file) != NULL) {
    unsigned long from, to;
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
      while (at < COUNT && (uintptr_t)blocks[at] < from)
        at++;
      for (in_this = 0; at < COUNT && (uintptr_t)blocks[at] < to; at++)
        in_this++;
    } else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " nh") != NULL) {
      found += in_this;
    }
  }
  fclose(file);
  return found;
}

/* A runtime that fills 16 MiB; how many of its blocks are without huge pages; and it ends. */
static size_t live_and_look(const arn_config *config) {
  arn_runtime *runtime = support_start_with(config);
  for (size_t i = 0; i < COUNT; i++) {
    blocks[i] = arn_malloc(SMALL);
    assert_non_null(blocks[i]);
    memset(blocks[i], 1, SMALL);
  }
  qsort(blocks, COUNT, sizeof *blocks, by_address);
  size_t found = blocks_without_huge_pages();
  support_end(runtime);
  return found;
}

static int own_commit(void *context, void *at, size_t size) {
  (void)context;
  void *got =
      mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  return got == at ? 0 : errno;
}

static void own_decommit(void *context, void *at, size_t size) {
  (void)context;
  REQUIRE(mprotect(at, size, PROT_NONE) == 0);
}

static void own_purge(void *context, void *at, size_t size) {
  (void)context;
  REQUIRE(madvise(at, size, MADV_DONTNEED) == 0);
}

static void off_is_off_for_ever(void **state) {
  (void)state;
  arn_config config = support_config(ARN_MODE_GIL);
  arn_runtime *runtime;
  assert_int_equal(arn_runtime_create(&runtime, &config), 0);
  bool asked = support_stats(runtime).huge_pages;
  arn_runtime_destroy(runtime);
  assert_false(asked);
  if (live_and_look(&config) == 0)
    skip(); /* a kernel without them, or that does not say */
  assert_int_equal(live_and_look(&config), COUNT);
  arn_config own = config;
  own.source = (arn_arena_source){NULL, own_commit, own_decommit, own_purge};
  live_and_look(&own);
  assert_int_equal(live_and_look(&config), COUNT);
}

int main(void) {
  unsetenv("ARENITE_HUGE_PAGES"); /* read when the first runtime is created */
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(off_is_off_for_ever),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
