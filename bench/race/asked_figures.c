/* asked_figures.c - see asked.h: the figures, each from a program that asks for one thing alone. */
#include "asked.h"

#include "beside.h"
#include "compare/child.h"
#include "compare/numbers.h"
#include "duel.h"
#include "start.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIGURE_ROUNDS_MAX = 9, START_RUNS_PER_ROUND = 100 };

/* What ours is divided by. */
enum reference { NOTHING, TCMALLOC, GLIBC };

static const struct figure {
  const char *id, *program, *text, *unit;
  const char *member; /* of the program's line */
  double factor;      /* from the member's unit to ours */
  int decimals;
  enum reference reference;
  const char *reference_member; /* where it is not the same */
  double at_most;
} figures[] = {
    {"spike", "spike", "resident memory by the pages that hold live blocks, idle after a spike", "",
     "ratio", 1, 3, NOTHING, NULL, 1.1},
    {"blocked", "blocked", "peak RSS while all threads but one wait, by tcmalloc's", "MiB",
     "peak_rss_kib", 1.0 / 1024, 1, TCMALLOC, NULL, 1.3},
    {"calloc_fresh", "calloc_fresh", "memory that becomes resident by calloc alone", "MiB",
     "rss_grew_kib", 1.0 / 1024, 2, NOTHING, NULL, NAN},
    {"realloc_grow", "realloc_grow",
     "growing a block by realloc, by glibc's malloc, memcpy and free of the same", "\xc2\xb5s",
     "realloc_ns", 1e-3, 1, GLIBC, "copy_ns", 1.0 / 20},
};
enum { FIGURES = sizeof figures / sizeof figures[0] };

static int find(const struct race *race, const char *name) {
  for (int i = 0; i < race->contestants.first_ours; i++)
    if (strcmp(race->contestants.list[i].name, name) == 0)
      return i;
  return -1;
}

static struct asked *add(struct outcome *outcome, const char *id, const char *text,
                         const char *unit, int decimals, double at_most) {
  struct asked *asked = &outcome->list[outcome->count++];
  *asked = (struct asked){.id = id,
                          .text = text,
                          .unit = unit,
                          .decimals = decimals,
                          .at_most = at_most,
                          .reference = NAN};
  for (int i = 0; i < CONTESTANTS_MAX; i++) {
    asked->value[i] = NAN;
    asked->answer[i] = (struct answer){.measured = NAN, .low = NAN, .high = NAN};
  }
  return asked;
}

static double member(const struct lap *lap, const char *name) {
  const json_t *value = json_object_get(lap->line, name);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

/* One run; NANs when the program fails, or malloc was another's. -1: interrupted. */
static int run_figure(struct race *race, const struct figure *figure, int index, double *value,
                      double *reference) {
  const struct contestant *contestant = &race->contestants.list[index];
  struct lap lap;
  char *err;
  int status = race_program(race, figure->program, 1, race->scale, contestant->preload, &lap, &err);
  bool good = status == 0 && strcmp(lap_served_by(&lap), contestant_library(contestant)) == 0;
  *value = good ? member(&lap, figure->member) * figure->factor : NAN;
  *reference = good && figure->reference_member != NULL
                   ? member(&lap, figure->reference_member) * figure->factor
                   : *value;
  if (!good && child_interrupted() == 0) {
    progress_end(&race->progress);
    fprintf(stderr,
            "arenite bench allocators: %s with %s failed (status %d, malloc from \"%s\"):\n%s",
            figure->program, contestant->name, status, lap_served_by(&lap), err != NULL ? err : "");
  }
  json_decref(lap.line);
  free(err);
  return child_interrupted() != 0 ? -1 : 0;
}

static int ask_figure(struct race *race, const struct figure *figure, int rounds,
                      struct outcome *outcome) {
  struct asked *asked =
      add(outcome, figure->id, figure->text, figure->unit, figure->decimals, figure->at_most);
  static double values[CONTESTANTS_MAX][FIGURE_ROUNDS_MAX];
  static double references[CONTESTANTS_MAX][FIGURE_ROUNDS_MAX];
  int count = race->contestants.count;
  for (int round = 0; round < rounds; round++)
    for (int i = 0; i < count; i++) {
      int index = (round + i) % count;
      progress_say(&race->progress, 2.0 * (rounds * count - round * count - i), "Figure %s: %s",
                   figure->id, race->contestants.list[index].name);
      if (run_figure(race, figure, index, &values[index][round], &references[index][round]) != 0)
        return -1;
    }
  for (int i = 0; i < count; i++)
    asked->value[i] = numbers_median(values[i], (size_t)rounds);

  double divisor = 1;
  if (figure->reference != NOTHING) {
    const char *name = figure->reference == TCMALLOC ? "tcmalloc" : "glibc";
    int other = find(race, name);
    divisor = other >= 0 ? numbers_median(references[other], (size_t)rounds) : NAN;
    asked->reference = divisor;
    asked->reference_name =
        figure->reference == TCMALLOC ? "tcmalloc" : "glibc's malloc, memcpy and free";
  }
  for (int ours = race->contestants.first_ours; ours < count; ours++)
    asked->answer[ours].measured = asked->value[ours] / divisor;
  return 0;
}

static int ask_start(struct race *race, int rounds, struct outcome *outcome) {
  struct asked *asked =
      add(outcome, "start", "/bin/true with ours preloaded, by the same with an empty library",
          "\xc2\xb5s", 0, 1.1);
  char empty[PATH_MAX];
  if (beside("libarenite-empty.so", ARENITE_EMPTY_INSTALLED, empty, sizeof empty) != 0)
    return 0; /* not measured */
  int count = race->contestants.count, runs = START_RUNS_PER_ROUND * rounds;
  const char *libraries[CONTESTANTS_MAX + 1];
  double *us[CONTESTANTS_MAX + 1], *memory = calloc((size_t)((count + 1) * runs), sizeof **us);
  if (memory == NULL)
    return 0;
  for (int i = 0; i <= count; i++) {
    libraries[i] = i < count ? race->contestants.list[i].preload : empty;
    us[i] = memory + i * runs;
  }
  progress_say(&race->progress, 0.0015 * runs * (count + 1), "Figure start: %d runs", runs);
  int status = start_measure(libraries, count + 1, runs, us);
  if (status == 0) {
    for (int i = 0; i < count; i++)
      asked->value[i] = numbers_median(us[i], (size_t)runs);
    asked->reference = numbers_median(us[count], (size_t)runs);
    asked->reference_name = "an empty library";
    for (int ours = race->contestants.first_ours; ours < count; ours++) {
      struct duel duel = duel_of(us[ours], us[count], runs, NULL);
      asked->answer[ours] =
          (struct answer){.measured = duel.ratio, .low = duel.low, .high = duel.high};
    }
  }
  free(memory);
  return child_interrupted() != 0 ? -1 : 0;
}

int asked_of_figures(struct race *race, int rounds, struct outcome *outcome) {
  for (int i = 0; i < FIGURES; i++)
    if (ask_figure(race, &figures[i], rounds, outcome) != 0)
      return -1;
  return ask_start(race, rounds, outcome);
}
