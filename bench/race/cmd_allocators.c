/* cmd_allocators.c - `arenite bench allocators`: real programs and small ones, raced under the
 * system's allocators and ours. This file reads the command line and owns the directories; race.h
 * does the work and race_report.h tells the result. */
#include "cmd_allocators.h"

#include "asked.h"
#include "compare/child.h"
#include "compare/machine.h"
#include "race.h"
#include "race_report.h"
#include "rows.h"

#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: arenite bench allocators [OPTIONS]\n"
    "Runs programs under other allocators and under ours, in turns, and compares time and peak "
    "RSS.\n"
    "  --rows=LIST          names, separated by commas; churn/2 is churn by 2 threads (default: "
    "all)\n"
    "  --allocators=LIST    of glibc, mimalloc, jemalloc, tcmalloc, tbbmalloc (default: all)\n"
    "  --ours=[NAME=]PATH   a library of ours instead of the built one; may be given again\n"
    "  --rounds=MAX         at most so many rounds of a row (default 30)\n"
    "  --min-rounds=N       at least so many (default 6)\n"
    "  --budget=SECONDS     what the rows may take together beyond those (default 1500)\n"
    "  --scale=X            size of the work (default 1)\n"
    "  --no-figures         only the rows\n"
    "  --out=DIR            for allocators.json and allocators.html (default build/report)\n"
    "  --quick              two rounds at a small scale: shows that it works, measures nothing\n";

static const double quick_scale = 0.05;
static const int figure_rounds = 3;

struct options {
  struct race race;
  const char *rows, *allocators, *out;
  const char *ours[CONTESTANTS_MAX];
  int ours_count;
  bool no_figures, quick;
};

static int bad(const char *sentence, const char *what) {
  fprintf(stderr, "arenite bench allocators: ");
  fprintf(stderr, sentence, what);
  fputc('\n', stderr);
  return 2;
}

static bool parse_number(const char *text, double least, double most, double *value) {
  char *end;
  errno = 0;
  *value = strtod(text, &end);
  return errno == 0 && end != text && *end == '\0' && *value >= least && *value <= most;
}

static bool parse_rounds(const char *text, int *rounds) {
  double number;
  if (!parse_number(text, 1, ROUNDS_LIMIT, &number) || number != floor(number))
    return false;
  *rounds = (int)number;
  return true;
}

/* Those that were not given are settled afterwards, as one may follow from another. */
static int settle(struct options *options, double scale) {
  struct race *race = &options->race;
  bool least_given = race->rounds_least != 0;
  if (!least_given)
    race->rounds_least = options->quick ? 2 : 6;
  if (race->rounds_most == 0)
    race->rounds_most = options->quick ? race->rounds_least : 30;
  if (race->rounds_least > race->rounds_most) {
    if (least_given)
      return bad("--min-rounds%s is more than --rounds.", "");
    race->rounds_least = race->rounds_most;
  }
  race->scale = !isnan(scale) ? scale : options->quick ? quick_scale : 1;
  return 0;
}

static int parse(int argc, char **argv, struct options *options) {
  static const struct option longs[] = {{"rows", required_argument, NULL, 'r'},
                                        {"allocators", required_argument, NULL, 'a'},
                                        {"ours", required_argument, NULL, 'm'},
                                        {"rounds", required_argument, NULL, 'x'},
                                        {"min-rounds", required_argument, NULL, 'n'},
                                        {"budget", required_argument, NULL, 'b'},
                                        {"scale", required_argument, NULL, 's'},
                                        {"no-figures", no_argument, NULL, 'f'},
                                        {"out", required_argument, NULL, 'o'},
                                        {"quick", no_argument, NULL, 'q'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};
  struct race *race = &options->race;
  double scale = NAN;
  options->out = "build/report";
  race->budget_s = 1500;
  optind = 0; /* this is not the first getopt of the process */
  for (int option; (option = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
    switch (option) {
    case 'r':
      options->rows = optarg;
      break;
    case 'a':
      options->allocators = optarg;
      break;
    case 'm':
      if (options->ours_count == CONTESTANTS_MAX)
        return bad("--ours was given too often%s.", "");
      options->ours[options->ours_count++] = optarg;
      break;
    case 'x':
      if (!parse_rounds(optarg, &race->rounds_most))
        return bad("--rounds wants a whole number from 1 to 99, not \"%s\".", optarg);
      break;
    case 'n':
      if (!parse_rounds(optarg, &race->rounds_least))
        return bad("--min-rounds wants a whole number from 1 to 99, not \"%s\".", optarg);
      break;
    case 'b':
      if (!parse_number(optarg, 0, 86400, &race->budget_s))
        return bad("--budget wants a number of seconds, not \"%s\".", optarg);
      break;
    case 's':
      if (!parse_number(optarg, 0.001, 100, &scale))
        return bad("--scale wants a number from 0.001 to 100, not \"%s\".", optarg);
      break;
    case 'f':
      options->no_figures = true;
      break;
    case 'o':
      options->out = optarg;
      break;
    case 'q':
      options->quick = true;
      break;
    case 'h':
      fputs(usage, stdout);
      return -1;
    default:
      fputs(usage, stderr);
      return 2;
    }
  }
  if (optind < argc)
    return bad("\"%s\" is not an option; --help lists them.", argv[optind]);
  return settle(options, scale);
}

/* mkdir -p. */
static int make_directories(const char *path) {
  char part[PATH_MAX];
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof part) {
    errno = length == 0 ? ENOENT : ENAMETOOLONG;
    return -1;
  }
  for (size_t i = 1; i <= length; i++)
    if (path[i] == '/' || path[i] == '\0') {
      memcpy(part, path, i);
      part[i] = '\0';
      if (mkdir(part, 0777) != 0 && errno != EEXIST)
        return -1;
    }
  return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place) {
  (void)status;
  (void)type;
  (void)place;
  return remove(path);
}

static void tell_command(struct race_report *report, int argc, char **argv) {
  size_t used = (size_t)snprintf(report->command, sizeof report->command, "arenite bench");
  for (int i = 0; i < argc && used < sizeof report->command; i++)
    used += (size_t)snprintf(report->command + used, sizeof report->command - used, " %s", argv[i]);
}

/* Variables of the environment that make an allocator behave otherwise than by itself. */
static void tell_settings(json_t *machine) {
  static const char *const prefixes[] = {"ARENITE_",  "GLIBC_TUNABLES", "MALLOC_", "MIMALLOC_",
                                         "TCMALLOC_", "TBB_MALLOC_",    "_RJEM_"};
  char text[400] = "";
  size_t used = 0;
  for (char **variable = environ; *variable != NULL; variable++)
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
      if (strncmp(*variable, prefixes[i], strlen(prefixes[i])) == 0 && used < sizeof text)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? " " : "",
                                 *variable);
  if (used > 0)
    json_object_set_new(machine, "environment", json_string(text));
}

/* What speaks against the run. */
static void tell_note(const struct race *race, struct race_report *report) {
  static const double others_most = 0.03;
  double others = 0, seconds = 0;
  int repeated = 0, kept = 0;
  for (int i = 0; i < race->row_count; i++) {
    const struct row *row = &race->rows[i];
    repeated += row->repeated;
    kept += row->kept;
    if (isfinite(row->others)) {
      others += row->others * row->seconds;
      seconds += row->seconds;
    }
  }
  others = seconds > 0 ? others / seconds : 0;
  size_t used = 0;
  if (repeated > 0)
    used = (size_t)snprintf(report->note, sizeof report->note,
                            "The processors were taken away in %d round%s, which %s repeated%s. ",
                            repeated + kept, repeated + kept == 1 ? "" : "s",
                            repeated + kept == 1 ? "was" : "were",
                            kept > 0 ? " as often as patience allowed" : "");
  if (others > others_most)
    snprintf(report->note + used, sizeof report->note - used,
             "Take this run with care: other programs used %.0f %% of the processors meanwhile.",
             100 * others);
}

static int write_reports(const struct race_report *report, const char *out) {
  char json[PATH_MAX], html[PATH_MAX];
  race_text(report, stdout);
  if (snprintf(json, sizeof json, "%s/allocators.json", out) >= (int)sizeof json ||
      snprintf(html, sizeof html, "%s/allocators.html", out) >= (int)sizeof html)
    return bad("the name of the directory %s is too long.", out);
  if (race_json(report, json) != 0 || race_html(report, html) != 0)
    return 1;
  printf("\nWritten: %s and %s\n", json, html);
  return fflush(stdout) == 0 ? 0 : 1;
}

/* Did every one of ours run everywhere? */
static bool all_ours_ran(const struct race *race) {
  for (int i = 0; i < race->row_count; i++)
    for (int k = race->contestants.first_ours; k < race->contestants.count; k++)
      if (race->rows[i].lane[k].left_out[0] != '\0')
        return false;
  return true;
}

/* Everything that happens in the directories. */
static int run(struct options *options, const char *out, int argc, char **argv) {
  struct race *race = &options->race;
  struct outcome *outcome = calloc(1, sizeof *outcome);
  struct race_report report = {.race = race, .outcome = outcome, .machine = machine_describe()};
  if (outcome == NULL || report.machine == NULL) {
    fprintf(stderr, "arenite bench allocators: out of memory.\n");
    return 1;
  }
  tell_settings(report.machine);
  progress_start(&race->progress);
  int status = race_run(race);
  if (status == 0)
    asked_of_rows(race, outcome);
  if (status == 0 && !options->no_figures)
    status = asked_of_figures(race, options->quick ? 1 : figure_rounds, outcome);
  progress_end(&race->progress);
  if (status != 0) {
    status = child_interrupted() != 0 ? 128 + child_interrupted() : 1;
  } else {
    tell_command(&report, argc, argv);
    tell_note(race, &report);
    status = write_reports(&report, out);
    if (status == 0 && !all_ours_ran(race))
      status = 1;
  }
  json_decref(report.machine);
  free(outcome);
  return status;
}

/* The contestants and the rows, and whether all is there that they need. */
static int prepare(struct options *options) {
  struct race *race = &options->race;
  int status = rows_take(race, options->rows);
  if (status == 0)
    status = contestants_take(&race->contestants, options->allocators);
  if (status == 0 && options->ours_count == 0)
    status = contestants_take_ours(&race->contestants, NULL);
  for (int i = 0; i < options->ours_count && status == 0; i++)
    status = contestants_take_ours(&race->contestants, options->ours[i]);
  if (status == 0)
    status = rows_check(race);
  if (status == 0)
    status = contestants_check(&race->contestants);
  return status;
}

int bench_allocators(int argc, char **argv) {
  static struct options options;
  int status = parse(argc, argv, &options);
  if (status != 0)
    return status < 0 ? 0 : status;
  child_catch_signals();
  status = prepare(&options);
  char *out = NULL;
  if (status == 0) {
    out = make_directories(options.out) == 0 ? realpath(options.out, NULL) : NULL;
    if (out == NULL) {
      fprintf(stderr, "arenite bench allocators: cannot make the directory %s: %s.\n", options.out,
              strerror(errno));
      status = 1;
    }
  }
  if (status == 0) {
    const char *temporary = getenv("TMPDIR");
    char work[PATH_MAX];
    snprintf(work, sizeof work, "%s/arenite-race-XXXXXX",
             temporary != NULL && temporary[0] == '/' ? temporary : "/tmp");
    if (mkdtemp(work) == NULL) {
      fprintf(stderr, "arenite bench allocators: cannot make the directory %s: %s.\n", work,
              strerror(errno));
      status = 1;
    } else {
      options.race.work = work;
      status = run(&options, out, argc, argv);
      nftw(work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
  }
  free(out);
  race_free(&options.race);
  return status;
}
