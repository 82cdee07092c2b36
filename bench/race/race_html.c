/* race_html.c - allocators.html: one page that needs nothing else, for a screen in either colour
 * scheme and for paper. See race_report.h.
 *
 * The order is the reader's: whether what was asked is reached, ours against each of the others, all
 * rows, each in pictures and numbers, then where it was measured and how to do it again. */
#include "race_report.h"

#include "compare/chart.h"
#include "compare/report.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
    ":root{color-scheme:light dark;--page:#fff;--text:#1c2024;--soft:#5b636b;--line:#d8dce0;"
    "--band:#f4f6f8;--other:#9aa2ab;--rival:#c8591b;--ours:#2467b5;--met:#1f7a4d;--short:#b03a20}\n"
    "@media (prefers-color-scheme:dark){:root{--page:#14171a;--text:#e6e9ec;--soft:#a0a8b0;"
    "--line:#363c42;--band:#1d2226;--other:#858e98;--rival:#e8834a;--ours:#6aa5ea;"
    "--met:#5fc795;--short:#f08a70}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--text);"
    "font:16px/1.5 system-ui,sans-serif}\n"
    "main{max-width:66rem;margin:0 auto;padding:2rem 1.25rem 4rem}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:0 0 1rem}"
    "h2{font-size:1.25rem;margin:2.5rem 0 .5rem}\n"
    "p{max-width:46rem}.lead{font-size:1.1rem}.soft{color:var(--soft)}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.88rem;"
    "font-variant-numeric:tabular-nums;margin:.75rem 0}\n"
    "th,td{padding:.28rem .7rem;text-align:right;border-bottom:1px solid var(--line);"
    "white-space:nowrap}\n"
    "th{font-weight:600;vertical-align:bottom}.words td,th:first-child,td:first-child,"
    "th.left,td.left{text-align:left}.words td,td.text{white-space:normal;min-width:14rem}\n"
    "tbody tr:nth-child(even){background:var(--band)}caption{text-align:left;color:var(--soft);"
    "padding:.2rem 0}.met{color:var(--met)}.short{color:var(--short);font-weight:600}\n"
    "figure{margin:.5rem 0;display:flex;flex-wrap:wrap;gap:1rem 2rem}figure "
    "svg{flex:1 1 22rem;min-width:0;max-width:29rem;height:auto;align-self:flex-start}\n"
    "svg text{font:12px system-ui,sans-serif;fill:var(--text)}svg .title{font-size:14px;"
    "font-weight:600}svg .group{font-weight:600;fill:var(--soft)}svg .axis{stroke:var(--line)}"
    ".bar-other{fill:var(--other)}.bar-rival{fill:var(--rival)}.bar-ours{fill:var(--ours)}\n"
    "code,pre{font:.88em ui-monospace,monospace}pre{background:var(--band);padding:.7rem .9rem;"
    "border:1px solid var(--line);white-space:pre-wrap}\n"
    "@media print{:root{color-scheme:light;--page:#fff;--text:#000;--soft:#444;--line:#bbb;"
    "--band:#fff;--other:#9aa2ab;--rival:#c8591b;--ours:#2467b5;--met:#1f7a4d;--short:#b03a20}"
    "rect{print-color-adjust:exact;-webkit-print-color-adjust:exact}"
    "figure,tr{break-inside:avoid}h2,figure{break-after:avoid}body{font-size:10pt}"
    "main{max-width:none;padding:0}.wide{overflow:visible}table{font-size:8pt}"
    "th,td{padding:.1rem .35rem}}\n";

static const char *name_of(const struct race *race, int contestant) {
  return race->contestants.list[contestant].name;
}

static void cell_number(double value, int decimals, FILE *out) {
  char text[40];
  report_number(value, decimals, text, sizeof text);
  if (isfinite(value))
    fprintf(out, "<td>%s</td>", text);
  else
    fputs("<td>&ndash;</td>", out);
}

static void head_names(const struct race *race, FILE *out) {
  for (int i = 0; i < race->contestants.count; i++)
    fprintf(out, "<th>%s</th>", name_of(race, i));
}

/* --- What was asked ------------------------------------------------------------------------------ */

static void write_answer(const struct race *race, const struct asked *asked, int ours, FILE *out) {
  static const char *const classes[] = {[REACHED] = "left met",
                                        [NOT_REACHED] = "left short",
                                        [NOT_MEASURED] = "left soft",
                                        [REPORTED] = "left soft"};
  const struct answer *answer = &asked->answer[ours];
  enum verdict verdict = asked_verdict(asked, ours);
  char limit[40], measured[64];
  race_asked(asked, limit, sizeof limit);
  race_interval(answer->measured, answer->low, answer->high, measured, sizeof measured);
  fputs("<tr><td class=\"text\">", out);
  chart_text(asked->text, out);
  fprintf(out, "</td><td class=\"left\">%s</td><td class=\"left\">%s</td><td>%s</td>",
          name_of(race, ours), limit, measured);
  fprintf(out, "<td class=\"%s\">%s</td><td class=\"left soft\">%s", classes[verdict],
          verdict_words[verdict], answer->row);
  if (answer->missing > 0)
    fprintf(out, "%sleft out of %d row%s", answer->row[0] != '\0' ? ", " : "", answer->missing,
            answer->missing == 1 ? "" : "s");
  fputs("</td></tr>\n", out);
}

static void write_asked(const struct race_report *report, FILE *out) {
  const struct race *race = report->race;
  const struct outcome *outcome = report->outcome;
  fputs("<h2>Asked and measured</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>figure</th>"
        "<th class=\"left\">of</th><th class=\"left\">asked</th><th>measured</th>"
        "<th class=\"left\"></th><th class=\"left\"></th></tr></thead>\n<tbody>\n",
        out);
  for (int i = 0; i < outcome->count; i++)
    for (int ours = race->contestants.first_ours; ours < race->contestants.count; ours++)
      write_answer(race, &outcome->list[i], ours, out);
  fputs("</tbody></table></div>\n", out);
}

static void write_against(const struct race_report *report, FILE *out) {
  static const char *const what[] = {[SECONDS] = "time", [PEAK_RSS_KIB] = "peak RSS"};
  const struct race *race = report->race;
  fputs(
      "<h2>Against each of the others</h2>\n<div class=\"wide\"><table>\n<caption>Geometric means "
      "over all rows that both ran: above 1, ours is the better.</caption>\n<thead><tr><th></th>",
      out);
  head_names(race, out);
  fputs("</tr></thead>\n<tbody>\n", out);
  for (int ours = race->contestants.first_ours; ours < race->contestants.count; ours++)
    for (int quantity = 0; quantity < QUANTITIES; quantity++) {
      fprintf(out, "<tr><td>%s, by that of %s</td>", what[quantity], name_of(race, ours));
      for (int i = 0; i < race->contestants.count; i++)
        cell_number(report->outcome->against[quantity][ours][i], 3, out);
      fputs("</tr>\n", out);
    }
  fputs("</tbody></table></div>\n", out);
}

/* The limit that the worst row is asked to keep. */
static double worst_allowed(const struct race_report *report, enum quantity quantity) {
  return report->outcome->list[quantity == SECONDS ? ASKED_TIME_WORST : ASKED_MEMORY_WORST].at_most;
}

/* All rows in one table: ours by the rival's. */
static void write_overview(const struct race_report *report, FILE *out) {
  const struct race *race = report->race;
  fputs("<h2>All rows</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>row</th>"
        "<th class=\"left\">ours</th><th>time</th><th class=\"left\">rival</th><th>memory</th>"
        "<th class=\"left\">rival</th><th>rounds</th></tr></thead>\n<tbody>\n",
        out);
  for (int i = 0; i < race->row_count; i++)
    for (int ours = race->contestants.first_ours; ours < race->contestants.count; ours++) {
      const struct row *row = &race->rows[i];
      fprintf(out, "<tr><td>%s</td><td class=\"left\">%s</td>", row->name, name_of(race, ours));
      for (int quantity = 0; quantity < QUANTITIES; quantity++) {
        const struct duel *duel = &row->duel[quantity][ours];
        const char *class = duel->ratio <= 1                                ? "met"
                            : duel->ratio > worst_allowed(report, quantity) ? "short"
                                                                            : "";
        char text[64];
        race_interval(duel->ratio, duel->low, duel->high, text, sizeof text);
        fprintf(out, "<td class=\"%s\">%s</td><td class=\"left\">%s</td>", class, text,
                duel->rival >= 0 ? name_of(race, duel->rival) : "");
      }
      fprintf(out, "<td>%d</td></tr>\n", row->rounds);
    }
  fputs("</tbody></table></div>\n", out);
}

/* The figures' values, of every allocator. */
static void write_figures(const struct race_report *report, FILE *out) {
  const struct race *race = report->race;
  bool any = false;
  for (int i = 0; i < report->outcome->count; i++) {
    const struct asked *asked = &report->outcome->list[i];
    if (asked->unit == NULL)
      continue;
    if (!any) {
      fputs("<h2>Figures</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>figure</th><th></th>",
            out);
      head_names(race, out);
      fputs("<th class=\"left\">reference</th></tr></thead>\n<tbody>\n", out);
      any = true;
    }
    fprintf(out, "<tr><td>%s</td><td>%s</td>", asked->id, asked->unit);
    for (int k = 0; k < race->contestants.count; k++)
      cell_number(asked->value[k], asked->decimals, out);
    fputs("<td class=\"left text\">", out);
    if (isfinite(asked->reference)) {
      chart_text(asked->reference_name, out);
      fprintf(out, ": %.*f", asked->decimals, asked->reference);
    }
    fputs("</td></tr>\n", out);
  }
  if (any)
    fputs("</tbody></table></div>\n", out);
}

/* --- Rows ---------------------------------------------------------------------------------------- */

/* The rows of one kind stand side by side. */
static int kind_end(const struct race *race, int first) {
  int end = first + 1;
  while (end < race->row_count && race->rows[end].kind == race->rows[first].kind)
    end++;
  return end;
}

static const char *bar_kind(const struct race *race, const struct row *row, int contestant,
                            enum quantity quantity) {
  if (race->contestants.list[contestant].ours)
    return "ours";
  return row->duel[quantity][race->contestants.first_ours].rival == contestant ? "rival" : "other";
}

static void write_chart(const struct race *race, int first, int end, enum quantity quantity,
                        FILE *out) {
  struct chart *chart = calloc(1, sizeof *chart);
  if (chart == NULL)
    return; /* the table has the numbers */
  const struct kind *kind = race->rows[first].kind;
  size_t used = 0;
  snprintf(chart->id, sizeof chart->id, "%s-%s", kind->name,
           quantity == SECONDS ? "time" : "memory");
  snprintf(chart->title, sizeof chart->title, "%s",
           quantity == SECONDS ? "Seconds (less is better)" : "Peak RSS, MiB (less is better)");
  for (int i = first; i < end; i++) {
    const struct row *row = &race->rows[i];
    for (int k = 0; k < race->contestants.count && chart->count < CHART_BARS_MAX; k++) {
      struct chart_bar *bar = &chart->bars[chart->count++];
      char value[40];
      bar->group = row->name;
      bar->kind = bar_kind(race, row, k, quantity);
      bar->decimals = quantity == SECONDS ? 3 : 1;
      bar->value = row->lane[k].median[quantity] / (quantity == SECONDS ? 1 : 1024);
      snprintf(bar->label, sizeof bar->label, "%s", name_of(race, k));
      report_number(bar->value, bar->decimals, value, sizeof value);
      if (used < sizeof chart->alternative)
        used += (size_t)snprintf(chart->alternative + used, sizeof chart->alternative - used,
                                 "%s%s%s %s",
                                 k > 0       ? ", "
                                 : i > first ? ". "
                                             : "",
                                 k == 0 ? row->name : "", k == 0 ? ":" : "", bar->label);
      if (used < sizeof chart->alternative)
        used += (size_t)snprintf(chart->alternative + used, sizeof chart->alternative - used, " %s",
                                 value);
    }
  }
  chart_write(chart, out);
  free(chart);
}

static void write_row(const struct race *race, const struct row *row, FILE *out) {
  for (int k = 0; k < race->contestants.count; k++) {
    const struct lane *lane = &row->lane[k];
    fprintf(out, "<tr><td>%s</td><td class=\"left\">%s</td>", row->name, name_of(race, k));
    cell_number(lane->median[SECONDS], 4, out);
    cell_number(lane->median[PEAK_RSS_KIB] / 1024, 1, out);
    for (int quantity = 0; quantity < QUANTITIES; quantity++) {
      char text[64] = "";
      const struct duel *duel = &row->duel[quantity][k];
      bool rival = race->contestants.list[k].ours && duel->rival >= 0;
      if (rival)
        race_interval(duel->ratio, duel->low, duel->high, text, sizeof text);
      fprintf(out, "<td>%s</td><td class=\"left\">%s</td>", text,
              rival ? name_of(race, duel->rival) : "");
    }
    fputs("<td class=\"left\">", out);
    chart_text(lane->left_out[0] != '\0' ? lane->left_out : lane->served_by, out);
    fputs("</td></tr>\n", out);
  }
}

static void write_details(const struct race *race, const struct row *row, FILE *out) {
  struct detail details[DETAILS_MAX];
  int count = row->kind->details ? race_details(race, row, details) : 0;
  if (count == 0)
    return;
  fprintf(out, "<div class=\"wide\"><table>\n<thead><tr><th>%s</th>", row->name);
  head_names(race, out);
  fputs("</tr></thead>\n<tbody>\n", out);
  for (int i = 0; i < count; i++) {
    char name[64];
    race_detail_name(&details[i], name, sizeof name);
    fputs("<tr><td>", out);
    chart_text(name, out);
    fputs("</td>", out);
    for (int k = 0; k < race->contestants.count; k++)
      cell_number(race_detail(row, k, &details[i]), 0, out);
    fputs("</tr>\n", out);
  }
  fputs("</tbody></table></div>\n", out);
}

static void write_rows(const struct race *race, FILE *out) {
  for (int first = 0, end; first < race->row_count; first = end) {
    end = kind_end(race, first);
    const struct kind *kind = race->rows[first].kind;
    fprintf(out, "<section>\n<h2>%s</h2>\n<p>", kind->name);
    chart_text(kind->what, out);
    for (int i = first; i < end; i++) {
      const struct row *row = &race->rows[i];
      fprintf(out, "%s%s: %d rounds", i == first ? ". " : "; ", row->name, row->rounds);
      if (row->repeated > 0)
        fprintf(out, ", %d more repeated", row->repeated);
      if (row->kept > 0)
        fprintf(out, ", %d disturbed", row->kept);
    }
    fputs(".</p>\n<figure>\n", out);
    write_chart(race, first, end, SECONDS, out);
    write_chart(race, first, end, PEAK_RSS_KIB, out);
    fputs("</figure>\n<div class=\"wide\"><table>\n<thead><tr><th>row</th>"
          "<th class=\"left\">allocator</th><th>seconds</th><th>peak RSS,<br>MiB</th>"
          "<th>time by<br>the rival&rsquo;s</th><th class=\"left\">rival</th>"
          "<th>memory by<br>the rival&rsquo;s</th><th class=\"left\">rival</th>"
          "<th class=\"left\">malloc from</th></tr></thead>\n<tbody>\n",
          out);
    for (int i = first; i < end; i++)
      write_row(race, &race->rows[i], out);
    fputs("</tbody></table></div>\n", out);
    for (int i = first; i < end; i++)
      write_details(race, &race->rows[i], out);
    fputs("</section>\n", out);
  }
}

/* --- The page ------------------------------------------------------------------------------------ */

static void write_lead(const struct race_report *report, FILE *out) {
  const struct race *race = report->race;
  const struct asked *time = &report->outcome->list[ASKED_TIME_MEAN];
  const struct asked *memory = &report->outcome->list[ASKED_MEMORY_MEAN];
  for (int ours = race->contestants.first_ours; ours < race->contestants.count; ours++) {
    char first[40], second[40];
    report_number(time->answer[ours].measured, 2, first, sizeof first);
    report_number(memory->answer[ours].measured, 2, second, sizeof second);
    fprintf(out,
            "<p class=\"lead\">Over %d row%s <b>%s</b> takes %s times as long as the fastest other "
            "allocator of each row, and %s times the memory of the most frugal of mimalloc, "
            "jemalloc and tcmalloc.</p>\n",
            race->row_count, race->row_count == 1 ? "" : "s", name_of(race, ours), first, second);
  }
  if (report->note[0] != '\0') {
    fputs("<p class=\"short\">", out);
    chart_text(report->note, out);
    fputs("</p>\n", out);
  }
  fputs(
      "<p class=\"soft\">Ratios are of medians, ours by the rival&rsquo;s: below 1, ours is the "
      "better. The rival of a row is the best of the others on the odd rounds; the ratio is taken "
      "from the even rounds, with the interval that holds 95&#8239;% of its bootstrap.</p>\n",
      out);
}

static void write_environment(const struct race_report *report, FILE *out) {
  const struct race *race = report->race;
  fputs("<h2>Where it was measured</h2>\n<div class=\"wide\"><table class=\"words\"><tbody>\n",
        out);
  const char *name;
  json_t *value;
  json_object_foreach(report->machine, name, value) {
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
  fputs("</tbody></table></div>\n<h2>How to repeat it</h2>\n<pre>", out);
  chart_text(report->command, out);
  fprintf(
      out,
      "</pre>\n<p>In each round every allocator runs the row once, in rotating order; a row has "
      "%d to %d rounds, and ends when the interval of its time ratio is within 2&#8239;%% on "
      "either side. An allocator is preloaded; glibc&rsquo;s is what is there without. Rounds "
      "in which the host or a quota took the processors away were repeated. "
      "<code>bench/compare-allocators</code> in the source tree builds the command first.</p>\n",
      race->rounds_least, race->rounds_most);
}

static void write_page(const struct race_report *report, FILE *out) {
  fprintf(out,
          "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
          "<title>Arenite: a race of allocators</title>\n<style>\n%s</style>\n</head>\n"
          "<body>\n<main>\n<h1>A race of allocators</h1>\n",
          style);
  write_lead(report, out);
  write_asked(report, out);
  write_against(report, out);
  write_figures(report, out);
  write_overview(report, out);
  write_rows(report->race, out);
  write_environment(report, out);
  fputs("</main>\n</body>\n</html>\n", out);
}

int race_html(const struct race_report *report, const char *path) {
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
    fprintf(stderr, "arenite bench allocators: cannot write %s: %s.\n", path, strerror(errno));
  return good ? 0 : -1;
}
