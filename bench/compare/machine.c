/* machine.c - see machine.h. What cannot be found out is left out. */
#include "machine.h"

#include <arenite.h>
#include <gnu/libc-version.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

int machine_cores(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return CPU_COUNT(&set);
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (int)count : 1;
}

/* The rest of the first line of file that begins with prefix, without what separates the two. */
static bool line_after(const char *file, const char *prefix, char *text, size_t size) {
  FILE *in = fopen(file, "re");
  if (in == NULL)
    return false;
  bool found = false;
  while (!found && fgets(text, (int)size, in) != NULL)
    found = strncmp(text, prefix, strlen(prefix)) == 0;
  fclose(in);
  if (!found)
    return false;
  char *start = text + strlen(prefix);
  start += strspn(start, " \t:=\"");
  memmove(text, start, strlen(start) + 1);
  text[strcspn(text, "\"\n")] = '\0';
  return text[0] != '\0';
}

static void put(json_t *machine, const char *name, const char *text) {
  json_object_set_new(machine, name, json_string(text));
}

json_t *machine_describe(void) {
  json_t *machine = json_object();
  if (machine == NULL)
    return NULL;
  char text[256];
  struct utsname kernel;
  bool named = uname(&kernel) == 0;

  time_t now = time(NULL);
  struct tm utc;
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
  put(machine, "date", text);
  json_object_set_new(machine, "cores", json_integer(machine_cores()));
  if (line_after("/proc/cpuinfo", "model name", text, sizeof text))
    put(machine, "cpu", text);
  if (named)
    put(machine, "architecture", kernel.machine);
  if (line_after("/proc/meminfo", "MemTotal", text, sizeof text))
    put(machine, "memory", text);
  if (named) {
    snprintf(text, sizeof text, "%s %s", kernel.sysname, kernel.release);
    put(machine, "kernel", text);
  }
  if (line_after("/etc/os-release", "PRETTY_NAME", text, sizeof text))
    put(machine, "system", text);
  snprintf(text, sizeof text, "glibc %s", gnu_get_libc_version());
  put(machine, "system_malloc", text);
  /* The kernel marks the setting in force with brackets. */
  if (line_after("/sys/kernel/mm/transparent_hugepage/enabled", "", text, sizeof text)) {
    char *in_force = strchr(text, '[');
    if (in_force != NULL) {
      in_force++;
      in_force[strcspn(in_force, "]")] = '\0';
      put(machine, "transparent_huge_pages", in_force);
    }
  }
#if defined __clang__
  put(machine, "compiler", "clang " __clang_version__);
#elif defined __GNUC__
  put(machine, "compiler", "gcc " __VERSION__);
#endif
  snprintf(text, sizeof text, "%d.%d.%d", ARN_VERSION_MAJOR, ARN_VERSION_MINOR, ARN_VERSION_PATCH);
  put(machine, "arenite", text);
  arn_geometry geometry = arn_geometry_get();
  put(machine, "geometry", geometry.name);
  json_object_set_new(machine, "pool_bytes", json_integer((json_int_t)geometry.pool_size));
  json_object_set_new(machine, "arena_bytes", json_integer((json_int_t)geometry.arena_size));
  json_object_set_new(machine, "small_limit_bytes", json_integer((json_int_t)geometry.small_limit));
  return machine;
}
