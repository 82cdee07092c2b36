/* report_json.c - compare.json. See report.h.
 *
 *   machine      where: cores, cpu, kernel, geometry, version, date, ...
 *   run          how: programs, rounds, seconds, the command that repeats it
 *   rows         one for each (program, mode, threads), the GIL with a safepoint every 100
 * operations safepoints   the same fields: the GIL with other distances between safepoints
 *   as_recorded  the same fields: recorded threads in their recorded order, threads "own"
 *   figures      what was asked and what was measured
 *   sentence     what the GIL cost
 *   note         what speaks against the run, when the machine was busy
 *
 * What was not measured is null. */
#include "report.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static json_t *number(double value) {
  if (!isfinite(value))
    return json_null();
  if (value == floor(value) && fabs(value) < 1e15)
    return json_integer((json_int_t)value);
  return json_real(value);
}

static json_t *row(const struct results *results, const struct cell *cell) {
  const struct sample *median = &cell->median;
  json_t *mops = json_array(), *rss = json_array();
  for (int round = 0; round < results->rounds; round++) {
    json_array_append_new(mops, number(cell->rounds[round].mops));
    json_array_append_new(rss, number(cell->rounds[round].peak_rss_kib));
  }
  json_t *row = json_object();
  json_object_set_new(row, "program", json_string(results->program[cell->program]->name));
  json_object_set_new(row, "mode", json_string(mode_names[cell->mode]));
  json_object_set_new(row, "threads",
                      cell->threads == THREADS_OWN ? json_string("own")
                                                   : json_integer(cell->threads));
  json_object_set_new(row, "mops", number(median->mops));
  json_object_set_new(row, "peak_rss_kib", number(median->peak_rss_kib));
  json_object_set_new(row, "gil_wait_share", number(median->gil_wait_share));
  json_object_set_new(row, "gil_switches", number(median->gil_switches));
  json_object_set_new(row, "safepoint", json_integer(cell->safepoint));
  json_object_set_new(row, "against_system",
                      number(results_against_system(results, ROUND_MEDIAN, cell)));
  json_object_set_new(
      row, "against_system_net_of_null",
      number(cell->mode == MODE_NULL ? NAN : results_net_of_null(results, ROUND_MEDIAN, cell)));
  json_object_set_new(row, "replay_threads", number(median->threads));
  json_object_set_new(row, "seconds", number(median->seconds));
  json_object_set_new(row, "ops", number(median->ops));
  json_object_set_new(row, "passes", number(median->passes));
  json_object_set_new(row, "mops_rounds", mops);
  json_object_set_new(row, "peak_rss_kib_rounds", rss);
  return row;
}

static json_t *rows(const struct results *results, bool own, bool other_safepoint) {
  json_t *list = json_array();
  for (size_t i = 0; i < results->cell_count; i++) {
    const struct cell *cell = &results->cells[i];
    if ((cell->threads == THREADS_OWN) == own && (cell->safepoint != SAFEPOINT) == other_safepoint)
      json_array_append_new(list, row(results, cell));
  }
  return list;
}

static json_t *figure(const struct results *results, const struct figure *figure) {
  static const char *const words[] = {[FIGURE_REPORTED] = "reported",
                                      [FIGURE_MET] = "met",
                                      [FIGURE_SHORT] = "short of",
                                      [FIGURE_UNKNOWN] = "not measured"};
  json_t *programs = json_object();
  for (int i = 0; i < results->program_count; i++)
    json_object_set_new(programs, results->program[i]->name, number(figure->program[i]));
  json_t *object = json_object();
  json_object_set_new(object, "id", json_string(figure->id));
  json_object_set_new(object, "text", json_string(figure->text));
  json_object_set_new(object, "asked_at_least", number(figure->asked_low));
  json_object_set_new(object, "asked_at_most", number(figure->asked_high));
  json_object_set_new(object, "measured", number(figure->measured));
  json_object_set_new(object, "verdict", json_string(words[figure_verdict(figure)]));
  json_object_set_new(object, "lowest_round", number(figure->low));
  json_object_set_new(object, "highest_round", number(figure->high));
  json_object_set_new(object, "programs", programs);
  return object;
}

static json_t *run(const struct report *report) {
  const struct results *results = report->results;
  json_t *programs = json_array();
  for (int i = 0; i < results->program_count; i++) {
    json_t *program = json_object();
    json_object_set_new(program, "name", json_string(results->program[i]->name));
    json_object_set_new(program, "what", json_string(results->program[i]->what));
    json_object_set_new(program, "trace_bytes", number(results->trace_bytes[i]));
    json_array_append_new(programs, program);
  }
  json_t *run = json_object();
  json_object_set_new(run, "programs", programs);
  json_object_set_new(run, "rounds", json_integer(results->rounds));
  json_object_set_new(run, "min_time", number(results->min_time));
  json_object_set_new(run, "quick", json_boolean(results->quick));
  json_object_set_new(run, "record_seconds", number(results->record_seconds));
  json_object_set_new(run, "replay_seconds", number(results->replay_seconds));
  json_object_set_new(run, "command", json_string(report->command));
  return run;
}

int report_json(const struct report *report, const char *path) {
  const struct results *results = report->results;
  json_t *figures = json_array();
  for (int i = 0; i < report->figure_count; i++)
    json_array_append_new(figures, figure(results, &report->figures[i]));
  json_t *root = json_object();
  json_object_set(root, "machine", results->machine);
  json_object_set_new(root, "run", run(report));
  json_object_set_new(root, "rows", rows(results, false, false));
  json_object_set_new(root, "safepoints", rows(results, false, true));
  json_object_set_new(root, "as_recorded", rows(results, true, false));
  json_object_set_new(root, "figures", figures);
  json_object_set_new(root, "sentence", json_string(report->sentence));
  json_object_set_new(root, "note",
                      report->note[0] != '\0' ? json_string(report->note) : json_null());

  char temporary[PATH_MAX];
  int n = snprintf(temporary, sizeof temporary, "%s.tmp", path);
  bool good = n > 0 && (size_t)n < sizeof temporary;
  if (!good)
    errno = ENAMETOOLONG;
  good = good && json_dump_file(root, temporary, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) == 0 &&
         rename(temporary, path) == 0;
  if (!good)
    fprintf(stderr, "arenite compare: cannot write %s: %s.\n", path, strerror(errno));
  json_decref(root);
  return good ? 0 : -1;
}
