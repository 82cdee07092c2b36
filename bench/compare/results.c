/* results.c - see results.h. */
#include "results.h"

#include "numbers.h"

#include <math.h>
#include <stdlib.h>

const char *const mode_names[MODE_COUNT] = {"null", "system", "gil", "free-threaded"};

static const int other_safepoints[] = {10, 1000};
enum { OTHER_SAFEPOINTS = sizeof other_safepoints / sizeof other_safepoints[0] };

static void add(struct results *results, int program, enum mode mode, int threads, int safepoint) {
  struct cell *cell = &results->cells[results->cell_count++];
  cell->program = program;
  cell->mode = mode;
  cell->threads = threads;
  cell->safepoint = safepoint;
}

bool results_plan(struct results *results) {
  size_t most = (size_t)results->program_count *
                ((size_t)(results->thread_count + 1) * MODE_COUNT + OTHER_SAFEPOINTS);
  results->cells = calloc(most, sizeof *results->cells);
  if (results->cells == NULL)
    return false;
  int most_threads = results_most_threads(results);
  for (int program = 0; program < results->program_count; program++) {
    for (int i = 0; i < results->thread_count; i++)
      for (int mode = 0; mode < MODE_COUNT; mode++)
        add(results, program, mode, results->threads[i], SAFEPOINT);
    for (int i = 0; i < OTHER_SAFEPOINTS; i++)
      add(results, program, MODE_GIL, most_threads, other_safepoints[i]);
    for (int mode = 0; mode < MODE_COUNT && results->program[program]->own_threads; mode++)
      add(results, program, mode, THREADS_OWN, SAFEPOINT);
  }
  return true;
}

void results_free(struct results *results) {
  free(results->cells);
  json_decref(results->machine);
}

int results_most_threads(const struct results *results) {
  return results->threads[results->thread_count - 1];
}

static double field_median(const struct cell *cell, int rounds, size_t offset) {
  double values[ROUNDS_MAX];
  for (int round = 0; round < rounds; round++)
    values[round] = *(const double *)((const char *)&cell->rounds[round] + offset);
  return numbers_median(values, (size_t)rounds);
}

void results_medians(struct results *results) {
  /* A sample is doubles only, so the fields can be walked by offset. */
  for (size_t i = 0; i < results->cell_count; i++)
    for (size_t offset = 0; offset < sizeof(struct sample); offset += sizeof(double))
      *(double *)((char *)&results->cells[i].median + offset) =
          field_median(&results->cells[i], results->rounds, offset);
}

const struct cell *results_cell(const struct results *results, int program, enum mode mode,
                                int threads, int safepoint) {
  for (size_t i = 0; i < results->cell_count; i++) {
    const struct cell *cell = &results->cells[i];
    if (cell->program == program && cell->mode == mode && cell->threads == threads &&
        cell->safepoint == safepoint)
      return cell;
  }
  return NULL;
}

const struct sample *cell_sample(const struct cell *cell, int round) {
  static const struct sample nothing = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
  if (cell == NULL)
    return &nothing;
  return round == ROUND_MEDIAN ? &cell->median : &cell->rounds[round];
}

/* The same program with the same threads in another mode. */
static const struct sample *beside(const struct results *results, int round,
                                   const struct cell *cell, enum mode mode) {
  return cell_sample(results_cell(results, cell->program, mode, cell->threads, SAFEPOINT), round);
}

double results_against_system(const struct results *results, int round, const struct cell *cell) {
  return cell_sample(cell, round)->mops / beside(results, round, cell, MODE_SYSTEM)->mops;
}

double results_net_of_null(const struct results *results, int round, const struct cell *cell) {
  double null = 1 / beside(results, round, cell, MODE_NULL)->mops;
  double net = 1 / cell_sample(cell, round)->mops - null;
  double system_net = 1 / beside(results, round, cell, MODE_SYSTEM)->mops - null;
  /* Faster than a replay without an allocator: there is nothing left to compare. */
  return net > 0 && system_net > 0 ? system_net / net : NAN;
}
