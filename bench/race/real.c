/* real.c - see real.h. */
#include "real.h"

#include "beside.h"
#include "compare/child.h"
#include "launch.h"
#include "server.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct real_program {
  const char *argv[10];
  const char *environment[4];
  const char *load[4];   /* of a server: what is run against it, and timed */
  const char *looked_at; /* the file whose calls of malloc say who serves it */
  struct {
    const char *path, *package;
  } needs[3];
};

const struct real_program real_redis = {
    .argv = {"redis-server", "redis.conf"},
    .load = {"/bin/sh", "load.sh"},
    .looked_at = "redis-server",
    .needs = {{"/usr/bin/redis-server", "redis-server"},
              {"/usr/bin/redis-benchmark", "redis-tools"}},
};

const struct real_program real_sqlite3 = {
    .argv = {"/usr/bin/sqlite3", "-batch", "-init", "/dev/null", ":memory:", ".read work.sql"},
    .looked_at = "libsqlite3.so.0",
    .needs = {{"/usr/bin/sqlite3", "sqlite3"}},
};

/* Without its own allocator for small objects (PYTHONMALLOC), and with the same order of hashed
 * names each time. */
const struct real_program real_python3 = {
    .argv = {"/usr/bin/python3", "-S", "work.py"},
    .environment = {"PYTHONMALLOC=malloc", "PYTHONHASHSEED=0", "PYTHONNOUSERSITE=1"},
    .looked_at = "python3",
    .needs = {{"/usr/bin/python3", "python3"}},
};

const struct real_program real_gcc = {
    .argv = {"/usr/bin/g++", "-O1", "-c", "work.cc", "-o", "work.o"},
    .looked_at = "cc1plus",
    .needs = {{"/usr/bin/g++", "g++"}},
};

/* A run may take long on a busy machine; one that never ends is ended. */
static const double timeout_s = 120;

static int find_script(const struct kind *kind, char *path, size_t size) {
  char name[80];
  snprintf(name, sizeof name, "race-workloads/%s.sh", kind->name);
  return beside(name, ARENITE_RACE_WORKLOADS_INSTALLED, path, size);
}

int real_check(const struct kind *kind) {
  char script[PATH_MAX];
  for (int i = 0; kind->real->needs[i].path != NULL; i++)
    if (access(kind->real->needs[i].path, X_OK) != 0) {
      fprintf(stderr,
              "arenite bench allocators: %s is missing: please install the Debian package %s, or "
              "choose other rows with --rows.\n",
              kind->real->needs[i].path, kind->real->needs[i].package);
      return 1;
    }
  return find_script(kind, script, sizeof script);
}

static int work_directory(const struct race *race, const struct kind *kind, char *path,
                          size_t size) {
  int n = snprintf(path, size, "%s/%s", race->work, kind->name);
  return n > 0 && (size_t)n < size ? 0 : -1;
}

int real_prepare(struct race *race, const struct kind *kind) {
  char script[PATH_MAX], directory[PATH_MAX], scale[32];
  if (find_script(kind, script, sizeof script) != 0 ||
      work_directory(race, kind, directory, sizeof directory) != 0)
    return -1;
  if (mkdir(directory, 0700) != 0) {
    fprintf(stderr, "arenite bench allocators: cannot make the directory %s: %s.\n", directory,
            strerror(errno));
    return -1;
  }
  snprintf(scale, sizeof scale, "SCALE=%.0f", fmax(1, race->scale * 100));
  const struct launch launch = {
      .argv = (const char *const[]){"/bin/sh", script, NULL},
      .environment = (const char *const[]){scale, "LC_ALL=C", NULL},
      .directory = directory,
      .timeout_s = timeout_s,
      .tick = progress_tick,
      .tick_context = &race->progress,
  };
  struct launched launched;
  launch_run(&launch, &launched);
  if (launched.status != 0 && launched.status != CHILD_INTERRUPTED) {
    progress_end(&race->progress);
    fprintf(stderr, "arenite bench allocators: the script of %s failed (status %d):\n%s",
            kind->name, launched.status, launched.err);
  }
  int status = launched.status == 0 ? 0 : -1;
  launched_free(&launched);
  return status;
}

/* Runs it with what environment has beside the program's own. */
static int run(struct race *race, const struct kind *kind, const char *preload,
               const char *const *more, struct lap *lap, char **err) {
  const struct real_program *program = kind->real;
  char directory[PATH_MAX];
  *lap = (struct lap){{NAN, NAN}, NULL};
  *err = NULL;
  if (work_directory(race, kind, directory, sizeof directory) != 0)
    return CHILD_NO_START;
  const char *environment[10] = {"LC_ALL=C"};
  int count = 1;
  for (int i = 0; program->environment[i] != NULL; i++)
    environment[count++] = program->environment[i];
  for (int i = 0; more != NULL && more[i] != NULL; i++)
    environment[count++] = more[i];
  const struct launch launch = {
      .argv = program->argv,
      .preload = preload,
      .environment = environment,
      .directory = directory,
      .timeout_s = timeout_s,
      .tick = progress_tick,
      .tick_context = &race->progress,
  };
  struct launched launched;
  if (program->load[0] == NULL) {
    launch_run(&launch, &launched);
  } else {
    const struct launch load = {
        .argv = program->load,
        .directory = directory,
        .timeout_s = timeout_s,
        .tick = progress_tick,
        .tick_context = &race->progress,
    };
    server_run(&launch, &load, &launched);
  }
  lap->value[SECONDS] = launched.seconds;
  lap->value[PEAK_RSS_KIB] = launched.peak_rss_kib;
  free(launched.out);
  *err = launched.err;
  return launched.status;
}

int real_run(struct race *race, const struct kind *kind, const char *preload, struct lap *lap,
             char **err) {
  return run(race, kind, preload, NULL, lap, err);
}

/* --- Who serves malloc ---------------------------------------------------------------------------
 *
 * The dynamic linker says what it binds each name to when LD_DEBUG asks it, in lines such as
 *
 *   4711: binding file redis-server [0] to /lib/libjemalloc.so.2 [0]: normal symbol `malloc'
 *
 * and writes a file for each process. The program's own calls count; a library beside it, or a
 * helper process, may well take malloc from elsewhere. A program at a fixed address that takes the
 * address of malloc is bound to itself first, which says nothing. */

static const char output_name[] = "bindings";

static bool bound_to(char *line, const char *looked_at, char *served_by, size_t size) {
  static const char from[] = "binding file ", to[] = " to ", symbol[] = "symbol `malloc'";
  char *file = strstr(line, from);
  char *library = file != NULL ? strstr(file, to) : NULL;
  if (library == NULL || strstr(library, symbol) == NULL)
    return false;
  file += sizeof from - 1;
  library += sizeof to - 1;
  file[strcspn(file, " ")] = '\0';
  library[strcspn(library, " ")] = '\0';
  if (strcmp(file_name(file), looked_at) != 0 || strcmp(file, library) == 0)
    return false;
  snprintf(served_by, size, "%s", file_name(library));
  return true;
}

static void read_bindings(const char *path, const char *looked_at, char *served_by, size_t size) {
  FILE *in = fopen(path, "re");
  char *line = NULL;
  size_t room = 0;
  while (in != NULL && getline(&line, &room, in) > 0)
    if (bound_to(line, looked_at, served_by, size))
      break;
  free(line);
  if (in != NULL)
    fclose(in);
}

int real_served_by(struct race *race, const struct kind *kind, const char *preload, char *served_by,
                   size_t size, char **err) {
  char directory[PATH_MAX], path[PATH_MAX], output[PATH_MAX + 32];
  if (work_directory(race, kind, directory, sizeof directory) != 0)
    return CHILD_NO_START;
  snprintf(output, sizeof output, "LD_DEBUG_OUTPUT=%s/%s", directory, output_name);
  const char *const more[] = {"LD_DEBUG=bindings", output, NULL};
  struct lap lap;
  int status = run(race, kind, preload, more, &lap, err);
  served_by[0] = '\0';
  DIR *listing = opendir(directory);
  for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
    if (strncmp(entry->d_name, output_name, sizeof output_name - 1) != 0 ||
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) >= (int)sizeof path)
      continue;
    if (served_by[0] == '\0')
      read_bindings(path, kind->real->looked_at, served_by, size);
    unlink(path);
  }
  if (listing != NULL)
    closedir(listing);
  return status;
}
