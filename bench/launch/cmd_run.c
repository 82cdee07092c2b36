/* cmd_run.c - `arenite run`: runs a program with Arenite as its malloc.
 *
 * Puts the library and its settings into the environment and becomes the program, so there is no
 * process in between: signals, the exit status and the process's number are the program's own. What
 * the program starts inherits the environment, and the malloc with it. */
#include "cli/commands.h"
#include "launch/known.h"
#include "launch/preload.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From the directory of the command: in the build tree, and when installed. */
#define IN_BUILD_TREE "../lib/libarenite-malloc.so.0"
#ifndef ARENITE_MALLOC_INSTALLED
#define ARENITE_MALLOC_INSTALLED IN_BUILD_TREE
#endif

static const char usage[] =
    "usage: arenite run [OPTIONS] -- PROGRAM [ARGS]\n"
    "Runs a program, and what it starts, with libarenite-malloc as malloc.\n"
    "  --mode=MODE         free-threaded (the default) or gil: one lock per call\n"
    "  --stats[=FORM]      the statistics of each process when it ends through exit(3), as text "
    "or\n"
    "                      json, on standard error\n"
    "  --stats-file=FILE   there instead; %p in FILE is the process's number\n"
    "  --set NAME=VALUE    ARENITE_NAME=VALUE in the environment\n"
    "  --print             print what would be put into the environment; run nothing\n"
    "  --help              this\n"
    "The exit status is the program's; 2 for a command line that is not right, 1 when the library\n"
    "is missing, 127 when the program is not found, 126 when it cannot be run.\n";

enum { MOST_ASSIGNMENTS = 64 };

struct launch {
  char *assignments[MOST_ASSIGNMENTS]; /* NAME=VALUE; a later one wins */
  int count;
  const char *form, *file; /* of the statistics; NULL: not said */
  bool print;
};

static int refuse(const char *format, ...) {
  va_list words;
  va_start(words, format);
  fputs("arenite run: ", stderr);
  vfprintf(stderr, format, words);
  fputs("\n", stderr);
  va_end(words);
  return 2;
}

/* --- The environment ---------------------------------------------------------------------------- */

static int assign(struct launch *launch, const char *name, const char *value) {
  if (launch->count == MOST_ASSIGNMENTS)
    return refuse("more than %d settings", MOST_ASSIGNMENTS);
  if (asprintf(&launch->assignments[launch->count], "%s=%s", name, value) < 0)
    return refuse("no memory");
  launch->count++;
  return 0;
}

static int set_mode(struct launch *launch, const char *mode) {
  if (strcmp(mode, "gil") != 0 && strcmp(mode, "free-threaded") != 0)
    return refuse("the mode is gil or free-threaded, not '%s'", mode);
  return assign(launch, "ARENITE_MODE", mode);
}

/* NAME=VALUE. What a value means the library judges, in the program; but for the mode. */
static int set_named(struct launch *launch, const char *words) {
  const char *equals = strchr(words, '=');
  if (!equals)
    return refuse("--set wants NAME=VALUE, not '%s'", words);
  const char *name = known_setting(words, (size_t)(equals - words));
  if (!name) {
    fprintf(stderr, "arenite run: there is no setting '%.*s'; there are ", (int)(equals - words),
            words);
    known_settings_list(stderr);
    fputs("\n", stderr);
    return 2;
  }
  if (strcmp(name, "ARENITE_MODE") == 0)
    return set_mode(launch, equals + 1);
  return assign(launch, name, equals + 1);
}

/* ARENITE_STATS=FORM[:FILE]. The file is meant from here, wherever the program goes. */
static int set_stats(struct launch *launch) {
  if (!launch->form && !launch->file)
    return 0;
  const char *form = launch->form ? launch->form : "text";
  if (strcmp(form, "text") != 0 && strcmp(form, "json") != 0)
    return refuse("the statistics are text or json, not '%s'", form);
  if (!launch->file)
    return assign(launch, "ARENITE_STATS", form);
  if (!*launch->file)
    return refuse("--stats-file wants the name of a file");
  char *here = *launch->file == '/' ? strdup("") : getcwd(NULL, 0);
  char *value;
  if (!here || asprintf(&value, "%s:%s%s%s", form, here, *here ? "/" : "", launch->file) < 0)
    return refuse("the current directory: %s", strerror(errno));
  int status = assign(launch, "ARENITE_STATS", value);
  free(value);
  free(here);
  return status;
}

/* Under the library's own name, whatever file it is a link to. */
static bool find_library(char path[2 * PATH_MAX]) {
  static const char *const places[] = {IN_BUILD_TREE, ARENITE_MALLOC_INSTALLED};
  char self[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length <= 0)
    return false;
  self[length] = '\0';
  *(strrchr(self, '/') + 1) = '\0';
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    char candidate[2 * PATH_MAX], directory[PATH_MAX];
    snprintf(candidate, sizeof candidate, "%s%s", self, places[i]);
    char *name = strrchr(candidate, '/');
    *name++ = '\0';
    if (!realpath(candidate, directory))
      continue;
    snprintf(path, 2 * PATH_MAX, "%s/%s", directory, name);
    if (access(path, R_OK) == 0)
      return true;
  }
  return false;
}

/* Before what is preloaded already. */
static int set_preload(struct launch *launch) {
  char library[2 * PATH_MAX];
  if (!find_library(library)) {
    refuse("libarenite-malloc.so.0 is neither at %s nor at %s from the command (a build of the "
           "classic geometry, or with a sanitizer, has none)",
           IN_BUILD_TREE, ARENITE_MALLOC_INSTALLED);
    return 1;
  }
  if (strpbrk(library, " :"))
    return refuse("%s: a path with a space or a colon cannot be preloaded (ld.so(8))", library);
  const char *before = getenv("LD_PRELOAD");
  char *value;
  if (asprintf(&value, "%s%s%s", library, before && *before ? ":" : "", before ? before : "") < 0)
    return refuse("no memory");
  int status = assign(launch, "LD_PRELOAD", value);
  free(value);
  return status;
}

/* --- The command line --------------------------------------------------------------------------- */

/* -1 when there is nothing left to do. */
static int parse(int argc, char **argv, struct launch *launch) {
  static const struct option longs[] = {{"mode", required_argument, NULL, 'm'},
                                        {"stats", optional_argument, NULL, 's'},
                                        {"stats-file", required_argument, NULL, 'f'},
                                        {"set", required_argument, NULL, 'e'},
                                        {"print", no_argument, NULL, 'p'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};
  optind = 0; /* this is not the first getopt of the process */
  opterr = 0;
  int status = 0;
  for (int option; status == 0 && (option = getopt_long(argc, argv, "+:", longs, NULL)) != -1;) {
    switch (option) {
    case 'm':
      status = set_mode(launch, optarg);
      break;
    case 's':
      launch->form = optarg ? optarg : "text";
      break;
    case 'f':
      launch->file = optarg;
      break;
    case 'e':
      status = set_named(launch, optarg);
      break;
    case 'p':
      launch->print = true;
      break;
    case 'h':
      fputs(usage, stdout);
      return -1;
    case ':':
      return refuse("%s wants a value; 'arenite run --help' says which", argv[optind - 1]);
    default:
      return refuse("'%s' is not an option; 'arenite run --help' lists them", argv[optind - 1]);
    }
  }
  if (status == 0 && optind >= argc && !launch->print)
    return refuse("no program is named; 'arenite run --help' says how");
  return status;
}

/* --- The program -------------------------------------------------------------------------------- */

/* Returns only by failing. */
static int become(char **argv) {
  char path[PATH_MAX], whom[PATH_MAX];
  const char *reason = preload_find(argv[0], path) ? preload_refused(path, whom) : NULL;
  if (reason)
    return refuse("%s %s", whom, reason);
  execvp(argv[0], argv);
  int error = errno;
  refuse("%s: %s", argv[0], strerror(error));
  return error == ENOENT ? 127 : 126;
}

int arn_cmd_run(int argc, char **argv) {
  struct launch launch = {.count = 0};
  int status = parse(argc, argv, &launch);
  if (status)
    return status < 0 ? 0 : status;
  status = set_stats(&launch);
  if (!status)
    status = set_preload(&launch);
  for (int i = 0; !status && i < launch.count; i++) {
    if (launch.print)
      puts(launch.assignments[i]);
    else if (putenv(launch.assignments[i]) != 0)
      status = refuse("the environment: %s", strerror(errno));
  }
  return status || launch.print ? status : become(argv + optind);
}
