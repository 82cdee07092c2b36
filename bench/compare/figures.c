/* figures.c - see figures.h.
 *
 * A figure is a ratio for each program, and one number made of those: their geometric mean, or the
 * largest. It is calculated from the medians, and again from each round alone to show the spread.
 */
#include "figures.h"

#include "numbers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A replay that adds less than this to the null replay's memory says nothing about an allocator:
 * the pages of two runs of one program differ by that much. */
static const double least_rss_kib = 256;

/* Of the ideal, without an allocator; an idle machine with whole cores gives 0.95 and more. */
static const double least_scaling = 0.8;

/* What a figure asks of one program in one round. */
struct question {
  const struct results *results;
  int round, program;
  enum mode mode;
  int threads;
};
typedef double ratio_function(const struct question *question);

static const struct sample *ask(const struct question *question, enum mode mode, int threads) {
  return cell_sample(results_cell(question->results, question->program, mode, threads, SAFEPOINT),
                     question->round);
}

static double against_gil(const struct question *q) {
  return ask(q, q->mode, q->threads)->mops / ask(q, MODE_GIL, q->threads)->mops;
}

static double against_system(const struct question *q) {
  const struct cell *cell = results_cell(q->results, q->program, q->mode, q->threads, SAFEPOINT);
  return cell == NULL ? NAN : results_against_system(q->results, q->round, cell);
}

static double net_of_null(const struct question *q) {
  const struct cell *cell = results_cell(q->results, q->program, q->mode, q->threads, SAFEPOINT);
  return cell == NULL ? NAN : results_net_of_null(q->results, q->round, cell);
}

static double against_one_thread(const struct question *q) {
  return ask(q, q->mode, q->threads)->mops / ask(q, q->mode, 1)->mops;
}

static double scaling_against_null(const struct question *q) {
  return against_one_thread(q) / (ask(q, MODE_NULL, q->threads)->mops / ask(q, MODE_NULL, 1)->mops);
}

static double added_memory(const struct question *q) {
  double null = ask(q, MODE_NULL, q->threads)->peak_rss_kib;
  double added = ask(q, q->mode, q->threads)->peak_rss_kib - null;
  double system = ask(q, MODE_SYSTEM, q->threads)->peak_rss_kib - null;
  return system >= least_rss_kib ? fmax(added, 0) / system : NAN;
}

static double over_programs(const struct results *results, int round, ratio_function *ratio,
                            enum mode mode, int threads, bool largest, double *each) {
  double values[PROGRAM_COUNT];
  if (each == NULL)
    each = values;
  for (int program = 0; program < results->program_count; program++)
    each[program] = ratio(&(struct question){results, round, program, mode, threads});
  size_t count = (size_t)results->program_count;
  return largest ? numbers_max(each, count) : numbers_geomean(each, count);
}

struct figure_list {
  const struct results *results;
  struct figure *figures;
  int count;
};

static void add(struct figure_list *list, const char *id, const char *text, ratio_function *ratio,
                enum mode mode, int threads, bool largest, double asked_low, double asked_high) {
  if (list->count == FIGURES_MAX)
    return;
  struct figure *figure = &list->figures[list->count++];
  *figure = (struct figure){.asked_low = asked_low, .asked_high = asked_high};
  static const char *const prefixes[MODE_COUNT] = {"null", "system", "gil", "ft"};
  snprintf(figure->id, sizeof figure->id, "%s_%s_%d", prefixes[mode], id, threads);
  snprintf(figure->text, sizeof figure->text, "%d thread%s: %s %s", threads,
           threads == 1 ? "" : "s", mode_names[mode], text);
  figure->measured =
      over_programs(list->results, ROUND_MEDIAN, ratio, mode, threads, largest, figure->program);
  figure->low = figure->high = NAN;
  for (int round = 0; round < list->results->rounds; round++) {
    double alone = over_programs(list->results, round, ratio, mode, threads, largest, NULL);
    figure->low = fmin(figure->low, alone);
    figure->high = fmax(figure->high, alone);
  }
}

static void add_speed(struct figure_list *list, int threads) {
  if (threads > 1)
    add(list, "against_1_thread", "against its own 1 thread", against_one_thread, MODE_NULL,
        threads, false, NAN, NAN);
  static const enum mode ours[] = {MODE_FREE_THREADED, MODE_GIL};
  for (int i = 0; i < 2; i++) {
    enum mode mode = ours[i];
    if (threads == 1) {
      add(list, "against_system", "against system", against_system, mode, threads, false, 1.15,
          NAN);
    } else {
      add(list, "against_system", "against system", against_system, mode, threads, false, NAN, NAN);
      if (mode == MODE_GIL)
        add(list, "against_1_thread", "against its own 1 thread", against_one_thread, mode, threads,
            false, threads == 2 ? 0.9 : NAN, threads == 2 ? 1.05 : NAN);
      else
        add(list, "scaling_against_null", "scaling, against the scaling of null",
            scaling_against_null, mode, threads, false, threads == 2 ? 0.9 : NAN, NAN);
    }
    add(list, "net_of_null", "against system, both net of null", net_of_null, mode, threads, false,
        NAN, NAN);
  }
}

static void add_memory(struct figure_list *list, int threads) {
  static const enum mode ours[] = {MODE_FREE_THREADED, MODE_GIL};
  bool asked = threads <= 2;
  for (int i = 0; i < 2; i++) {
    add(list, "memory", "added peak RSS, against system's", added_memory, ours[i], threads, false,
        NAN, asked ? 1.05 : NAN);
    add(list, "memory_largest", "added peak RSS, worst program", added_memory, ours[i], threads,
        true, NAN, asked ? 1.25 : NAN);
  }
}

int figures_of(const struct results *results, struct figure *figures) {
  struct figure_list list = {.results = results, .figures = figures};
  add(&list, "against_gil", "against gil", against_gil, MODE_FREE_THREADED, 1, false, 0.95, 1.05);
  /* The asked numbers of threads, and the highest; what lies between is in the table. */
  for (int i = 0; i < results->thread_count; i++)
    if (results->threads[i] <= 2 || i == results->thread_count - 1)
      add_speed(&list, results->threads[i]);
  for (int i = 0; i < results->thread_count; i++)
    if (results->threads[i] <= 2)
      add_memory(&list, results->threads[i]);
  return list.count;
}

enum figure_verdict figure_verdict(const struct figure *figure) {
  if (isnan(figure->asked_low) && isnan(figure->asked_high))
    return FIGURE_REPORTED;
  if (isnan(figure->measured))
    return FIGURE_UNKNOWN;
  return figure->measured < figure->asked_low || figure->measured > figure->asked_high
             ? FIGURE_SHORT
             : FIGURE_MET;
}

void figure_asked(const struct figure *figure, char *text, size_t size) {
  if (isnan(figure->asked_low) && isnan(figure->asked_high))
    snprintf(text, size, "reported");
  else if (isnan(figure->asked_high))
    snprintf(text, size, "at least %.2f", figure->asked_low);
  else if (isnan(figure->asked_low))
    snprintf(text, size, "at most %.2f", figure->asked_high);
  else
    snprintf(text, size, "%.2f to %.2f", figure->asked_low, figure->asked_high);
}

/* How the GIL at another safepoint interval compares with free threading. */
static double cost_at(const struct results *results, int threads, int safepoint) {
  double kept[PROGRAM_COUNT];
  for (int program = 0; program < results->program_count; program++)
    kept[program] =
        cell_sample(results_cell(results, program, MODE_GIL, threads, safepoint), ROUND_MEDIAN)
            ->mops /
        cell_sample(results_cell(results, program, MODE_FREE_THREADED, threads, SAFEPOINT),
                    ROUND_MEDIAN)
            ->mops;
  return 1 - numbers_geomean(kept, (size_t)results->program_count);
}

/* "cost 12 %", or "gained 3 %" where the GIL was the faster. */
static void put_cost(char *text, size_t size, double cost) {
  snprintf(text, size, "%s %.0f %%", cost < -0.005 ? "gained" : "cost",
           100 * fabs(cost < 0 && cost >= -0.005 ? 0 : cost));
}

void figures_sentence(const struct results *results, char *text, size_t size) {
  int most = results_most_threads(results);
  char one[32], all[32];
  put_cost(one, sizeof one, cost_at(results, 1, SAFEPOINT));
  if (most == 1) {
    snprintf(text, size,
             "With one thread, the only number replayed, the GIL %s of the speed of the "
             "free-threaded heap.",
             one);
    return;
  }
  double waited[PROGRAM_COUNT], speed[PROGRAM_COUNT];
  for (int program = 0; program < results->program_count; program++) {
    waited[program] =
        cell_sample(results_cell(results, program, MODE_GIL, most, SAFEPOINT), ROUND_MEDIAN)
            ->gil_wait_share;
    struct question question = {results, ROUND_MEDIAN, program, MODE_FREE_THREADED, most};
    speed[program] = against_gil(&question);
  }
  size_t count = (size_t)results->program_count;
  put_cost(all, sizeof all, cost_at(results, most, SAFEPOINT));
  char of[32];
  if (count == 1)
    snprintf(of, sizeof of, "%s", results->program[0]->name);
  else
    snprintf(of, sizeof of, "%zu programs", count);
  snprintf(
      text, size,
      "With %d threads on the allocations of %s the GIL %s of the throughput that the "
      "same heap has free-threaded (%.0f %% with a safepoint every 10 operations, %.0f %% with "
      "one every 1000), so that free threading ran %.2f times as fast (%.2f to %.2f) and the "
      "threads spent %.0f %% of their time waiting for the lock; with one thread it %s.",
      most, of, all, 100 * cost_at(results, most, 10), 100 * cost_at(results, most, 1000),
      numbers_geomean(speed, count), numbers_min(speed, count), numbers_max(speed, count),
      100 * numbers_median(waited, count), one);
}

void figures_note(const struct results *results, char *text, size_t size) {
  int most = results_most_threads(results);
  double scaling =
      over_programs(results, ROUND_MEDIAN, against_one_thread, MODE_NULL, most, false, NULL);
  text[0] = '\0';
  if (most > 1 && scaling < least_scaling * most)
    snprintf(
        text, size,
        "Take this run with care: without any allocator %d threads did only %.2f times the work "
        "of one, so the machine was busy with something else, or its processors are not whole "
        "ones; what the GIL costs shows only where threads can run at once.",
        most, scaling);
}
