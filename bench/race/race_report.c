/* race_report.c - see race_report.h: what the three forms share. */
#include "race_report.h"

#include "compare/numbers.h"

#include <math.h>
#include <string.h>

static bool is_detail(const char *name, const json_t *value) {
  /* These have places of their own. */
  static const char *const known[] = {"threads", "seconds", "operations", "peak_rss_kib"};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strcmp(name, known[i]) == 0)
      return false;
  return json_is_number(value);
}

/* All lanes say the same, as they run the same program. */
static json_t *any_line(const struct race *race, const struct row *row) {
  for (int i = 0; i < race->contestants.count; i++)
    if (row->rounds > 0 && row->lane[i].left_out[0] == '\0')
      return row->lane[i].rounds[0].line;
  return NULL;
}

int race_details(const struct race *race, const struct row *row,
                 struct detail details[DETAILS_MAX]) {
  int count = 0;
  const char *outer, *name;
  json_t *group, *value;
  json_object_foreach(any_line(race, row), outer, group) {
    if (is_detail(outer, group) && count < DETAILS_MAX)
      details[count++] = (struct detail){NULL, outer};
    json_object_foreach(group, name, value) {
      if (json_is_number(value) && count < DETAILS_MAX)
        details[count++] = (struct detail){outer, name};
    }
  }
  return count;
}

double race_detail(const struct row *row, int contestant, const struct detail *detail) {
  double values[ROUNDS_LIMIT] = {0};
  const struct lane *lane = &row->lane[contestant];
  if (lane->left_out[0] != '\0')
    return NAN;
  for (int round = 0; round < row->rounds; round++) {
    const json_t *line = lane->rounds[round].line;
    if (detail->outer != NULL)
      line = json_object_get(line, detail->outer);
    const json_t *value = json_object_get(line, detail->name);
    values[round] = json_is_number(value) ? json_number_value(value) : NAN;
  }
  return numbers_median(values, (size_t)row->rounds);
}

void race_detail_name(const struct detail *detail, char *text, size_t size) {
  snprintf(text, size, "%s%s%s", detail->outer != NULL ? detail->outer : "",
           detail->outer != NULL ? " " : "", detail->name);
}

void race_asked(const struct asked *asked, char *text, size_t size) {
  if (isnan(asked->at_most))
    snprintf(text, size, "reported");
  else
    snprintf(text, size, "at most %.2f", asked->at_most);
}

void race_interval(double ratio, double low, double high, char *text, size_t size) {
  if (!isfinite(ratio))
    snprintf(text, size, "-");
  else if (!isfinite(low))
    snprintf(text, size, ratio < 0.01 ? "%.5f" : "%.3f", ratio);
  else
    snprintf(text, size, "%.3f (%.3f to %.3f)", ratio, low, high);
}
