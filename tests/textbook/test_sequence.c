/* test_sequence.c - classic hands out the very blocks that CPython's rules say.
 *
 * A million random operations run against the library and against the model of obmalloc's rules
 * (tests/support/obmalloc_model.h). Each malloc must return the model's place: arena, pool and
 * offset. The n-th arena of the model is the arena of the library that was seen first at its first
 * use; after that the two must stay together.
 */
#include "support.h"

#include "obmalloc_model.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

enum { OPERATIONS = 1000000, LIVE = 60000 };

struct entry {
  void *at;
  struct model_place place;
};

/* A phase: how many of 100 operations are mallocs, which sizes, and which block a free takes. */
struct phase {
  unsigned mallocs;
  size_t smallest, largest;
  enum { ANY, NEWEST, OLDEST } order;
};

static const struct phase phases[] = {
    {80, 1, 512, ANY},    {50, 1, 512, ANY},    {20, 1, 512, ANY},      {95, 200, 512, ANY},
    {5, 1, 512, NEWEST},  {90, 1, 512, ANY},    {10, 1, 512, OLDEST},   {70, 1, 64, ANY},
    {50, 40, 48, ANY},    {15, 1, 512, ANY},    {98, 480, 512, NEWEST}, {2, 1, 512, ANY},
    {60, 1, 512, OLDEST}, {40, 1, 512, OLDEST},
};

static uintptr_t arena_address[MODEL_ARENAS];

static void compare(size_t operation, const void *at, struct model_place place) {
  uintptr_t address = (uintptr_t)at;
  uintptr_t base = address & ~(uintptr_t)(MODEL_POOLS * MODEL_POOL_SIZE - 1);
  if (arena_address[place.arena] == 0) {
    for (int i = 0; i < MODEL_ARENAS; i++)
      assert_int_not_equal(arena_address[i], base);
    arena_address[place.arena] = base;
  }
  unsigned pool = (unsigned)((address - base) / MODEL_POOL_SIZE);
  unsigned offset = (unsigned)(address % MODEL_POOL_SIZE);
  if (base != arena_address[place.arena] || pool != place.pool || offset != place.offset)
    fail_msg("operation %zu: arena %#zx pool %u offset %u, expected arena %u (%#zx) pool %u offset "
             "%u",
             operation, (size_t)base, pool, offset, place.arena, (size_t)arena_address[place.arena],
             place.pool, place.offset);
}

static size_t victim(uint64_t *random, const struct phase *phase, size_t live) {
  if (phase->order == NEWEST)
    return live - 1;
  /* Taking the last block into the hole keeps OLDEST only roughly by age; it still empties whole
   * pools before it begins others. */
  return phase->order == OLDEST ? 0 : support_below(random, live);
}

static void same_places(void **state) {
  (void)state;
  size_t limit = arn_geometry_get().small_limit;
  uint64_t random = support_seed();
  arn_runtime *runtime = support_start(ARN_MODE_GIL);
  struct model *model = model_create();
  struct entry *entries = calloc(LIVE, sizeof *entries);
  size_t live = 0, length = 0;
  const struct phase *phase = phases;
  for (size_t i = 0; i < OPERATIONS; i++) {
    if (live == 0 && phase->mallocs < 50)
      length = 0; /* nothing is left to shrink */
    if (length-- == 0) {
      phase = &phases[support_below(&random, sizeof phases / sizeof phases[0])];
      length = 5000 + support_below(&random, 60000);
    }
    bool full = live == LIVE;
    if (live == 0 || (!full && support_below(&random, 100) < phase->mallocs)) {
      size_t size = phase->smallest + support_below(&random, phase->largest - phase->smallest + 1);
      size = size <= limit ? size : 1 + size % limit;
      struct entry entry = {arn_malloc(size), model_malloc(model, size)};
      assert_non_null(entry.at);
      compare(i, entry.at, entry.place);
      entries[live++] = entry;
    } else {
      size_t at = victim(&random, phase, live);
      arn_free(entries[at].at);
      model_free(model, entries[at].place);
      entries[at] = entries[--live];
    }
    if (i % 50000 == 0) {
      support_check(runtime);
      arn_stats stats = support_stats(runtime);
      assert_int_equal(stats.arenas, model->held);
      assert_int_equal(stats.arenas_reclaimed, model->reclaimed);
    }
  }
  printf("%u arenas held at the end, %u were given back\n", model->held, model->reclaimed);
  assert_true(model->reclaimed > 0);
  while (live > 0)
    arn_free(entries[--live].at);
  assert_int_equal(support_stats(runtime).arenas, 0);
  free(entries);
  free(model);
  support_end(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(same_places)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
