/* measure.c - see measure.h.
 *
 * Processor speed on a shared machine wanders by more than the differences that are looked for, so
 * nothing is measured to its end before the next begins: a round visits every program, within it
 * every number of threads, and there each mode in turn, so that what is compared was measured
 * within a second or two. Rounds start with another mode each, so that none always comes first.
 *
 * Each replay is a process of its own: its peak RSS is the replay's, and no mode inherits memory
 * that another has broken in. */
#include "measure.h"

#include "child.h"
#include "clock.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Guesses for the progress line, until there are measurements. */
static const double guess_record_s = 6, guess_load_s = 0.3;
static const double replay_timeout_s = 120;

static int trace_path(const struct measure *measure, int program, char *path) {
  int n = snprintf(path, PATH_MAX, "%s/%s.trace", measure->traces,
                   measure->results->program[program]->name);
  if (n > 0 && n < PATH_MAX)
    return 0;
  fprintf(stderr, "arenite compare: the name of the directory %s is too long.\n", measure->traces);
  return -1;
}

int measure_record(struct measure *measure) {
  struct results *results = measure->results;
  double start = clock_seconds();
  for (int i = 0; i < results->program_count; i++) {
    const struct program *program = results->program[i];
    char trace[PATH_MAX], work[PATH_MAX];
    if (trace_path(measure, i, trace) != 0)
      return -1;
    if (measure->reuse) {
      if (access(trace, R_OK) != 0) {
        fprintf(stderr, "arenite compare: %s: %s.\n", trace, strerror(errno));
        return -1;
      }
    } else {
      double replays = measure->budget_s > 0 ? measure->budget_s : 60;
      progress_say(&measure->progress, guess_record_s * (results->program_count - i) + replays,
                   "Recording %s (%d of %d)", program->name, i + 1, results->program_count);
      int n = snprintf(work, sizeof work, "%s/%s", measure->work, program->name);
      if (n < 0 || (size_t)n >= sizeof work || mkdir(work, 0700) != 0) {
        fprintf(stderr, "arenite compare: cannot make a directory in %s: %s.\n", measure->work,
                strerror(errno));
        return -1;
      }
      if (program_record(program, work, trace, results->quick, progress_tick, &measure->progress) !=
          0)
        return -1;
    }
    struct stat status;
    results->trace_bytes[i] = stat(trace, &status) == 0 ? (double)status.st_size : NAN;
  }
  results->record_seconds = measure->reuse ? NAN : clock_seconds() - start;
  return 0;
}

static double number(const json_t *object, const char *name) {
  const json_t *value = json_object_get(object, name);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Runs one replay and reads its line. */
static int replay(struct measure *measure, const struct cell *cell, struct sample *sample) {
  char trace[PATH_MAX], mode[32], threads[32], safepoint[32], min_time[32];
  char cache[PATH_MAX + 16];
  if (trace_path(measure, cell->program, trace) != 0)
    return -1;
  snprintf(mode, sizeof mode, "--mode=%s", mode_names[cell->mode]);
  if (cell->threads == THREADS_OWN)
    snprintf(threads, sizeof threads, "--threads=own");
  else
    snprintf(threads, sizeof threads, "--threads=%d", cell->threads);
  snprintf(safepoint, sizeof safepoint, "--safepoint=%d", cell->safepoint);
  snprintf(min_time, sizeof min_time, "--min-time=%.3f", measure->results->min_time);
  /* What a replay makes ready of a recording is made once. */
  snprintf(cache, sizeof cache, "--cache=%s", measure->work);
  const struct child child = {
      .argv = (const char *const[]){child_self(), "replay", trace, mode, threads, safepoint,
                                    min_time, cache, "--json", NULL},
      .timeout_s = replay_timeout_s,
      .tick = progress_tick,
      .tick_context = &measure->progress,
  };
  char *out, *err;
  int status = child_run(&child, &out, &err);
  json_error_t error;
  json_t *line = status == 0 && out != NULL ? json_loads(out, 0, &error) : NULL;
  *sample = (struct sample){
      .mops = number(line, "mops"),
      .peak_rss_kib = number(line, "peak_rss_kib"),
      .gil_wait_share = number(line, "gil_wait_share"),
      .gil_switches = number(line, "gil_switches"),
      .seconds = number(line, "seconds"),
      .ops = number(line, "ops"),
      .passes = number(line, "passes"),
      .threads = number(line, "replay_threads"),
  };
  json_decref(line);
  bool good = sample->mops > 0;
  if (!good && status != CHILD_INTERRUPTED) {
    progress_end(&measure->progress);
    fprintf(stderr, "arenite compare: the replay of %s (%s %s %s) ", trace, mode, threads,
            safepoint);
    if (status == CHILD_TIMEOUT)
      fprintf(stderr, "took longer than %.0f s.\n", replay_timeout_s);
    else if (status == 0)
      fprintf(stderr, "printed no result: %s\n", out != NULL ? out : "");
    else
      fprintf(stderr, "failed (status %d):\n%s", status, err != NULL ? err : "");
  }
  free(out);
  free(err);
  return good ? 0 : -1;
}

/* The cells that are compared with one another stand in a row; where such a row ends. */
static size_t row_end(const struct results *results, size_t at) {
  const struct cell *first = &results->cells[at];
  size_t end = at + 1;
  while (end < results->cell_count && results->cells[end].program == first->program &&
         results->cells[end].threads == first->threads &&
         results->cells[end].safepoint == first->safepoint)
    end++;
  return end;
}

static void say(struct measure *measure, const struct cell *cell, int rounds, double left) {
  const struct results *results = measure->results;
  char threads[32];
  if (cell->threads == THREADS_OWN)
    snprintf(threads, sizeof threads, "its own threads");
  else
    snprintf(threads, sizeof threads, "%d thread%s", cell->threads, cell->threads == 1 ? "" : "s");
  progress_say(&measure->progress, left, "Round %d of %s%d: %s, %s, %s", results->rounds + 1,
               measure->rounds == 0 ? "at least " : "", rounds,
               results->program[cell->program]->name, mode_names[cell->mode], threads);
}

int measure_replay(struct measure *measure) {
  struct results *results = measure->results;
  const int least = measure->rounds > 0 ? measure->rounds : 3;
  double start = clock_seconds();
  size_t done = 0;
  results->rounds = 0;
  for (;;) {
    int rounds = results->rounds < least ? least : results->rounds + 1;
    for (size_t at = 0, end; at < results->cell_count; at = end) {
      end = row_end(results, at);
      for (size_t i = 0; i < end - at; i++) {
        struct cell *cell = &results->cells[at + (i + (size_t)results->rounds) % (end - at)];
        double each =
            done > 0 ? (clock_seconds() - start) / (double)done : results->min_time + guess_load_s;
        double left = each * (double)((size_t)rounds * results->cell_count - done);
        if (measure->rounds == 0 && measure->budget_s - (clock_seconds() - start) > left)
          left = measure->budget_s - (clock_seconds() - start);
        say(measure, cell, rounds, left);
        if (replay(measure, cell, &cell->rounds[results->rounds]) != 0)
          return -1;
        done++;
      }
    }
    results->rounds++;
    if (results->rounds < least)
      continue;
    double spent = clock_seconds() - start;
    bool another_fits = spent + spent / results->rounds < measure->budget_s;
    if (measure->rounds > 0 || results->rounds == ROUNDS_MAX || !another_fits)
      break;
  }
  results->replay_seconds = clock_seconds() - start;
  results_medians(results);
  return 0;
}
