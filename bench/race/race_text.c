/* race_text.c - the race as tables on standard output. See race_report.h. */
#include "race_report.h"

#include "compare/report.h"

#include <math.h>
#include <string.h>

enum { NAME_WIDTH = 20, COLUMN = 10 };

static void put(FILE *out, double value, int decimals) {
  char text[40];
  report_number(value, decimals, text, sizeof text);
  fprintf(out, " %*s", COLUMN, text);
}

static void put_names(const struct race *race, const char *first, FILE *out) {
  fprintf(out, "%-*s", NAME_WIDTH, first);
  for (int i = 0; i < race->contestants.count; i++)
    fprintf(out, " %*s", COLUMN, race->contestants.list[i].name);
}

/* One line for each of ours: whom it is compared with, and how it did. */
static void put_duels(const struct race *race, const struct row *row, enum quantity quantity,
                      FILE *out) {
  for (int i = race->contestants.first_ours; i < race->contestants.count; i++) {
    const struct duel *duel = &row->duel[quantity][i];
    char text[64];
    race_interval(duel->ratio, duel->low, duel->high, text, sizeof text);
    fprintf(out, "  %-10s %-24s", duel->rival >= 0 ? race->contestants.list[duel->rival].name : "-",
            text);
  }
}

static void put_table(const struct race_report *report, enum quantity quantity, FILE *out) {
  const struct race *race = report->race;
  put_names(race, quantity == SECONDS ? "seconds" : "peak RSS, MiB", out);
  for (int i = race->contestants.first_ours; i < race->contestants.count; i++)
    fprintf(out, "  %-10s %-24s", "rival", race->contestants.list[i].name);
  fprintf(out, "%s\n", quantity == SECONDS ? "  rounds" : "");
  for (int i = 0; i < race->row_count; i++) {
    const struct row *row = &race->rows[i];
    fprintf(out, "%-*s", NAME_WIDTH, row->name);
    for (int k = 0; k < race->contestants.count; k++)
      put(out,
          quantity == SECONDS ? row->lane[k].median[SECONDS]
                              : row->lane[k].median[PEAK_RSS_KIB] / 1024,
          quantity == SECONDS ? 4 : 1);
    put_duels(race, row, quantity, out);
    if (quantity == SECONDS)
      fprintf(out, "  %d", row->rounds);
    if (quantity == SECONDS && row->repeated > 0)
      fprintf(out, ", %d repeated", row->repeated);
    if (quantity == SECONDS && row->kept > 0)
      fprintf(out, ", %d disturbed", row->kept);
    fputc('\n', out);
  }
  fputc('\n', out);
}

static void put_left_out(const struct race *race, FILE *out) {
  bool any = false;
  for (int i = 0; i < race->row_count; i++)
    for (int k = 0; k < race->contestants.count; k++) {
      const char *why = race->rows[i].lane[k].left_out;
      if (why[0] == '\0')
        continue;
      fprintf(out, "%s%s, left out of %s: %s\n", any ? "" : "Left out:\n  ",
              race->contestants.list[k].name, race->rows[i].name, why);
      any = true;
    }
  if (any)
    fputc('\n', out);
}

static void put_details(const struct race *race, FILE *out) {
  for (int i = 0; i < race->row_count; i++) {
    const struct row *row = &race->rows[i];
    struct detail details[DETAILS_MAX];
    int count = row->kind->details ? race_details(race, row, details) : 0;
    if (count == 0)
      continue;
    put_names(race, row->name, out);
    fputc('\n', out);
    for (int k = 0; k < count; k++) {
      char name[64];
      race_detail_name(&details[k], name, sizeof name);
      fprintf(out, "  %-*s", NAME_WIDTH - 2, name);
      for (int j = 0; j < race->contestants.count; j++)
        put(out, race_detail(row, j, &details[k]), 0);
      fputc('\n', out);
    }
    fputc('\n', out);
  }
}

static void put_against(const struct race_report *report, FILE *out) {
  const struct race *race = report->race;
  for (int ours = race->contestants.first_ours; ours < race->contestants.count; ours++) {
    const char *name = race->contestants.list[ours].name;
    char title[64];
    snprintf(title, sizeof title, "by %s's", name);
    put_names(race, title, out);
    fputc('\n', out);
    for (int quantity = 0; quantity < QUANTITIES; quantity++) {
      fprintf(out, "  %-*s", NAME_WIDTH - 2, quantity == SECONDS ? "time" : "peak RSS");
      for (int i = 0; i < race->contestants.count; i++)
        put(out, report->outcome->against[quantity][ours][i], 3);
      fputc('\n', out);
    }
  }
  fprintf(out, "Geometric means over all rows that both ran: above 1, ours is the better.\n\n");
}

static void put_asked(const struct race *race, const struct asked *asked, FILE *out) {
  char limit[40];
  race_asked(asked, limit, sizeof limit);
  fprintf(out, "%s: %s (%s)\n", asked->id, asked->text, limit);
  for (int i = race->contestants.first_ours; i < race->contestants.count; i++) {
    const struct answer *answer = &asked->answer[i];
    char text[64];
    race_interval(answer->measured, answer->low, answer->high, text, sizeof text);
    fprintf(out, "  %-12s %-26s %s", race->contestants.list[i].name, text,
            verdict_words[asked_verdict(asked, i)]);
    if (answer->row[0] != '\0')
      fprintf(out, ", %s", answer->row);
    if (answer->missing > 0)
      fprintf(out, ", left out of %d row%s", answer->missing, answer->missing == 1 ? "" : "s");
    fputc('\n', out);
  }
  if (asked->unit == NULL)
    return;
  fprintf(out, "  %s", asked->unit[0] != '\0' ? asked->unit : "all");
  for (int i = 0; i < race->contestants.count; i++) {
    char value[40];
    report_number(asked->value[i], asked->decimals, value, sizeof value);
    fprintf(out, "%s %s %s", i == 0 ? ":" : ",", race->contestants.list[i].name, value);
  }
  if (isfinite(asked->reference))
    fprintf(out, "; %s %.*f", asked->reference_name, asked->decimals, asked->reference);
  fputc('\n', out);
}

void race_text(const struct race_report *report, FILE *out) {
  const struct race *race = report->race;
  fprintf(out,
          "Medians of all rounds. A ratio is ours by the rival's: below 1, ours is the better. The "
          "rival is the\nbest of the others on the odd rounds, the ratio is of the even rounds, "
          "with 95 %% of its bootstrap.\n\n");
  put_table(report, SECONDS, out);
  put_table(report, PEAK_RSS_KIB, out);
  put_left_out(race, out);
  put_details(race, out);
  put_against(report, out);
  for (int i = 0; i < report->outcome->count; i++)
    put_asked(race, &report->outcome->list[i], out);
  if (report->note[0] != '\0')
    fprintf(out, "\n%s\n", report->note);
}
