/* race.c - see race.h.
 *
 * A row goes on until it is known well enough how ours compare with their rivals, or its share of
 * the time is spent. A round in which the machine was taken away from us is thrown away and
 * repeated, as long as that does not happen all the time. */
#include "race.h"

#include "compare/child.h"
#include "compare/clock.h"
#include "compare/numbers.h"
#include "duel.h"
#include "launch.h"
#include "noise.h"
#include "real.h"
#include "rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An interval of this half width is narrow enough. */
static const double doubt_most = 0.02;
static const double lap_timeout_s = 120;
static const double guess_row_s = 45;
/* Of the input, for the first look at who serves malloc. */
static const double look_scale = 0.05;

/* --- One lap ---------------------------------------------------------------------------------- */

static double number(const json_t *line, const char *name) {
  const json_t *value = json_object_get(line, name);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

int race_program(struct race *race, const char *name, int threads, double scale,
                 const char *preload, struct lap *lap, char **err) {
  char path[PATH_MAX], threads_option[32], scale_option[40];
  *lap = (struct lap){{NAN, NAN}, NULL};
  *err = NULL;
  if (rows_program(name, path, sizeof path) != 0)
    return CHILD_NO_START;
  snprintf(threads_option, sizeof threads_option, "--threads=%d", threads);
  snprintf(scale_option, sizeof scale_option, "--scale=%.6f", scale);
  const struct launch launch = {
      .argv = (const char *const[]){path, threads_option, scale_option, NULL},
      .preload = preload,
      .timeout_s = lap_timeout_s,
      .tick = progress_tick,
      .tick_context = &race->progress,
  };
  struct launched launched;
  launch_run(&launch, &launched);
  json_error_t error;
  lap->line = launched.status == 0 ? json_loads(launched.out, 0, &error) : NULL;
  lap->value[SECONDS] = number(lap->line, "seconds");
  lap->value[PEAK_RSS_KIB] = number(lap->line, "peak_rss_kib");
  *err = launched.err;
  int status = launched.status;
  if (status == 0 && !(lap->value[SECONDS] > 0 && lap->value[PEAK_RSS_KIB] > 0)) {
    free(*err);
    *err = strdup("it did not print the line that it should\n");
    status = CHILD_NO_START;
  }
  free(launched.out);
  return status == CHILD_INTERRUPTED ? -1 : status;
}

const char *lap_served_by(const struct lap *lap) {
  const char *library = json_string_value(json_object_get(lap->line, "malloc_from"));
  return library != NULL ? file_name(library) : "";
}

/* --- A lane --------------------------------------------------------------------------------------- */

/* The program failed with this allocator: the lane goes on no more. */
static void leave_failed(struct race *race, struct row *row, int contestant, int status,
                         const char *err) {
  struct lane *lane = &row->lane[contestant];
  if (status == CHILD_TIMEOUT)
    snprintf(lane->left_out, sizeof lane->left_out, "took longer than %.0f s", lap_timeout_s);
  else
    snprintf(lane->left_out, sizeof lane->left_out, "failed, status %d", status);
  progress_end(&race->progress);
  fprintf(stderr, "arenite bench allocators: %s with %s %s:\n%s", row->name,
          race->contestants.list[contestant].name, lane->left_out, err != NULL ? err : "");
}

static void leave_served_otherwise(struct lane *lane) {
  snprintf(lane->left_out, sizeof lane->left_out, "its malloc came from %s",
           lane->served_by[0] != '\0' ? lane->served_by : "an unknown library");
}

/* The first look, untimed: which library serves malloc here? It also brings the program and the
 * library from the disk. -1: interrupted. */
static int look(struct race *race, struct row *row, int index) {
  const struct contestant *contestant = &race->contestants.list[index];
  const char *wanted = contestant_library(contestant);
  struct lane *lane = &row->lane[index];
  lane->preload = contestant->preload;
  char *err = NULL;
  int status;
  if (row->kind->real == NULL) {
    struct lap lap;
    status = race_program(race, row->kind->name, row->threads, race->scale * look_scale,
                          lane->preload, &lap, &err);
    snprintf(lane->served_by, sizeof lane->served_by, "%s", lap_served_by(&lap));
    json_decref(lap.line);
  } else {
    status = real_served_by(race, row->kind, lane->preload, lane->served_by, sizeof lane->served_by,
                            &err);
    /* A program that is linked with another malloc gets the C library's back by preloading that. */
    if (status == 0 && lane->preload[0] == '\0' && strcmp(lane->served_by, wanted) != 0) {
      free(err);
      lane->preload = wanted;
      status = real_served_by(race, row->kind, lane->preload, lane->served_by,
                              sizeof lane->served_by, &err);
    }
  }
  bool interrupted = child_interrupted() != 0;
  if (!interrupted && status != 0)
    leave_failed(race, row, index, status, err);
  else if (!interrupted && strcmp(lane->served_by, wanted) != 0)
    leave_served_otherwise(lane);
  free(err);
  return interrupted ? -1 : 0;
}

static int take_lap(struct race *race, struct row *row, int index) {
  struct lane *lane = &row->lane[index];
  struct lap *lap = &lane->rounds[row->rounds];
  char *err = NULL;
  json_decref(lap->line); /* of a round that is repeated */
  int status = row->kind->real == NULL ? race_program(race, row->kind->name, row->threads,
                                                      race->scale, lane->preload, lap, &err)
                                       : real_run(race, row->kind, lane->preload, lap, &err);
  bool interrupted = child_interrupted() != 0;
  if (!interrupted && status != 0)
    leave_failed(race, row, index, status, err);
  free(err);
  return interrupted ? -1 : 0;
}

/* --- A row ---------------------------------------------------------------------------------------- */

static int take_round(struct race *race, struct row *row, int at, double left_s) {
  int count = race->contestants.count;
  for (int i = 0; i < count; i++) {
    int index = (i + row->rounds) % count;
    if (row->lane[index].left_out[0] != '\0')
      continue;
    progress_say(&race->progress, left_s, "Row %d of %d: %s, round %d, %s", at + 1, race->row_count,
                 row->name, row->rounds + 1, race->contestants.list[index].name);
    if (take_lap(race, row, index) != 0)
      return -1;
  }
  return 0;
}

static void fight(const struct race *race, struct row *row) {
  for (int quantity = 0; quantity < QUANTITIES; quantity++)
    for (int i = race->contestants.first_ours; i < race->contestants.count; i++)
      row->duel[quantity][i] = duel_fight(&race->contestants, row, quantity, i, NULL);
}

/* Are the times of all of ours known well enough? One that cannot be known keeps nobody waiting. */
static bool settled(const struct race *race, const struct row *row) {
  for (int i = race->contestants.first_ours; i < race->contestants.count; i++)
    if (isfinite(row->duel[SECONDS][i].ratio) &&
        !(duel_doubt(&row->duel[SECONDS][i]) <= doubt_most))
      return false;
  return true;
}

static bool anybody(const struct race *race, const struct row *row) {
  for (int i = 0; i < race->contestants.count; i++)
    if (row->lane[i].left_out[0] == '\0')
      return true;
  return false;
}

static void finish_row(const struct race *race, struct row *row) {
  for (int i = 0; i < race->contestants.count; i++)
    for (int quantity = 0; quantity < QUANTITIES; quantity++) {
      double values[ROUNDS_LIMIT] = {0};
      const struct lane *lane = &row->lane[i];
      for (int round = 0; round < row->rounds; round++)
        values[round] = lane->rounds[round].value[quantity];
      row->lane[i].median[quantity] =
          lane->left_out[0] == '\0' ? numbers_median(values, (size_t)row->rounds) : NAN;
    }
  fight(race, row);
}

static int run_row(struct race *race, int at, double share_s, double left_s) {
  struct row *row = &race->rows[at];
  double start = clock_seconds(), others = 0;
  progress_say(&race->progress, left_s, "Row %d of %d: %s, who serves malloc", at + 1,
               race->row_count, row->name);
  if (row->kind->real != NULL && real_prepare(race, row->kind) != 0)
    return -1;
  for (int i = 0; i < race->contestants.count; i++)
    if (look(race, row, i) != 0)
      return -1;
  while (anybody(race, row)) {
    struct noise before = noise_now();
    if (take_round(race, row, at, left_s) != 0)
      return -1;
    struct noise after = noise_now();
    if (noise_bad(&before, &after)) {
      if (row->repeated < REPEATS_MAX) {
        row->repeated++;
        continue;
      }
      row->kept++;
    }
    others += noise_others(&before, &after);
    row->rounds++;
    if (row->rounds < race->rounds_least)
      continue;
    fight(race, row);
    if (row->rounds >= race->rounds_most || settled(race, row) || clock_seconds() - start > share_s)
      break;
  }
  finish_row(race, row);
  row->others = row->rounds > 0 ? others / row->rounds : NAN;
  row->seconds = clock_seconds() - start;
  return 0;
}

int race_run(struct race *race) {
  double start = clock_seconds();
  for (int i = 0; i < race->row_count; i++) {
    /* What the rows so far have not used is the others'. */
    double spent = clock_seconds() - start;
    int rows_left = race->row_count - i;
    double share = (race->budget_s - spent) / rows_left;
    double each = i > 0 ? spent / i : fmin(guess_row_s, share);
    if (run_row(race, i, share, each * rows_left) != 0)
      return -1;
  }
  race->seconds = clock_seconds() - start;
  return 0;
}

void race_free(struct race *race) {
  for (int i = 0; race->rows != NULL && i < race->row_count; i++)
    for (int k = 0; k < race->contestants.count; k++)
      for (int round = 0; round < ROUNDS_LIMIT; round++)
        json_decref(race->rows[i].lane[k].rounds[round].line);
  free(race->rows);
}
