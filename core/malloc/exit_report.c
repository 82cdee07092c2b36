/* exit_report.c - ARENITE_STATS: the statistics, when the process ends through exit(3). */
#include "exit_report.h"

#include <arenite/runtime.h>
#include <arenite/stats.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "settings.h"

/* Out of the way of programs that count on the numbers of their files. */
#define LEAST_FD 100

/* A copy of pattern with %p replaced by the process's number. */
static void expand(char *path, size_t size, const char *pattern) {
  size_t used = 0;
  for (; *pattern && used + 1 < size; pattern++) {
    if (pattern[0] == '%' && pattern[1] == 'p') {
      int length = snprintf(path + used, size - used, "%d", (int)getpid());
      used += length > 0 ? (size_t)length : 0;
      pattern++;
    } else {
      path[used++] = *pattern;
    }
  }
  path[used < size ? used : size - 1] = '\0';
}

static int write_stats(arn_runtime *runtime, FILE *out, bool json) {
  /* With a GIL nobody's lists may be read but by who holds it. */
  bool gil = arn_runtime_mode(runtime) == ARN_MODE_GIL;
  bool attached = gil && arn_thread_attach(runtime) == 0;
  if (gil && !json)
    fputs("one lock per call: malloc takes the GIL each time, an interpreter keeps its own\n", out);
  int error = json ? arn_stats_json(runtime, out) : arn_stats_text(runtime, out);
  if (attached)
    arn_thread_detach();
  return error;
}

/* What was asked for, as it was at the start, since a program may clear its environment (nginx's
 * workers do); and standard error, because many programs close theirs before they end. */
static char wanted[4096];
static int errors = STDERR_FILENO;

void arn_exit_report_start(void) {
  const char *value = arn_setting_text("ARENITE_STATS");
  if (!value)
    return;
  snprintf(wanted, sizeof wanted, "%s", value);
  /* Only when it is needed: a program may count its open files. */
  if (!strchr(wanted, ':'))
    errors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, LEAST_FD);
}

void arn_exit_report(void) {
  if (!*wanted)
    return;
  const char *colon = strchr(wanted, ':');
  size_t length = colon ? (size_t)(colon - wanted) : strlen(wanted);
  bool json = length == 4 && strncmp(wanted, "json", 4) == 0;
  if (!json && !(length == 4 && strncmp(wanted, "text", 4) == 0)) {
    dprintf(errors, "arenite: ARENITE_STATS=%.64s is not text or json, with :FILE after it\n",
            wanted);
    return;
  }
  arn_runtime *runtime = arn_malloc_runtime();
  if (!runtime)
    return;
  char path[4096] = "standard error";
  if (colon)
    expand(path, sizeof path, colon + 1);
  FILE *out = colon ? fopen(path, "we") : fdopen(dup(errors), "w");
  int error = out ? write_stats(runtime, out, json) : errno;
  if (out && fclose(out) && !error)
    error = errno;
  if (error)
    dprintf(errors, "arenite: cannot write the statistics to %s: %s\n", path, strerror(error));
}
