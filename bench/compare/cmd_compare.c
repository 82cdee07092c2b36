/* cmd_compare.c - `arenite compare`: records real programs, replays them in every mode, and says
 * what a GIL costs and what free threading gains. This file reads the command line and owns the
 * directories; measure.h does the work and report.h tells the result. */
#include "child.h"
#include "cli/commands.h"
#include "machine.h"
#include "measure.h"
#include "report.h"

#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: arenite compare [OPTIONS]\n"
    "Records the allocations of real programs and replays them without an allocator (null), on "
    "the\n"
    "system's malloc, and on Arenite with a GIL and free-threaded.\n"
    "  --programs=LIST      of python, sqlite3, redis, git (default: all), separated by commas\n"
    "  --rounds=N           exactly N rounds (default: at least 3, and more while they fit)\n"
    "  --budget=SECONDS     what the replays may take for more than 3 rounds (default 95)\n"
    "  --min-time=SECONDS   the least time of one replay (default 0.25)\n"
    "  --out DIR            for compare.json and compare.html (default build/report)\n"
    "  --keep-traces DIR    keep the recordings there\n"
    "  --traces DIR         use the recordings kept there, record nothing\n"
    "  --quick              small inputs, one round: shows that it works, measures little\n";

struct options {
  struct results results;
  struct measure measure;
  const char *out;
  const char *keep, *traces;
};

static int bad(const char *sentence, const char *what) {
  fprintf(stderr, "arenite compare: ");
  fprintf(stderr, sentence, what);
  fputc('\n', stderr);
  return 2;
}

static int parse_programs(const char *list, struct results *results) {
  results->program_count = 0;
  while (*list != '\0') {
    size_t length = strcspn(list, ",");
    const struct program *program = program_find(list, length);
    if (program == NULL) {
      fprintf(stderr, "arenite compare: there is no program \"%.*s\"; there are", (int)length,
              list);
      for (int i = 0; i < PROGRAM_COUNT; i++)
        fprintf(stderr, "%s %s", i == 0 ? "" : ",", programs[i].name);
      fprintf(stderr, ".\n");
      return 2;
    }
    bool twice = false;
    for (int i = 0; i < results->program_count; i++)
      twice = twice || results->program[i] == program;
    if (!twice)
      results->program[results->program_count++] = program;
    list += length;
    list += *list == ',';
  }
  if (results->program_count == 0)
    return bad("--programs%s names no program.", "");
  return 0;
}

static bool parse_number(const char *text, double least, double most, double *value) {
  char *end;
  errno = 0;
  *value = strtod(text, &end);
  return errno == 0 && end != text && *end == '\0' && *value >= least && *value <= most;
}

static int parse(int argc, char **argv, struct options *options) {
  static const struct option longs[] = {
      {"programs", required_argument, NULL, 'p'}, {"rounds", required_argument, NULL, 'r'},
      {"budget", required_argument, NULL, 'b'},   {"min-time", required_argument, NULL, 'm'},
      {"out", required_argument, NULL, 'o'},      {"keep-traces", required_argument, NULL, 'k'},
      {"traces", required_argument, NULL, 't'},   {"quick", no_argument, NULL, 'q'},
      {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
  struct results *results = &options->results;
  double number, min_time = NAN;
  for (int i = 0; i < PROGRAM_COUNT; i++)
    results->program[i] = &programs[i];
  results->program_count = PROGRAM_COUNT;
  options->out = "build/report";
  options->measure.budget_s = 95;
  optind = 0; /* this is not the first getopt of the process */
  for (int option; (option = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
    switch (option) {
    case 'p': {
      int status = parse_programs(optarg, results);
      if (status != 0)
        return status;
      break;
    }
    case 'r':
      if (!parse_number(optarg, 1, ROUNDS_MAX, &number) || number != floor(number))
        return bad("--rounds wants a whole number from 1 to 31, not \"%s\".", optarg);
      options->measure.rounds = (int)number;
      break;
    case 'b':
      if (!parse_number(optarg, 0, 86400, &options->measure.budget_s))
        return bad("--budget wants a number of seconds, not \"%s\".", optarg);
      break;
    case 'm':
      if (!parse_number(optarg, 0, 60, &min_time))
        return bad("--min-time wants a number of seconds up to 60, not \"%s\".", optarg);
      break;
    case 'o':
      options->out = optarg;
      break;
    case 'k':
      options->keep = optarg;
      break;
    case 't':
      options->traces = optarg;
      break;
    case 'q':
      results->quick = true;
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
  if (options->keep != NULL && options->traces != NULL)
    return bad("--keep-traces%s and --traces exclude each other.", "");
  if (results->quick && options->measure.rounds == 0)
    options->measure.rounds = 1;
  results->min_time = !isnan(min_time) ? min_time : results->quick ? 0.03 : 0.25;
  return 0;
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

/* The absolute path of a directory that is made when it is not there; NULL after a sentence. */
static char *directory(const char *path) {
  char *absolute = make_directories(path) == 0 ? realpath(path, NULL) : NULL;
  if (absolute == NULL)
    fprintf(stderr, "arenite compare: cannot make the directory %s: %s.\n", path, strerror(errno));
  return absolute;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place) {
  (void)status;
  (void)type;
  (void)place;
  return remove(path);
}

/* 1, 2, 4 ... and all cores: what the table can show and the time allows. */
static void choose_threads(struct results *results) {
  int cores = machine_cores();
  for (int threads = 1; threads < cores && results->thread_count < THREAD_COUNTS_MAX - 1;
       threads *= 2)
    results->threads[results->thread_count++] = threads;
  results->threads[results->thread_count++] = cores;
}

static void tell_command(struct report *report, int argc, char **argv) {
  size_t used = (size_t)snprintf(report->command, sizeof report->command, "arenite");
  for (int i = 0; i < argc && used < sizeof report->command; i++)
    used += (size_t)snprintf(report->command + used, sizeof report->command - used, " %s", argv[i]);
}

static int write_reports(const struct report *report, const char *out) {
  char json[PATH_MAX], html[PATH_MAX];
  report_text(report, stdout);
  if (snprintf(json, sizeof json, "%s/compare.json", out) >= (int)sizeof json ||
      snprintf(html, sizeof html, "%s/compare.html", out) >= (int)sizeof html)
    return bad("the name of the directory %s is too long.", out);
  if (report_json(report, json) != 0 || report_html(report, html) != 0)
    return 1;
  printf("\nWritten: %s and %s\n", json, html);
  return fflush(stdout) == 0 ? 0 : 1;
}

/* Everything that happens in the directories. */
static int compare(struct options *options, const char *out, int argc, char **argv) {
  struct results *results = &options->results;
  struct measure *measure = &options->measure;
  measure->results = results;
  choose_threads(results);
  results->machine = machine_describe();
  if (results->machine == NULL || !results_plan(results)) {
    fprintf(stderr, "arenite compare: out of memory.\n");
    return 1;
  }
  progress_start(&measure->progress);
  int status = measure_record(measure);
  if (status == 0)
    status = measure_replay(measure);
  progress_end(&measure->progress);
  if (status != 0)
    return child_interrupted() != 0 ? 128 + child_interrupted() : 1;

  struct report *report = calloc(1, sizeof *report);
  if (report == NULL)
    return 1;
  report->results = results;
  report->figure_count = figures_of(results, report->figures);
  figures_sentence(results, report->sentence, sizeof report->sentence);
  figures_note(results, report->note, sizeof report->note);
  tell_command(report, argc, argv);
  status = write_reports(report, out);
  free(report);
  return status;
}

int arn_cmd_compare(int argc, char **argv) {
  static struct options options;
  int status = parse(argc, argv, &options);
  if (status != 0)
    return status < 0 ? 0 : status;
  for (int i = 0; i < options.results.program_count && options.traces == NULL; i++)
    if (!program_installed(options.results.program[i]))
      return 1;

  const char *temporary = getenv("TMPDIR");
  char work[PATH_MAX];
  snprintf(work, sizeof work, "%s/arenite-compare-XXXXXX",
           temporary != NULL && temporary[0] == '/' ? temporary : "/tmp");
  char *out = directory(options.out);
  char *traces = NULL; /* NULL: they are thrown away with the rest of work */
  bool ready = out != NULL;
  if (ready && options.traces != NULL) {
    traces = realpath(options.traces, NULL);
    ready = traces != NULL;
    if (!ready)
      fprintf(stderr, "arenite compare: %s: %s.\n", options.traces, strerror(errno));
  } else if (ready && options.keep != NULL) {
    traces = directory(options.keep);
    ready = traces != NULL;
  }
  status = 1;
  if (ready) {
    child_catch_signals();
    if (mkdtemp(work) == NULL) {
      fprintf(stderr, "arenite compare: cannot make the directory %s: %s.\n", work,
              strerror(errno));
    } else {
      options.measure.work = work;
      options.measure.traces = traces != NULL ? traces : work;
      options.measure.reuse = options.traces != NULL;
      status = compare(&options, out, argc, argv);
      nftw(work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
  }
  results_free(&options.results);
  free(out);
  free(traces);
  return status;
}
