/* report_text.c - the comparison as a table on standard output. See report.h. */
#include "report.h"

#include <math.h>
#include <string.h>

void report_threads(const struct cell *cell, char *text, size_t size) {
  if (cell->threads != THREADS_OWN)
    snprintf(text, size, "%d", cell->threads);
  else if (isnan(cell->median.threads))
    snprintf(text, size, "own");
  else
    snprintf(text, size, "own (%.0f)", cell->median.threads);
}

void report_number(double value, int decimals, char *text, size_t size) {
  if (isfinite(value))
    snprintf(text, size, "%.*f", decimals, value);
  else
    snprintf(text, size, "-");
}

static void put(FILE *out, double value, int decimals, int width) {
  char text[40];
  report_number(value, decimals, text, sizeof text);
  fprintf(out, " %*s", width, text);
}

static void put_row(const struct report *report, FILE *out, const struct cell *cell,
                    const char *last_program) {
  const char *name = report->results->program[cell->program]->name;
  char threads[24], mode[32];
  report_threads(cell, threads, sizeof threads);
  if (cell->safepoint == SAFEPOINT)
    snprintf(mode, sizeof mode, "%s", mode_names[cell->mode]);
  else
    snprintf(mode, sizeof mode, "%s/%d", mode_names[cell->mode], cell->safepoint);
  fprintf(out, "%-8s %-13s %8s", strcmp(name, last_program) == 0 ? "" : name, mode, threads);
  put(out, cell->median.mops, 1, 9);
  put(out, results_against_system(report->results, ROUND_MEDIAN, cell), 2, 8);
  bool null = cell->mode == MODE_NULL;
  put(out, null ? NAN : results_net_of_null(report->results, ROUND_MEDIAN, cell), 2, 8);
  put(out, cell->median.peak_rss_kib / 1024, 1, 9);
  bool gil = cell->mode == MODE_GIL;
  put(out, gil ? 100 * cell->median.gil_wait_share : NAN, 0, 8);
  put(out, gil ? cell->median.gil_switches : NAN, 0, 9);
  fputc('\n', out);
}

static void put_figure(const struct report *report, FILE *out, const struct figure *figure) {
  static const char *const words[] = {[FIGURE_REPORTED] = "",
                                      [FIGURE_MET] = "met",
                                      [FIGURE_SHORT] = "short of",
                                      [FIGURE_UNKNOWN] = "not measured"};
  char asked[40], measured[40], low[40], high[40];
  figure_asked(figure, asked, sizeof asked);
  report_number(figure->measured, 3, measured, sizeof measured);
  report_number(figure->low, 2, low, sizeof low);
  report_number(figure->high, 2, high, sizeof high);
  fprintf(out, "  %-58s %-13s %6s  %-9s (rounds %s to %s;", figure->text, asked, measured,
          words[figure_verdict(figure)], low, high);
  for (int i = 0; i < report->results->program_count; i++) {
    char ratio[40];
    report_number(figure->program[i], 2, ratio, sizeof ratio);
    fprintf(out, " %s %s", report->results->program[i]->name, ratio);
  }
  fprintf(out, ")\n");
}

void report_text(const struct report *report, FILE *out) {
  const struct results *results = report->results;
  fprintf(out, "%-8s %-13s %8s %9s %8s %8s %9s %8s %9s\n", "", "", "", "million", "against",
          "net of", "peak RSS", "GIL wait", "GIL");
  fprintf(out, "%-8s %-13s %8s %9s %8s %8s %9s %8s %9s\n", "program", "mode", "threads", "ops/s",
          "system", "null", "MiB", "%", "switches");
  const char *last = "";
  for (size_t i = 0; i < results->cell_count; i++) {
    put_row(report, out, &results->cells[i], last);
    last = results->program[results->cells[i].program]->name;
  }
  fprintf(
      out,
      "gil/10 and gil/1000: a safepoint every so many operations; every 100 otherwise. Medians "
      "of %d round%s.\n\nFigures (asked, measured; memory is what a replay adds beyond null):\n",
      results->rounds, results->rounds == 1 ? "" : "s");
  for (int i = 0; i < report->figure_count; i++)
    put_figure(report, out, &report->figures[i]);
  fprintf(out, "\n%s\n%s%s", report->sentence, report->note, report->note[0] != '\0' ? "\n" : "");
}
