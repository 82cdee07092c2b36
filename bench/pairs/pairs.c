/* pairs.c - see pairs.h.
 *
 * An allocator can only be exchanged for another at the start of a process, so each contestant runs
 * in children of this command, the rivals with LD_PRELOAD. A round runs each contestant once and
 * begins with another one each time; a row's figure is the median of the rounds. */
#include "pairs.h"

#include "compare/child.h"
#include "compare/numbers.h"
#include "compare/progress.h"
#include "pairs_child.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENITE_FREE_THREADED, ARENITE_GIL, SYSTEM, MIMALLOC, JEMALLOC, CONTESTANTS };
enum { PAIRS_ROUNDS_MAX = 99 };

static const struct contestant {
  const char *name;
  const char *which;             /* what the child is told */
  const char *preload, *package; /* NULL: nothing */
} contestants[CONTESTANTS] = {
    {"free-threaded", "free-threaded", NULL, NULL},
    {"gil", "gil", NULL, NULL},
    {"system", "malloc", NULL, NULL},
    {"mimalloc", "malloc", "libmimalloc.so.2.0", "libmimalloc2.0"},
    {"jemalloc", "malloc", "libjemalloc.so.2", "libjemalloc2"},
};

struct pairs {
  int rounds;
  double ns[CONTESTANTS][PAIRS_ROWS][PAIRS_ROUNDS_MAX];
  double median[CONTESTANTS][PAIRS_ROWS];
  char *library[CONTESTANTS];
};

/* Runs one child and files its numbers under the round. */
static int run_child(struct pairs *pairs, int index, int round, double row_seconds,
                     struct progress *progress) {
  const struct contestant *contestant = &contestants[index];
  char child_option[64], seconds[64], preload[128];
  snprintf(child_option, sizeof child_option, "--child=%s", contestant->which);
  snprintf(seconds, sizeof seconds, "--row-seconds=%.4f", row_seconds);
  /* Always set: what the caller has in LD_PRELOAD is not to serve the others. */
  snprintf(preload, sizeof preload, "LD_PRELOAD=%s",
           contestant->preload != NULL ? contestant->preload : "");
  const struct child child = {
      .argv = (const char *const[]){child_self(), "bench", "pairs", child_option, seconds, NULL},
      .environment = (const char *const[]){preload, NULL},
      .timeout_s = 60,
      .tick = progress_tick,
      .tick_context = progress,
  };
  char *out, *err;
  int status = child_run(&child, &out, &err);
  json_error_t error;
  json_t *line = status == 0 && out != NULL ? json_loads(out, 0, &error) : NULL;
  const json_t *ns = json_object_get(line, "ns");
  const char *library = json_string_value(json_object_get(line, "library"));
  bool good = json_array_size(ns) == PAIRS_ROWS && library != NULL;
  if (!good && status != CHILD_INTERRUPTED) {
    progress_end(progress);
    fprintf(stderr, "arenite bench pairs: the run of %s failed (status %d):\n%s", contestant->name,
            status, err != NULL ? err : "");
  }
  /* The dynamic linker only warns when there is nothing to preload. */
  if (good && contestant->preload != NULL && strstr(library, contestant->preload) == NULL) {
    progress_end(progress);
    fprintf(stderr, "arenite bench pairs: %s is missing: please install the Debian package %s.\n",
            contestant->preload, contestant->package);
    good = false;
  }
  for (int row = 0; good && row < PAIRS_ROWS; row++)
    pairs->ns[index][row][round] = json_number_value(json_array_get(ns, (size_t)row));
  if (good && pairs->library[index] == NULL)
    pairs->library[index] = strdup(library);
  json_decref(line);
  free(out);
  free(err);
  return good ? 0 : 1;
}

/* The fastest of those that are not Arenite, in this row. */
static int best_rival(const struct pairs *pairs, int row) {
  int best = SYSTEM;
  for (int i = SYSTEM; i < CONTESTANTS; i++)
    if (pairs->median[i][row] < pairs->median[best][row])
      best = i;
  return best;
}

/* Time of the best rival / time of one of ours: above 1, ours is the faster. */
static double ratio(const struct pairs *pairs, int ours, int row) {
  return pairs->median[best_rival(pairs, row)][row] / pairs->median[ours][row];
}

/* The geometric mean over the rows, against one contestant or (-1) the best of each row. */
static double mean_ratio(const struct pairs *pairs, int ours, int rival) {
  double ratios[PAIRS_ROWS];
  for (int row = 0; row < PAIRS_ROWS; row++)
    ratios[row] =
        rival < 0 ? ratio(pairs, ours, row) : pairs->median[rival][row] / pairs->median[ours][row];
  return numbers_geomean(ratios, PAIRS_ROWS);
}

/* Rows in which ours takes longer than the rival. */
static int rows_slower(const struct pairs *pairs, int ours, int rival) {
  int count = 0;
  for (int row = 0; row < PAIRS_ROWS; row++)
    count += pairs->median[ours][row] > pairs->median[rival][row];
  return count;
}

static void print_text(const struct pairs *pairs) {
  printf(
      "Nanoseconds for malloc + free, %d live blocks, 1 thread; median of %d rounds. Ratios are\n"
      "the rival's time by Arenite's: above 1.00 Arenite is the faster.\n\n",
      PAIRS_LIVE, pairs->rounds);
  printf("%-7s %5s", "pattern", "bytes");
  for (int i = 0; i < CONTESTANTS; i++)
    printf(" %13s", contestants[i].name);
  printf("  %-9s %13s %6s\n", "best rival", "free-threaded", "gil");
  for (int row = 0; row < PAIRS_ROWS; row++) {
    printf("%-7s %5d", pairs_patterns[row % PAIRS_PATTERNS], pairs_sizes[row / PAIRS_PATTERNS]);
    for (int i = 0; i < CONTESTANTS; i++)
      printf(" %13.2f", pairs->median[i][row]);
    printf("  %-10s %13.2f %6.2f\n", contestants[best_rival(pairs, row)].name,
           ratio(pairs, ARENITE_FREE_THREADED, row), ratio(pairs, ARENITE_GIL, row));
  }
  printf("\nFigures (geometric mean over the rows; asked at least 1.00 against mimalloc and "
         "jemalloc):\n");
  static const int ours[] = {ARENITE_FREE_THREADED, ARENITE_GIL};
  for (int o = 0; o < 2; o++) {
    for (int i = SYSTEM; i < CONTESTANTS; i++) {
      double mean = mean_ratio(pairs, ours[o], i);
      const char *verdict = i == SYSTEM ? "" : mean >= 1 ? "met" : "short of";
      printf("  %-13s against %-22s %5.2f  %-9s slower in %d of %d rows\n",
             contestants[ours[o]].name, contestants[i].name, mean, verdict,
             rows_slower(pairs, ours[o], i), PAIRS_ROWS);
    }
    printf("  %-13s against %-22s %5.2f\n", contestants[ours[o]].name, "the best of each row",
           mean_ratio(pairs, ours[o], -1));
  }
  printf("\nServed by:\n");
  for (int i = 0; i < CONTESTANTS; i++)
    printf("  %-13s %s\n", contestants[i].name, pairs->library[i]);
}

static void print_json(const struct pairs *pairs) {
  static const int ours[] = {ARENITE_FREE_THREADED, ARENITE_GIL};
  json_t *rows = json_array(), *means = json_object(), *libraries = json_object();
  for (int row = 0; row < PAIRS_ROWS; row++) {
    json_t *ns = json_object(), *object = json_object();
    for (int i = 0; i < CONTESTANTS; i++)
      json_object_set_new(ns, contestants[i].name, json_real(pairs->median[i][row]));
    json_object_set_new(object, "pattern", json_string(pairs_patterns[row % PAIRS_PATTERNS]));
    json_object_set_new(object, "bytes", json_integer(pairs_sizes[row / PAIRS_PATTERNS]));
    json_object_set_new(object, "ns", ns);
    json_object_set_new(object, "best_rival",
                        json_string(contestants[best_rival(pairs, row)].name));
    for (int o = 0; o < 2; o++) {
      char name[64];
      snprintf(name, sizeof name, "%s_ratio", o == 0 ? "free_threaded" : "gil");
      json_object_set_new(object, name, json_real(ratio(pairs, ours[o], row)));
    }
    json_array_append_new(rows, object);
  }
  for (int o = 0; o < 2; o++) {
    json_t *mean = json_object();
    for (int i = SYSTEM; i < CONTESTANTS; i++)
      json_object_set_new(mean, contestants[i].name, json_real(mean_ratio(pairs, ours[o], i)));
    json_object_set_new(mean, "best_rival", json_real(mean_ratio(pairs, ours[o], -1)));
    json_object_set_new(means, contestants[ours[o]].name, mean);
  }
  for (int i = 0; i < CONTESTANTS; i++)
    json_object_set_new(libraries, contestants[i].name, json_string(pairs->library[i]));
  json_t *root = json_object();
  json_object_set_new(root, "bench", json_string("pairs"));
  json_object_set_new(root, "live_blocks", json_integer(PAIRS_LIVE));
  json_object_set_new(root, "rounds", json_integer(pairs->rounds));
  json_object_set_new(root, "rows", rows);
  json_object_set_new(root, "geometric_mean_ratio", means);
  json_object_set_new(root, "libraries", libraries);
  json_dumpf(root, stdout, JSON_REAL_PRECISION(5));
  putchar('\n');
  json_decref(root);
}

int pairs_run(int rounds, double row_seconds, bool json) {
  struct pairs *pairs = calloc(1, sizeof *pairs);
  if (pairs == NULL) {
    fprintf(stderr, "arenite bench pairs: out of memory.\n");
    return 1;
  }
  struct progress progress;
  progress_start(&progress);
  child_catch_signals();
  pairs->rounds = rounds;
  double each = row_seconds * PAIRS_ROWS + 0.01;
  int status = 0, done = 0;
  for (int round = 0; round < rounds && status == 0; round++)
    for (int i = 0; i < CONTESTANTS && status == 0; i++, done++) {
      int index = (round + i) % CONTESTANTS;
      progress_say(&progress, each * (rounds * CONTESTANTS - done), "Pairs, round %d of %d: %s",
                   round + 1, rounds, contestants[index].name);
      status = run_child(pairs, index, round, row_seconds, &progress);
    }
  progress_end(&progress);
  for (int i = 0; i < CONTESTANTS; i++)
    for (int row = 0; row < PAIRS_ROWS; row++)
      pairs->median[i][row] = numbers_median(pairs->ns[i][row], (size_t)rounds);
  if (status == 0 && json)
    print_json(pairs);
  else if (status == 0)
    print_text(pairs);
  for (int i = 0; i < CONTESTANTS; i++)
    free(pairs->library[i]);
  free(pairs);
  if (child_interrupted() != 0)
    return 128 + child_interrupted();
  return status != 0 || fflush(stdout) != 0 ? 1 : 0;
}
