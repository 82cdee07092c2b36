/* rows.c - see rows.h. */
#include "rows.h"

#include "beside.h"
#include "compare/machine.h"
#include "real.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS_MOST = 256 };

static const struct kind kinds[] = {
    {"churn", "blocks outlive the threads that made them", true, false, NULL},
    {"prodcons", "one thread allocates, another frees", true, false, NULL},
    {"batches", "blocks come in batches, and a batch goes as a whole", true, false, NULL},
    {"random", "random sizes, random lifetimes, some blocks freed elsewhere", true, false, NULL},
    {"phases", "sizes and lifetimes change, and some blocks stay", true, false, NULL},
    {"large", "32 KiB to 32 MiB, some of them grown by realloc", true, false, NULL},
    {"falseshare_active", "threads write to small blocks of their own", true, false, NULL},
    {"falseshare_passive", "threads free blocks that lay side by side, and take new ones", true,
     false, NULL},
    {"threadchurn", "threads come and go", true, false, NULL},
    {"latency", "every single malloc and free timed", true, true, NULL},
    {"factor", "numbers of many limbs", false, false, NULL},
    {"minimise", "small automata", false, false, NULL},
    {"redis", "redis-server under redis-benchmark", false, false, &real_redis},
    {"sqlite3", "sqlite3: inserts and queries in memory", false, false, &real_sqlite3},
    {"python3", "python3 builds and drops objects, PYTHONMALLOC=malloc", false, false,
     &real_python3},
    {"gcc", "g++ -O1 of a file with the standard headers", false, false, &real_gcc},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static const struct kind *kind_find(const char *name, size_t length) {
  for (int i = 0; i < KINDS; i++)
    if (strlen(kinds[i].name) == length && memcmp(kinds[i].name, name, length) == 0)
      return &kinds[i];
  return NULL;
}

static void take(struct race *race, const struct kind *kind, int threads) {
  for (int i = 0; i < race->row_count; i++)
    if (race->rows[i].kind == kind && race->rows[i].threads == threads)
      return;
  if (race->row_count == ROWS_MAX)
    return;
  struct row *row = &race->rows[race->row_count++];
  row->kind = kind;
  row->threads = threads;
  if (kind->threaded)
    snprintf(row->name, sizeof row->name, "%s/%d", kind->name, threads);
  else
    snprintf(row->name, sizeof row->name, "%s", kind->name);
}

static void take_kind(struct race *race, const struct kind *kind) {
  take(race, kind, kind->real == NULL ? 1 : 0);
  if (kind->threaded)
    take(race, kind, machine_cores());
}

/* One word of the list: a name, or a name and a number of threads. */
static int take_word(struct race *race, const char *word, size_t length) {
  const char *slash = memchr(word, '/', length);
  const struct kind *kind = kind_find(word, slash != NULL ? (size_t)(slash - word) : length);
  if (kind == NULL) {
    fprintf(stderr, "arenite bench allocators: there is no row \"%.*s\"; there are", (int)length,
            word);
    for (int i = 0; i < KINDS; i++)
      fprintf(stderr, "%s %s", i == 0 ? "" : ",", kinds[i].name);
    fprintf(stderr, ".\n");
    return 2;
  }
  if (slash == NULL) {
    take_kind(race, kind);
    return 0;
  }
  char *end;
  long threads = strtol(slash + 1, &end, 10);
  if (end != word + length || threads < 1 || threads > THREADS_MOST ||
      (!kind->threaded && threads != 1)) {
    fprintf(stderr, "arenite bench allocators: \"%.*s\": ", (int)length, word);
    if (kind->threaded)
      fprintf(stderr, "a row has from 1 to %d threads.\n", THREADS_MOST);
    else
      fprintf(stderr, "%s runs as it is, with no number of threads.\n", kind->name);
    return 2;
  }
  take(race, kind, kind->real == NULL ? (int)threads : 0);
  return 0;
}

int rows_take(struct race *race, const char *list) {
  race->rows = calloc(ROWS_MAX, sizeof *race->rows);
  if (race->rows == NULL) {
    fprintf(stderr, "arenite bench allocators: out of memory.\n");
    return 1;
  }
  for (int i = 0; list == NULL && i < KINDS; i++)
    take_kind(race, &kinds[i]);
  while (list != NULL && *list != '\0') {
    size_t length = strcspn(list, ",");
    int status = take_word(race, list, length);
    if (status != 0)
      return status;
    list += length;
    list += *list == ',';
  }
  if (race->row_count == 0) {
    fprintf(stderr, "arenite bench allocators: --rows names no row.\n");
    return 2;
  }
  return 0;
}

int rows_program(const char *name, char *path, size_t size) {
  const char *directory = getenv("ARENITE_ROWS");
  if (directory == NULL || directory[0] == '\0') {
    char place[64];
    snprintf(place, sizeof place, "rows/%s", name);
    return beside(place, ARENITE_ROWS_INSTALLED, path, size);
  }
  int n = snprintf(path, size, "%s/%s", directory, name);
  if (n > 0 && (size_t)n < size && access(path, X_OK) == 0)
    return 0;
  fprintf(stderr, "arenite bench allocators: there is no program %s in ARENITE_ROWS, %s.\n", name,
          directory);
  return 1;
}

int rows_check(const struct race *race) {
  int status = 0;
  for (int i = 0; i < race->row_count && status == 0; i++) {
    const struct kind *kind = race->rows[i].kind;
    char path[PATH_MAX];
    status = kind->real != NULL ? real_check(kind) : rows_program(kind->name, path, sizeof path);
  }
  return status;
}
