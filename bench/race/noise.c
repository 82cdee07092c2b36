/* noise.c - see noise.h. What the system does not tell counts as nothing. */
#include "noise.h"

#include "compare/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Of all processor time in a round; the counters move in steps of a hundredth of a second, so one
 * step in a short round is not bad yet. */
static const double stolen_most = 0.01, stolen_step_s = 0.011;

static void read_processors(struct noise *noise) {
  double user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0;
  FILE *in = fopen("/proc/stat", "re");
  if (in == NULL)
    return;
  if (fscanf(in, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &user, &nice, &system, &idle, &wait, &irq,
             &soft, &steal) == 8) {
    double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
    noise->stolen = steal * tick;
    noise->busy = (user + nice + system + irq + soft) * tick;
  }
  fclose(in);
}

static bool read_throttled(const char *path, double *count) {
  char line[128];
  bool found = false;
  FILE *in = fopen(path, "re");
  while (in != NULL && !found && fgets(line, sizeof line, in) != NULL)
    found = sscanf(line, "nr_throttled %lf", count) == 1;
  if (in != NULL)
    fclose(in);
  return found;
}

/* Of our control group; where it is not to be seen, as in a container, of the one that stands at
 * the top there. Both versions of control groups have the file, in other places. */
static double throttled(void) {
  char line[512] = "", path[640];
  double count = 0;
  FILE *in = fopen("/proc/self/cgroup", "re");
  while (in != NULL && fgets(line, sizeof line, in) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    const char *group = strrchr(line, ':');
    bool unified = strncmp(line, "0::", 3) == 0, cpu = strstr(line, ":cpu") != NULL;
    if (group == NULL || (!unified && !cpu) || strstr(line, ":cpuset:") != NULL)
      continue;
    snprintf(path, sizeof path, "/sys/fs/cgroup%s%s/cpu.stat", unified ? "" : "/cpu", group + 1);
    if (read_throttled(path, &count))
      break;
  }
  if (in != NULL)
    fclose(in);
  if (count == 0 && !read_throttled("/sys/fs/cgroup/cpu.stat", &count))
    read_throttled("/sys/fs/cgroup/cpu/cpu.stat", &count);
  return count;
}

static double children_seconds(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_CHILDREN, &usage) != 0)
    return 0;
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

struct noise noise_now(void) {
  struct noise noise = {.at = clock_seconds(), .throttled = throttled(), .own = children_seconds()};
  read_processors(&noise);
  return noise;
}

/* Processor time in between. */
static double capacity(const struct noise *from, const struct noise *to) {
  return (to->at - from->at) * (double)sysconf(_SC_NPROCESSORS_ONLN);
}

bool noise_bad(const struct noise *from, const struct noise *to) {
  double stolen = to->stolen - from->stolen;
  return (stolen > stolen_step_s && stolen > stolen_most * capacity(from, to)) ||
         to->throttled > from->throttled;
}

double noise_others(const struct noise *from, const struct noise *to) {
  double others = (to->busy - from->busy) - (to->own - from->own);
  double all = capacity(from, to);
  return all > 0 ? fmin(fmax(others / all, 0), 1) : 0;
}
