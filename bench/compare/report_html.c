/* report_html.c - compare.html: one page that needs nothing else, for a screen in either colour
 * scheme and for paper. See report.h.
 *
 * The order is the reader's: what the lock cost, whether the figures were reached, each program in
 * pictures and numbers, then where it was measured and how to do it again. */
#include "chart.h"
#include "report.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char style[] =
    ":root{color-scheme:light dark;--page:#fff;--text:#1c2024;--soft:#5b636b;--line:#d8dce0;"
    "--band:#f4f6f8;--null:#9aa2ab;--system:#2a8c6b;--gil:#c8591b;--free-threaded:#2467b5;"
    "--met:#1f7a4d;--short:#b03a20}\n"
    "@media (prefers-color-scheme:dark){:root{--page:#14171a;--text:#e6e9ec;--soft:#a0a8b0;"
    "--line:#363c42;--band:#1d2226;--null:#858e98;--system:#4fb892;--gil:#e8834a;"
    "--free-threaded:#6aa5ea;--met:#5fc795;--short:#f08a70}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--text);"
    "font:16px/1.5 system-ui,sans-serif}\n"
    "main{max-width:66rem;margin:0 auto;padding:2rem 1.25rem 4rem}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:0 0 1rem}h2{font-size:1.25rem;margin:2.5rem 0 "
    ".5rem}\n"
    "p{max-width:46rem}.lead{font-size:1.1rem}.soft{color:var(--soft)}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.88rem;"
    "font-variant-numeric:tabular-nums;margin:.75rem 0}\n"
    "th,td{padding:.28rem .7rem;text-align:right;border-bottom:1px solid var(--line);"
    "white-space:nowrap}\n"
    "th{font-weight:600;vertical-align:bottom}.words th,.words td,th:first-child,td:first-child,"
    "th.left,td.left{text-align:left}.words td{white-space:normal}\n"
    "tbody tr:nth-child(even){background:var(--band)}caption{text-align:left;color:var(--soft);"
    "padding:.2rem 0}\n"
    ".figures td:first-child{white-space:normal;min-width:11rem}"
    ".met{color:var(--met)}.short{color:var(--short);font-weight:600}\n"
    "figure{margin:.5rem 0;display:flex;flex-wrap:wrap;gap:1rem 2rem}figure "
    "svg{flex:1 1 22rem;min-width:0;max-width:29rem;height:auto;align-self:flex-start}\n"
    "svg text{font:12px system-ui,sans-serif;fill:var(--text)}svg .title{font-size:14px;"
    "font-weight:600}svg .group{font-weight:600;fill:var(--soft)}svg .label{fill:var(--text)}\n"
    "svg .axis{stroke:var(--line)}.bar-null{fill:var(--null)}.bar-system{fill:var(--system)}"
    ".bar-gil{fill:var(--gil)}.bar-free-threaded{fill:var(--free-threaded)}\n"
    "code,pre{font:.88em ui-monospace,monospace}pre{background:var(--band);padding:.7rem .9rem;"
    "overflow-x:auto;border:1px solid var(--line);white-space:pre-wrap}\n"
    "@media print{:root{color-scheme:light;--page:#fff;--text:#000;--soft:#444;--line:#bbb;"
    "--band:#fff;--null:#9aa2ab;--system:#2a8c6b;--gil:#c8591b;--free-threaded:#2467b5;"
    "--met:#1f7a4d;--short:#b03a20}rect{print-color-adjust:exact;-webkit-print-color-adjust:exact}"
    "figure,tr{break-inside:avoid}h2,h3,figure{break-after:avoid}body{font-size:10pt}"
    "main{max-width:none;padding:0}.wide{overflow:visible}h2{margin-top:1.5rem}"
    "table{font-size:8pt}th,td{padding:.1rem .35rem}figure{flex-wrap:nowrap}"
    "figure svg{flex:1 1 45%;max-width:48%}}\n";

static void cell_number(double value, int decimals, const char *suffix, FILE *out) {
  char text[40];
  report_number(value, decimals, text, sizeof text);
  if (isfinite(value))
    fprintf(out, "<td>%s%s</td>", text, suffix);
  else
    fputs("<td>&ndash;</td>", out);
}

static void write_figures(const struct report *report, FILE *out) {
  const struct results *results = report->results;
  fputs("<h2>Figures</h2>\n<p>Ratios over the programs, all from this one interleaved run: the "
        "geometric mean, or the worst program where it says so. The spread is the same figure "
        "calculated from each round alone. Added peak RSS is what a replay needs "
        "beyond the null replay.</p>\n<div class=\"wide\"><table class=\"figures\">\n<thead><tr>"
        "<th>Figure</th><th>asked</th><th>measured</th><th class=\"left\"></th><th>rounds</th>",
        out);
  for (int i = 0; i < results->program_count; i++)
    fprintf(out, "<th>%s</th>", results->program[i]->name);
  fputs("</tr></thead>\n<tbody>\n", out);
  for (int i = 0; i < report->figure_count; i++) {
    static const char *const words[] = {[FIGURE_REPORTED] = "<td class=\"left\"></td>",
                                        [FIGURE_MET] = "<td class=\"left met\">met</td>",
                                        [FIGURE_SHORT] = "<td class=\"left short\">short of</td>",
                                        [FIGURE_UNKNOWN] =
                                            "<td class=\"left soft\">not measured</td>"};
    const struct figure *figure = &report->figures[i];
    char asked[40], low[40], high[40];
    figure_asked(figure, asked, sizeof asked);
    report_number(figure->low, 2, low, sizeof low);
    report_number(figure->high, 2, high, sizeof high);
    fputs("<tr><td>", out);
    chart_text(figure->text, out);
    fprintf(out, "</td><td>%s</td>", asked);
    cell_number(figure->measured, 3, "", out);
    fprintf(out, "%s<td class=\"soft\">%s&ndash;%s</td>", words[figure_verdict(figure)], low, high);
    for (int program = 0; program < results->program_count; program++)
      cell_number(figure->program[program], 2, "", out);
    fputs("</tr>\n", out);
  }
  fputs("</tbody></table></div>\n", out);
}

/* The name of each number of threads, made once so that a group's bars share its pointer. */
struct group_names {
  char own[48], counted[THREAD_COUNTS_MAX][48];
};

static const char *group_name(const struct results *results, struct group_names *names,
                              const struct cell *cell) {
  if (cell->threads == THREADS_OWN) {
    if (isnan(cell->median.threads))
      snprintf(names->own, sizeof names->own, "threads as recorded");
    else
      snprintf(names->own, sizeof names->own, "%.0f threads, as recorded", cell->median.threads);
    return names->own;
  }
  int i = 0;
  while (results->threads[i] != cell->threads)
    i++;
  snprintf(names->counted[i], sizeof names->counted[i], "%d thread%s", cell->threads,
           cell->threads == 1 ? "" : "s");
  return names->counted[i];
}

/* Says in words what the bars show: each group's values in their order. */
static void describe(struct chart *chart, const char *unit) {
  size_t used = 0;
  const char *group = NULL;
  for (int i = 0; i < chart->count && used < sizeof chart->alternative; i++) {
    const struct chart_bar *bar = &chart->bars[i];
    char value[40];
    report_number(bar->value, bar->decimals, value, sizeof value);
    bool first = bar->group != group;
    group = bar->group;
    int n = snprintf(chart->alternative + used, sizeof chart->alternative - used, "%s%s%s%s %s",
                     first ? (i > 0 ? ". " : "") : ", ", first ? group : "", first ? ": " : "",
                     bar->label, value);
    used += n > 0 ? (size_t)n : 0;
  }
  if (used < sizeof chart->alternative)
    snprintf(chart->alternative + used, sizeof chart->alternative - used, " (%s).", unit);
}

static void write_chart(const struct report *report, int program, bool memory, FILE *out) {
  const struct results *results = report->results;
  struct chart *chart = calloc(1, sizeof *chart);
  if (chart == NULL)
    return; /* the table has the numbers */
  struct group_names names;
  snprintf(chart->id, sizeof chart->id, "%s-%s", results->program[program]->name,
           memory ? "memory" : "speed");
  snprintf(chart->title, sizeof chart->title, "%s",
           memory ? "Peak RSS, MiB (less is better)"
                  : "Million operations per second (more is better)");
  for (size_t i = 0; i < results->cell_count && chart->count < CHART_BARS_MAX; i++) {
    const struct cell *cell = &results->cells[i];
    bool other = cell->safepoint != SAFEPOINT;
    if (cell->program != program || (memory && other))
      continue;
    struct chart_bar *bar = &chart->bars[chart->count++];
    bar->group = group_name(results, &names, cell);
    bar->kind = mode_names[cell->mode];
    bar->value = memory ? cell->median.peak_rss_kib / 1024 : cell->median.mops;
    bar->decimals = 1;
    if (other)
      snprintf(bar->label, sizeof bar->label, "%s, every %d", mode_names[cell->mode],
               cell->safepoint);
    else
      snprintf(bar->label, sizeof bar->label, "%s", mode_names[cell->mode]);
  }
  describe(chart, memory ? "MiB" : "million operations per second");
  chart_write(chart, out);
  free(chart);
}

static void write_rows(const struct report *report, int program, FILE *out) {
  const struct results *results = report->results;
  fprintf(out,
          "<div class=\"wide\"><table>\n<caption>The numbers of both charts for %s; medians of %d "
          "round%s.</caption>\n<thead><tr><th>threads</th><th class=\"left\">mode</th>"
          "<th>million<br>ops/s</th><th>against<br>system</th><th>net of<br>null</th>"
          "<th>peak RSS,<br>MiB</th><th>waiting for<br>the GIL</th><th>GIL<br>switches</th>"
          "<th>safepoint<br>every</th></tr></thead>\n<tbody>\n",
          results->program[program]->name, results->rounds, results->rounds == 1 ? "" : "s");
  for (size_t i = 0; i < results->cell_count; i++) {
    const struct cell *cell = &results->cells[i];
    if (cell->program != program)
      continue;
    char threads[24];
    report_threads(cell, threads, sizeof threads);
    bool gil = cell->mode == MODE_GIL;
    fprintf(out, "<tr><td>%s</td><td class=\"left\">%s</td>", threads, mode_names[cell->mode]);
    cell_number(cell->median.mops, 1, "", out);
    cell_number(results_against_system(results, ROUND_MEDIAN, cell), 2, "", out);
    cell_number(cell->mode == MODE_NULL ? NAN : results_net_of_null(results, ROUND_MEDIAN, cell), 2,
                "", out);
    cell_number(cell->median.peak_rss_kib / 1024, 1, "", out);
    cell_number(gil ? 100 * cell->median.gil_wait_share : NAN, 0, "&#8239;%", out);
    cell_number(gil ? cell->median.gil_switches : NAN, 0, "", out);
    cell_number(gil ? cell->safepoint : NAN, 0, "", out);
    fputs("</tr>\n", out);
  }
  fputs("</tbody></table></div>\n", out);
}

static void write_programs(const struct report *report, FILE *out) {
  const struct results *results = report->results;
  for (int program = 0; program < results->program_count; program++) {
    const struct sample *null =
        cell_sample(results_cell(results, program, MODE_NULL, 1, SAFEPOINT), ROUND_MEDIAN);
    fprintf(out, "<section>\n<h2>%s</h2>\n<p>", results->program[program]->name);
    chart_text(results->program[program]->what, out);
    fprintf(out, ". %.1f million operations recorded.</p>\n<figure>\n",
            null->ops / null->passes / 1e6);
    write_chart(report, program, false, out);
    write_chart(report, program, true, out);
    fputs("</figure>\n", out);
    write_rows(report, program, out);
    fputs("</section>\n", out);
  }
}

static void write_environment(const struct report *report, FILE *out) {
  const struct results *results = report->results;
  fputs("<h2>Where it was measured</h2>\n<div class=\"wide\"><table class=\"words\"><tbody>\n",
        out);
  const char *name;
  json_t *value;
  json_object_foreach(results->machine, name, value) {
    fputs("<tr><td>", out);
    for (const char *c = name; *c != '\0'; c++)
      fputc(*c == '_' ? ' ' : *c, out);
    fputs("</td><td>", out);
    if (json_is_string(value))
      chart_text(json_string_value(value), out);
    else
      fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    fputs("</td></tr>\n", out);
  }
  fprintf(out, "</tbody></table></div>\n<h2>How to repeat it</h2>\n<pre>");
  chart_text(report->command, out);
  fprintf(
      out,
      "</pre>\n<p>%d round%s; each replay ran for at least %.2f seconds in a process of its own. "
      "In a round every program is replayed with every number of threads, all modes in turn, so "
      "that what is compared was measured within moments. <code>bench/run</code> in the source "
      "tree builds the command first.</p>\n",
      results->rounds, results->rounds == 1 ? "" : "s", results->min_time);
  fputs("<h2>How to read it</h2>\n<p><b>null</b> decodes the recording and touches memory, with no "
        "allocator behind it: what the replay itself costs. <b>system</b> is the C library's "
        "malloc. <b>gil</b> and <b>free-threaded</b> are the same heap: in one, the thread that "
        "holds the lock owns it; in the other, every thread owns its own. Threads in the charts "
        "replay the merged recording, all of it each; &ldquo;as recorded&rdquo; keeps the "
        "recording's own threads and their order. Peak RSS is the whole replaying process. "
        "&ldquo;Net of null&rdquo; takes the null replay's time off both sides; it is left out "
        "where the difference drowns in noise.</p>\n",
        out);
}

static void write_page(const struct report *report, FILE *out) {
  fprintf(out,
          "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
          "<title>Arenite: GIL and free threading compared</title>\n<style>\n%s</style>\n</head>\n"
          "<body>\n<main>\n<h1>What the GIL costs</h1>\n<p class=\"lead\">",
          style);
  chart_text(report->sentence, out);
  if (report->note[0] != '\0') {
    fputs("</p>\n<p class=\"short\">", out);
    chart_text(report->note, out);
  }
  fputs(
      "</p>\n<p class=\"soft\">Recorded allocations of real programs, replayed on one heap in two "
      "modes, beside the system&rsquo;s malloc and a replay without any allocator.</p>\n",
      out);
  write_figures(report, out);
  write_programs(report, out);
  write_environment(report, out);
  fputs("</main>\n</body>\n</html>\n", out);
}

int report_html(const struct report *report, const char *path) {
  char temporary[PATH_MAX];
  int n = snprintf(temporary, sizeof temporary, "%s.tmp", path);
  FILE *out = NULL;
  if (n < 0 || (size_t)n >= sizeof temporary)
    errno = ENAMETOOLONG;
  else
    out = fopen(temporary, "we");
  bool good = false;
  if (out != NULL) {
    write_page(report, out);
    good = ferror(out) == 0;
    good = fclose(out) == 0 && good && rename(temporary, path) == 0;
  }
  if (!good)
    fprintf(stderr, "arenite compare: cannot write %s: %s.\n", path, strerror(errno));
  return good ? 0 : -1;
}
