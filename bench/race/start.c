/* start.c - see start.h.
 *
 * The processes are made by posix_spawn, which does not copy our own memory for each, and get no
 * variable but LD_PRELOAD. The libraries take turns run by run: whatever disturbs the machine for
 * more than a millisecond disturbs them all. */
#include "start.h"

#include "compare/child.h"
#include "compare/clock.h"

#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static char program[] = "/bin/true";

static int run_once(char *const environment[], double *us) {
  char *const arguments[] = {program, NULL};
  pid_t process;
  int status;
  double start = clock_seconds();
  int error = posix_spawn(&process, program, NULL, NULL, arguments, environment);
  if (error != 0) {
    fprintf(stderr, "arenite bench allocators: cannot start %s: %s.\n", program, strerror(error));
    return -1;
  }
  while (waitpid(process, &status, 0) != process)
    ;
  *us = (clock_seconds() - start) * 1e6;
  if (status == 0)
    return 0;
  fprintf(stderr, "arenite bench allocators: %s under %s ended with status %d.\n", program,
          environment[0] != NULL ? environment[0] : "nothing", status);
  return -1;
}

int start_measure(const char *const *libraries, int count, int runs, double *const *us) {
  for (int run = 0; run < runs; run++)
    for (int i = 0; i < count; i++) {
      int index = (run + i) % count;
      char preload[PATH_MAX + 16];
      snprintf(preload, sizeof preload, "LD_PRELOAD=%s", libraries[index]);
      char *const environment[] = {libraries[index][0] != '\0' ? preload : NULL, NULL};
      if (child_interrupted() != 0 || run_once(environment, &us[index][run]) != 0)
        return -1;
    }
  return 0;
}
