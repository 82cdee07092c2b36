/* cmd_replay.c - `arenite replay`: the command line, and how the result is said. */
#include "cli/commands.h"
#include "replay/plan.h"
#include "replay/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: arenite replay FILE --mode=gil|free-threaded|system|null [OPTIONS]\n"
    "  --threads=N|own          N threads that each run the whole recording, or the recorded ones "
    "(1)\n"
    "  --safepoint=N            operations between two safepoints (100)\n"
    "  --think=none|recorded    leave out the time between operations, or spend it (none)\n"
    "  --min-time=SECONDS       repeat a short recording for so long (0.5)\n"
    "  --passes=N               or exactly so many times\n"
    "  --cache=DIR              keep there what is made ready of a recording\n"
    "  --check                  verify the contents of every block\n"
    "  --json                   one JSON object on one line\n";

static const char *const mode_names[] = {
    [REPLAY_NULL] = "null",
    [REPLAY_SYSTEM] = "system",
    [REPLAY_GIL] = "gil",
    [REPLAY_FREE_THREADED] = "free-threaded",
};

struct arguments {
  const char *file, *cache;
  bool has_mode, json;
  struct replay_options options;
};

static bool parse_number(const char *text, uint32_t least, uint32_t most, uint32_t *value) {
  char *end;
  unsigned long number = strtoul(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || number < least || number > most)
    return false;
  *value = (uint32_t)number;
  return true;
}

static bool parse_mode(const char *text, enum replay_mode *mode) {
  for (size_t i = 0; i < sizeof mode_names / sizeof mode_names[0]; i++)
    if (strcmp(text, mode_names[i]) == 0) {
      *mode = (enum replay_mode)i;
      return true;
    }
  return false;
}

static bool parse_seconds(const char *text, double *value) {
  char *end;
  *value = strtod(text, &end);
  return *text && !*end && *value >= 0 && *value <= 3600;
}

/* One option with its value; false when either is not known. */
static bool parse_option(struct arguments *a, const char *name, size_t length, const char *value) {
  struct replay_options *options = &a->options;
#define IS(text) (length == sizeof text - 1 && memcmp(name, text, length) == 0)
  if (!value) {
    a->json |= IS("--json");
    options->check |= IS("--check");
    return IS("--json") || IS("--check");
  }
  if (IS("--mode"))
    return a->has_mode = parse_mode(value, &options->mode);
  if (IS("--threads")) {
    options->threads = 0;
    return strcmp(value, "own") == 0 || parse_number(value, 1, 4096, &options->threads);
  }
  if (IS("--safepoint"))
    return parse_number(value, 1, 1000000000, &options->safepoint);
  if (IS("--passes"))
    return parse_number(value, 1, 1000000, &options->passes);
  if (IS("--min-time"))
    return parse_seconds(value, &options->min_seconds);
  if (IS("--think")) {
    options->think = strcmp(value, "recorded") == 0;
    return options->think || strcmp(value, "none") == 0;
  }
  a->cache = value;
  return IS("--cache") && *value;
#undef IS
}

/* 0, or 2 with one sentence. */
static int parse(int argc, char **argv, struct arguments *a) {
  for (int i = 1; i < argc; i++) {
    if (argv[i][0] != '-') {
      if (a->file) {
        fprintf(stderr, "arenite replay: there can be one file, not '%s' too\n", argv[i]);
        return 2;
      }
      a->file = argv[i];
      continue;
    }
    const char *equals = strchr(argv[i], '=');
    size_t length = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
    if (!parse_option(a, argv[i], length, equals ? equals + 1 : NULL)) {
      fprintf(stderr,
              "arenite replay: '%s' is not an option or has a value that it cannot have; "
              "'arenite replay --help' lists them\n",
              argv[i]);
      return 2;
    }
  }
  if (!a->file || !a->has_mode) {
    fprintf(stderr, "arenite replay: %s is missing; 'arenite replay --help' says what is needed\n",
            a->file ? "--mode" : "the file");
    return 2;
  }
  return 0;
}

static void report(const struct arguments *a, const struct replay_result *result) {
  const struct replay_options *options = &a->options;
  const char *mode = mode_names[options->mode];
  char threads[16] = "\"own\"";
  if (options->threads)
    snprintf(threads, sizeof threads, "%" PRIu32, options->threads);
  double mops = (double)result->operations / result->seconds / 1e6;
  double share = (double)result->stats.gil_wait_ns * 1e-9 / (result->threads * result->seconds);
  if (a->json) {
    printf("{\"mode\": \"%s\", \"threads\": %s, \"replay_threads\": %" PRIu32
           ", \"safepoint\": %" PRIu32 ", \"think\": \"%s\", \"ops\": %" PRIu64
           ", \"passes\": %" PRIu64 ", \"seconds\": %.6f, \"mops\": %.4f, \"peak_rss_kib\": %ld"
           ", \"gil_wait_share\": %.6f, \"gil_waits\": %" PRIu64 ", \"gil_switches\": %" PRIu64
           ", \"turn_waits\": %" PRIu64 "}\n",
           mode, threads, result->threads, options->safepoint, options->think ? "recorded" : "none",
           result->operations, result->passes, result->seconds, mops, result->peak_rss_kib, share,
           result->stats.gil_waits, result->stats.gil_switches, result->slow_waits);
    return;
  }
  printf("%s, %" PRIu32 " thread%s%s: %.2f million operations per second (%" PRIu64 " in %.3f s, "
         "%" PRIu64 " pass%s), peak RSS %.1f MiB",
         mode, result->threads, result->threads == 1 ? "" : "s",
         options->threads ? "" : " as recorded", mops, result->operations, result->seconds,
         result->passes, result->passes == 1 ? "" : "es", (double)result->peak_rss_kib / 1024);
  if (options->mode == REPLAY_GIL)
    printf(", %.1f %% of the time waiting for the GIL, %" PRIu64 " switches", 100 * share,
           result->stats.gil_switches);
  printf("\n");
}

int arn_cmd_replay(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--help") == 0) {
    fputs(usage, stdout);
    return 0;
  }
  struct arguments arguments = {.options = {.threads = 1, .safepoint = 100, .min_seconds = 0.5}};
  int status = parse(argc, argv, &arguments);
  if (status)
    return status;
  struct plan plan;
  status = plan_make(&plan, arguments.file, arguments.options.threads == 0, arguments.cache);
  if (status)
    return status;
  struct replay_result result;
  status = replay_run(&plan, &arguments.options, &result);
  if (status)
    return status;
  report(&arguments, &result);
  return 0;
}
