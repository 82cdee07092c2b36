/* programs.c - see programs.h. The scripts are looked for in $ARENITE_WORKLOADS, beside the command
 * (the build tree), and in the installed share directory. */
#include "programs.h"

#include "child.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef ARENITE_WORKLOADS_INSTALLED
#define ARENITE_WORKLOADS_INSTALLED "../share/arenite/workloads"
#endif

const struct program programs[PROGRAM_COUNT] = {
    {"python",
     "python3 with PYTHONMALLOC=malloc: json round trips, compileall of part of its own library",
     false,
     {{"/usr/bin/python3", "python3"}}},
    {"sqlite3",
     "sqlite3: 100,000 inserts, two indexes, joins, an ordered scan",
     false,
     {{"sqlite3", "sqlite3"}}},
    {"redis",
     "redis-server with two io threads, under redis-benchmark",
     true,
     {{"redis-server", "redis-server"},
      {"redis-benchmark", "redis-tools"},
      {"redis-cli", "redis-tools"}}},
    {"git",
     "git: init, add, commit, log, blame, gc and fsck over a generated tree",
     false,
     {{"git", "git"}}},
};

const struct program *program_find(const char *name, size_t length) {
  for (int i = 0; i < PROGRAM_COUNT; i++)
    if (strlen(programs[i].name) == length && memcmp(programs[i].name, name, length) == 0)
      return &programs[i];
  return NULL;
}

static bool command_exists(const char *command) {
  if (strchr(command, '/') != NULL)
    return access(command, X_OK) == 0;
  const char *path = getenv("PATH");
  if (path == NULL)
    path = "/usr/local/bin:/usr/bin:/bin";
  while (*path != '\0') {
    size_t length = strcspn(path, ":");
    char file[PATH_MAX];
    int n = snprintf(file, sizeof file, "%.*s/%s", (int)length, path, command);
    if (n > 0 && (size_t)n < sizeof file && access(file, X_OK) == 0)
      return true;
    path += length;
    path += *path == ':';
  }
  return false;
}

bool program_installed(const struct program *program) {
  for (int i = 0; program->needs[i].command != NULL; i++)
    if (!command_exists(program->needs[i].command)) {
      fprintf(stderr,
              "arenite compare: %s is missing: please install the Debian package %s, or leave the "
              "program out with --programs.\n",
              program->needs[i].command, program->needs[i].package);
      return false;
    }
  return true;
}

static bool script_at(char *path, size_t size, const char *directory, const char *name) {
  int n = snprintf(path, size, "%s/%s.sh", directory, name);
  return n > 0 && (size_t)n < size && access(path, R_OK) == 0;
}

static bool find_script(char *path, size_t size, const char *name) {
  const char *asked = getenv("ARENITE_WORKLOADS");
  if (asked != NULL && asked[0] != '\0')
    return script_at(path, size, asked, name);
  const char *self = child_self();
  if (self == NULL)
    return false;
  const char *slash = strrchr(self, '/');
  char directory[PATH_MAX];
  const char *places[] = {"workloads", ARENITE_WORKLOADS_INSTALLED};
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    int n = snprintf(directory, sizeof directory, "%.*s/%s", (int)(slash - self), self, places[i]);
    if (n > 0 && (size_t)n < sizeof directory && script_at(path, size, directory, name))
      return true;
  }
  return false;
}

int program_record(const struct program *program, const char *work, const char *trace, bool quick,
                   void (*tick)(void *context), void *context) {
  char script[PATH_MAX], found[PATH_MAX], command[PATH_MAX + 16], output[PATH_MAX + 16];
  if (!find_script(found, sizeof found, program->name) || realpath(found, script) == NULL) {
    fprintf(stderr,
            "arenite compare: the script %s.sh is neither beside the command nor installed; set "
            "ARENITE_WORKLOADS to its directory.\n",
            program->name);
    return -1;
  }
  snprintf(command, sizeof command, "ARENITE=%s", child_self());
  snprintf(output, sizeof output, "TRACE=%s", trace);
  const struct child child = {
      .argv = (const char *const[]){"/bin/sh", script, NULL},
      .environment = (const char *const[]){command, output, quick ? "SCALE=10" : "SCALE=100",
                                           "LC_ALL=C", NULL},
      .directory = work,
      .timeout_s = 150,
      .tick = tick,
      .tick_context = context,
  };
  char *out, *err;
  int status = child_run(&child, &out, &err);
  if (status == 0 && access(trace, R_OK) != 0)
    status = CHILD_NO_START;
  if (status == CHILD_TIMEOUT)
    fprintf(stderr, "arenite compare: recording %s took longer than %.0f s.\n", program->name,
            child.timeout_s);
  else if (status != 0 && status != CHILD_INTERRUPTED)
    fprintf(stderr, "arenite compare: recording %s failed (status %d)%s%s\n", program->name, status,
            err != NULL && err[0] != '\0' ? ":\n" : ".", err != NULL ? err : "");
  free(out);
  free(err);
  return status == 0 ? 0 : -1;
}
