/* race_json.c - allocators.json. See race_report.h.
 *
 *   machine     where: cores, cpu, kernel, date, ...
 *   run         how: rounds, scale, seconds, the command that repeats it
 *   allocators  who: name, preloaded library, whether it is ours
 *   rows        each row: for each allocator the medians and every round, which library served
 *               malloc, or why it was left out, and the medians of what else its program says;
 *               for each of ours the duels of time and of memory
 *   against     for each of ours: every allocator's geometric means by its own
 *   asked       what was asked of ours and what came out: the means, the worst rows, the figures
 *   note        what speaks against the run, when the machine was busy
 *
 * What was not measured is null. */
#include "race_report.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

static json_t *number(double value) {
  if (!isfinite(value))
    return json_null();
  if (value == floor(value) && fabs(value) < 1e15)
    return json_integer((json_int_t)value);
  return json_real(value);
}

static json_t *text_or_null(const char *text) {
  return text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *run(const struct race_report *report) {
  const struct race *race = report->race;
  json_t *run = json_object();
  json_object_set_new(run, "command", json_string(report->command));
  json_object_set_new(run, "rounds_least", json_integer(race->rounds_least));
  json_object_set_new(run, "rounds_most", json_integer(race->rounds_most));
  json_object_set_new(run, "scale", number(race->scale));
  json_object_set_new(run, "budget_seconds", number(race->budget_s));
  json_object_set_new(run, "seconds", number(race->seconds));
  return run;
}

static json_t *allocators(const struct race *race) {
  json_t *list = json_array();
  for (int i = 0; i < race->contestants.count; i++) {
    const struct contestant *contestant = &race->contestants.list[i];
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(contestant->name));
    json_object_set_new(object, "ours", json_boolean(contestant->ours));
    json_object_set_new(object, "preload", text_or_null(contestant->preload));
    json_array_append_new(list, object);
  }
  return list;
}

static json_t *lane(const struct race *race, const struct row *row, int index) {
  const struct lane *lane = &row->lane[index];
  json_t *object = json_object(), *seconds = json_array(), *memory = json_array();
  bool runs = lane->left_out[0] == '\0';
  for (int round = 0; runs && round < row->rounds; round++) {
    json_array_append_new(seconds, number(lane->rounds[round].value[SECONDS]));
    json_array_append_new(memory, number(lane->rounds[round].value[PEAK_RSS_KIB]));
  }
  json_object_set_new(object, "seconds", number(lane->median[SECONDS]));
  json_object_set_new(object, "peak_rss_kib", number(lane->median[PEAK_RSS_KIB]));
  json_object_set_new(object, "operations",
                      number(race_detail(row, index, &(struct detail){NULL, "operations"})));
  json_object_set_new(object, "served_by", text_or_null(lane->served_by));
  json_object_set_new(object, "preload", text_or_null(lane->preload != NULL ? lane->preload : ""));
  json_object_set_new(object, "left_out", text_or_null(lane->left_out));
  json_object_set_new(object, "seconds_rounds", seconds);
  json_object_set_new(object, "peak_rss_kib_rounds", memory);
  struct detail details[DETAILS_MAX];
  int count = race_details(race, row, details);
  for (int i = 0; i < count; i++) {
    json_t *place = object;
    if (details[i].outer != NULL) {
      place = json_object_get(object, details[i].outer);
      if (place == NULL) {
        place = json_object();
        json_object_set_new(object, details[i].outer, place);
      }
    }
    json_object_set_new(place, details[i].name, number(race_detail(row, index, &details[i])));
  }
  return object;
}

static json_t *duels(const struct race *race, const struct row *row, enum quantity quantity) {
  json_t *all = json_object();
  for (int i = race->contestants.first_ours; i < race->contestants.count; i++) {
    const struct duel *duel = &row->duel[quantity][i];
    json_t *object = json_object();
    json_object_set_new(object, "rival",
                        duel->rival >= 0 ? json_string(race->contestants.list[duel->rival].name)
                                         : json_null());
    json_object_set_new(object, "ratio", number(duel->ratio));
    json_object_set_new(object, "low", number(duel->low));
    json_object_set_new(object, "high", number(duel->high));
    json_object_set_new(all, race->contestants.list[i].name, object);
  }
  return all;
}

static json_t *rows(const struct race *race) {
  json_t *list = json_array();
  for (int i = 0; i < race->row_count; i++) {
    const struct row *row = &race->rows[i];
    json_t *object = json_object(), *lanes = json_object();
    for (int k = 0; k < race->contestants.count; k++)
      json_object_set_new(lanes, race->contestants.list[k].name, lane(race, row, k));
    json_object_set_new(object, "name", json_string(row->name));
    json_object_set_new(object, "row", json_string(row->kind->name));
    json_object_set_new(object, "threads",
                        row->threads > 0 ? json_integer(row->threads) : json_null());
    json_object_set_new(object, "what", json_string(row->kind->what));
    json_object_set_new(object, "rounds", json_integer(row->rounds));
    json_object_set_new(object, "rounds_repeated", json_integer(row->repeated));
    json_object_set_new(object, "rounds_disturbed", json_integer(row->kept));
    json_object_set_new(object, "other_programs_share", number(row->others));
    json_object_set_new(object, "allocators", lanes);
    json_object_set_new(object, "time", duels(race, row, SECONDS));
    json_object_set_new(object, "memory", duels(race, row, PEAK_RSS_KIB));
    json_array_append_new(list, object);
  }
  return list;
}

static json_t *against(const struct race_report *report) {
  const struct race *race = report->race;
  json_t *all = json_object();
  for (int ours = race->contestants.first_ours; ours < race->contestants.count; ours++) {
    json_t *each = json_object();
    for (int i = 0; i < race->contestants.count; i++) {
      json_t *object = json_object();
      json_object_set_new(object, "time", number(report->outcome->against[SECONDS][ours][i]));
      json_object_set_new(object, "memory",
                          number(report->outcome->against[PEAK_RSS_KIB][ours][i]));
      json_object_set_new(object, "rows", json_integer(report->outcome->rows_against[ours][i]));
      json_object_set_new(each, race->contestants.list[i].name, object);
    }
    json_object_set_new(all, race->contestants.list[ours].name, each);
  }
  return all;
}

static json_t *asked(const struct race *race, const struct asked *asked) {
  json_t *object = json_object(), *answers = json_object();
  json_object_set_new(object, "id", json_string(asked->id));
  json_object_set_new(object, "text", json_string(asked->text));
  json_object_set_new(object, "asked_at_most", number(asked->at_most));
  for (int i = race->contestants.first_ours; i < race->contestants.count; i++) {
    const struct answer *answer = &asked->answer[i];
    json_t *one = json_object();
    json_object_set_new(one, "measured", number(answer->measured));
    json_object_set_new(one, "low", number(answer->low));
    json_object_set_new(one, "high", number(answer->high));
    json_object_set_new(one, "verdict", json_string(verdict_words[asked_verdict(asked, i)]));
    json_object_set_new(one, "row", text_or_null(answer->row));
    json_object_set_new(one, "rows_missing", json_integer(answer->missing));
    json_object_set_new(answers, race->contestants.list[i].name, one);
  }
  json_object_set_new(object, "answers", answers);
  if (asked->unit == NULL)
    return object;
  json_t *values = json_object();
  for (int i = 0; i < race->contestants.count; i++)
    json_object_set_new(values, race->contestants.list[i].name, number(asked->value[i]));
  json_object_set_new(object, "unit", text_or_null(asked->unit));
  json_object_set_new(object, "values", values);
  if (asked->reference_name != NULL) {
    json_object_set_new(object, "reference", json_string(asked->reference_name));
    json_object_set_new(object, "reference_value", number(asked->reference));
  }
  return object;
}

int race_json(const struct race_report *report, const char *path) {
  const struct race *race = report->race;
  json_t *root = json_object(), *list = json_array();
  for (int i = 0; i < report->outcome->count; i++)
    json_array_append_new(list, asked(race, &report->outcome->list[i]));
  json_object_set(root, "machine", report->machine);
  json_object_set_new(root, "run", run(report));
  json_object_set_new(root, "allocators", allocators(race));
  json_object_set_new(root, "rows", rows(race));
  json_object_set_new(root, "against", against(report));
  json_object_set_new(root, "asked", list);
  json_object_set_new(root, "note", text_or_null(report->note));

  char temporary[PATH_MAX];
  int n = snprintf(temporary, sizeof temporary, "%s.tmp", path);
  bool good = n > 0 && (size_t)n < sizeof temporary;
  if (!good)
    errno = ENAMETOOLONG;
  good = good && json_dump_file(root, temporary, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) == 0 &&
         rename(temporary, path) == 0;
  if (!good)
    fprintf(stderr, "arenite bench allocators: cannot write %s: %s.\n", path, strerror(errno));
  json_decref(root);
  return good ? 0 : -1;
}
