/* phases.c - a program that changes its habits, and never lets go of everything.
 *
 * In each phase the blocks have other sizes and other lifetimes: the phase fills a table with 4 MiB
 * of them, replaces as many, at random or oldest first, and frees them at its end, except one in
 * 16, which survives three more phases. What a phase leaves behind is thus spread among holes of
 * sizes that the next one does not want. Threads share nothing. */
#include "row.h"

enum { BUDGET = 4 << 20, SURVIVOR = 16, GENERATIONS = 4, PHASES = 72, BLOCKS_MAX = 1 << 17 };

static const struct kind {
  unsigned size_low, size_high; /* octaves */
  bool oldest_first;
} kinds[] = {
    {4, 7, false},   /* 16 B to 128 B */
    {10, 13, true},  /* 1 KiB to 8 KiB */
    {6, 9, true},    /* 64 B to 512 B */
    {12, 16, false}, /* 4 KiB to 64 KiB */
    {5, 8, false},   /* 32 B to 256 B */
    {4, 14, true},   /* 16 B to 16 KiB */
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

struct program {
  struct row_random random;
  uint64_t calls;
  void *blocks[BLOCKS_MAX];
  void *survivors[GENERATIONS][BLOCKS_MAX / SURVIVOR];
  uint32_t survived[GENERATIONS];
};

static uint64_t phases; /* by each thread */
static struct program *programs;

static void *draw_block(struct program *program, const struct kind *kind) {
  program->calls += 2; /* its free as well */
  return row_allocate_filled(row_octaves(&program->random, kind->size_low, kind->size_high));
}

static void bury(struct program *program, uint64_t generation) {
  void **survivors = program->survivors[generation % GENERATIONS];
  uint32_t *count = &program->survived[generation % GENERATIONS];
  while (*count > 0)
    row_free_filled(survivors[--*count]);
}

/* How many blocks of the kind make up the budget: an octave's mean is 1.5 times its start. */
static uint32_t blocks_of(const struct kind *kind) {
  uint32_t octaves = kind->size_high - kind->size_low;
  uint32_t starts = (1u << kind->size_high) - (1u << kind->size_low);
  return BUDGET / (3 * starts / 2 / octaves);
}

static void run_phase(struct program *program, uint64_t phase) {
  const struct kind *kind = &kinds[phase % KINDS];
  uint32_t count = blocks_of(kind);
  for (uint32_t i = 0; i < count; i++)
    program->blocks[i] = draw_block(program, kind);
  for (uint32_t i = 0; i < count; i++) {
    void **slot = &program->blocks[kind->oldest_first ? i : row_below(&program->random, count)];
    row_free_filled(*slot);
    *slot = draw_block(program, kind);
  }
  bury(program, phase); /* those of GENERATIONS phases ago */
  void **survivors = program->survivors[phase % GENERATIONS];
  uint32_t *survived = &program->survived[phase % GENERATIONS];
  for (uint32_t i = 0; i < count; i++) {
    if (i % SURVIVOR == 0)
      survivors[(*survived)++] = program->blocks[i];
    else
      row_free_filled(program->blocks[i]);
  }
}

static void work(int index) {
  struct program *program = &programs[index];
  program->random = row_seed((uint64_t)index);
  for (uint64_t phase = 0; phase < phases; phase++)
    run_phase(program, phase);
  for (uint64_t generation = 0; generation < GENERATIONS; generation++)
    bury(program, generation);
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "phases", ROW_THREADS_MAX, NULL);
  phases = row_scaled(&row, PHASES);
  programs = row_map((size_t)row.threads * sizeof *programs);
  double seconds = row_run(row.threads, work);
  uint64_t calls = 0;
  for (int i = 0; i < row.threads; i++)
    calls += programs[i].calls;
  return row_report(&row, seconds, calls, NULL);
}
