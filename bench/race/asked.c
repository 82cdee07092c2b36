/* asked.c - see asked.h: the part that is calculated from the rows. */
#include "asked.h"

#include "compare/numbers.h"
#include "duel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *const verdict_words[] = {[REACHED] = "reached",
                                     [NOT_REACHED] = "not reached",
                                     [NOT_MEASURED] = "not measured",
                                     [REPORTED] = "reported"};

enum verdict asked_verdict(const struct asked *asked, int ours) {
  const struct answer *answer = &asked->answer[ours];
  if (isnan(asked->at_most))
    return REPORTED;
  if (answer->missing > 0)
    return NOT_REACHED;
  if (!isfinite(answer->measured))
    return NOT_MEASURED;
  return answer->measured <= asked->at_most ? REACHED : NOT_REACHED;
}

/* Rows that one of ours could not run. That the others could not is their loss. */
static int missing(const struct race *race, int ours) {
  int count = 0;
  for (int i = 0; i < race->row_count; i++)
    count += race->rows[i].lane[ours].left_out[0] != '\0';
  return count;
}

/* The geometric mean of the ratios, and its interval: each row's rounds are drawn again, and a mean
 * is taken of what that gives. */
static struct answer mean_of(const struct race *race, enum quantity quantity, int ours) {
  struct answer answer = {.low = NAN, .high = NAN, .missing = missing(race, ours)};
  double ratios[ROWS_MAX] = {0}, *sums = calloc(RESAMPLES, sizeof *sums);
  double *logs = malloc(RESAMPLES * sizeof *logs);
  int rows = 0;
  bool enough = sums != NULL && logs != NULL;
  for (int i = 0; i < race->row_count; i++) {
    const struct row *row = &race->rows[i];
    ratios[i] = row->duel[quantity][ours].ratio;
    if (!isfinite(ratios[i]))
      continue;
    rows++;
    enough = enough && isfinite(row->duel[quantity][ours].low);
    if (enough)
      duel_fight(&race->contestants, row, quantity, ours, logs);
    for (int k = 0; enough && k < RESAMPLES; k++)
      sums[k] += logs[k];
  }
  answer.measured = numbers_geomean(ratios, (size_t)race->row_count);
  if (enough && rows > 0) {
    duel_interval(sums, &answer.low, &answer.high);
    answer.low = exp(answer.low / rows);
    answer.high = exp(answer.high / rows);
  }
  free(sums);
  free(logs);
  return answer;
}

static struct answer worst_of(const struct race *race, enum quantity quantity, int ours) {
  struct answer answer = {.measured = NAN, .low = NAN, .high = NAN, .missing = missing(race, ours)};
  for (int i = 0; i < race->row_count; i++) {
    const struct duel *duel = &race->rows[i].duel[quantity][ours];
    if (!isfinite(duel->ratio) || duel->ratio <= answer.measured)
      continue;
    answer.measured = duel->ratio;
    answer.low = duel->low;
    answer.high = duel->high;
    snprintf(answer.row, sizeof answer.row, "%s", race->rows[i].name);
  }
  return answer;
}

static void against_each(const struct race *race, int ours, struct outcome *outcome) {
  for (int i = 0; i < race->contestants.count; i++)
    for (int quantity = 0; quantity < QUANTITIES; quantity++) {
      double ratios[ROWS_MAX] = {0};
      int rows = 0;
      for (int k = 0; k < race->row_count; k++) {
        const struct row *row = &race->rows[k];
        ratios[k] = row->lane[i].median[quantity] / row->lane[ours].median[quantity];
        rows += isfinite(ratios[k]);
      }
      outcome->against[quantity][ours][i] = numbers_geomean(ratios, (size_t)race->row_count);
      outcome->rows_against[ours][i] = rows;
    }
}

void asked_of_rows(const struct race *race, struct outcome *outcome) {
  static const struct {
    const char *id, *text;
    enum quantity quantity;
    bool worst;
    double at_most;
  } questions[ASKED_OF_ROWS] = {
      [ASKED_TIME_MEAN] = {"time_mean",
                           "time by that of the row's fastest other allocator, geometric mean",
                           SECONDS, false, 0.98},
      [ASKED_TIME_WORST] = {"time_worst", "the same, the worst row", SECONDS, true, 1.10},
      [ASKED_MEMORY_MEAN] =
          {"memory_mean",
           "peak RSS by the lowest of mimalloc, jemalloc and tcmalloc, geometric mean",
           PEAK_RSS_KIB, false, 1.00},
      [ASKED_MEMORY_WORST] = {"memory_worst", "the same, the worst row", PEAK_RSS_KIB, true, 1.25},
  };
  outcome->count = ASKED_OF_ROWS;
  for (int i = 0; i < ASKED_OF_ROWS; i++) {
    struct asked *asked = &outcome->list[i];
    *asked = (struct asked){.id = questions[i].id,
                            .text = questions[i].text,
                            .at_most = questions[i].at_most,
                            .reference = NAN};
    for (int ours = race->contestants.first_ours; ours < race->contestants.count; ours++)
      asked->answer[ours] = questions[i].worst ? worst_of(race, questions[i].quantity, ours)
                                               : mean_of(race, questions[i].quantity, ours);
  }
  for (int ours = race->contestants.first_ours; ours < race->contestants.count; ours++)
    against_each(race, ours, outcome);
}
