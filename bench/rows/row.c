/* row.c - see row.h. Nothing here allocates before the line is printed. */
#include "row.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const char *row_name = "row";

/* --- Options ---------------------------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static _Noreturn void refuse(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s: ", row_name);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  exit(2);
}

/* What stands behind "--name=", or NULL. */
static const char *value_of(const char *argument, const char *name) {
  size_t length = strlen(name);
  bool same = strncmp(argument, "--", 2) == 0 && strncmp(argument + 2, name, length) == 0 &&
              argument[2 + length] == '=';
  return same ? argument + 2 + length + 1 : NULL;
}

static int read_threads(const char *text, int most) {
  char *end;
  long threads = strtol(text, &end, 10);
  if (end == text || *end != '\0' || threads < 1)
    refuse("--threads wants a whole number from 1, not \"%s\".", text);
  if (threads > most && most == 1)
    refuse("this row has one thread; --threads=%ld is not possible.", threads);
  if (threads > most)
    refuse("this row has at most %d threads; --threads=%ld is not possible.", most, threads);
  return (int)threads;
}

static double read_scale(const char *text) {
  char *end;
  double scale = strtod(text, &end);
  if (end == text || *end != '\0' || !(scale > 0 && scale <= 1e6))
    refuse("--scale wants a number above 0, not \"%s\".", text);
  return scale;
}

struct row row_options(int argc, char **argv, const char *name, int threads_max,
                       const struct row_option *own) {
  struct row row = {.name = name, .threads = 1, .scale = 1};
  row_name = name;
  for (int i = 1; i < argc; i++) {
    const char *value;
    if ((value = value_of(argv[i], "threads")) != NULL) {
      row.threads = read_threads(value, threads_max);
    } else if ((value = value_of(argv[i], "scale")) != NULL) {
      row.scale = read_scale(value);
    } else {
      const struct row_option *option = own;
      while (option != NULL && option->name != NULL &&
             (value = value_of(argv[i], option->name)) == NULL)
        option++;
      if (value == NULL)
        refuse("\"%s\" is not an option of this row.", argv[i]);
      *option->value = value;
    }
  }
  return row;
}

uint64_t row_scaled(const struct row *row, uint64_t count) {
  double scaled = (double)count * row->scale;
  return scaled < 1 ? 1 : (uint64_t)scaled;
}

/* --- Running ---------------------------------------------------------------------------------- */

void row_fail(const char *sentence) {
  fprintf(stderr, "%s: %s.\n", row_name, sentence);
  _exit(1); /* other threads may still run in what exit would take down */
}

static void (*run_worker)(int index);

static void *run_thread(void *index) {
  run_worker((int)(intptr_t)index);
  return NULL;
}

double row_run(int threads, void (*worker)(int index)) {
  pthread_t others[ROW_THREADS_MAX];
  uint64_t start = row_now_ns();
  run_worker = worker;
  for (int i = 1; i < threads; i++)
    if (pthread_create(&others[i], NULL, run_thread, (void *)(intptr_t)i) != 0)
      row_fail("a thread could not be started");
  worker(0);
  for (int i = 1; i < threads; i++)
    pthread_join(others[i], NULL);
  return row_seconds_since(start);
}

uint64_t row_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

double row_seconds_since(uint64_t start_ns) {
  return (double)(row_now_ns() - start_ns) * 1e-9;
}

/* --- Memory ----------------------------------------------------------------------------------- */

void *row_map(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    row_fail("memory for the row's own tables could not be mapped");
  return memory;
}

/* The number behind `label` in a small file of /proc. */
static size_t number_in(const char *path, const char *label) {
  char text[4096];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
  if (fd >= 0)
    close(fd);
  text[length > 0 ? length : 0] = '\0';
  const char *found = strstr(text, label);
  if (found == NULL)
    row_fail("/proc does not say how much memory is in use");
  return strtoul(found + strlen(label), NULL, 10);
}

size_t row_rss_kib(void) {
  return number_in("/proc/self/statm", " ") * (ROW_PAGE / 1024); /* the second of its numbers */
}

size_t row_peak_rss_kib(void) {
  return number_in("/proc/self/status", "\nVmHWM:");
}

/* --- The line --------------------------------------------------------------------------------- */

/* The file that serves malloc: the proof of what was measured. */
static const char *malloc_from(void) {
  Dl_info info;
  void *address = dlsym(RTLD_DEFAULT, "malloc");
  if (address == NULL || dladdr(address, &info) == 0)
    return "";
  const char *slash = strrchr(info.dli_fname, '/');
  return slash != NULL ? slash + 1 : info.dli_fname;
}

int row_report(const struct row *row, double seconds, uint64_t calls, const char *more, ...) {
  size_t peak = row_peak_rss_kib();
  printf("{\"row\":\"%s\",\"threads\":%d,\"seconds\":%.6f,\"operations\":%llu,"
         "\"peak_rss_kib\":%zu,\"malloc_from\":\"%s\"",
         row->name, row->threads, seconds, (unsigned long long)calls, peak, malloc_from());
  if (more != NULL) {
    va_list arguments;
    va_start(arguments, more);
    putchar(',');
    vprintf(more, arguments);
    va_end(arguments);
  }
  printf("}\n");
  return fflush(stdout) == 0 ? 0 : 1;
}
