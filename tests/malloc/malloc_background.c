// forms: static preloaded
// environment: ARENITE_BACKGROUND=on
// timeout: 100
/* malloc_background.c - ARENITE_BACKGROUND: memory goes back while nobody calls malloc; and the thread
 * that sees to it is not in the way of anything: signals, the end of the process, fork.
 */
#include "served.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1 << 20, THREADS = 4, SPIKE = 200 * MIB, PART = SPIKE / THREADS, ENDED = 7 };

/* What the bins, kept runs and half used pools of the threads that wait may hold: 26 MiB of the spike
 * were seen in the wide geometry, 12 to 18 in the modern one. */
enum { WAITING = SPIKE / 5 };

/* --- Looking without malloc ------------------------------------------------------------------ */

static size_t read_file(const char *path, char *text, size_t size) {
  int file = open(path, O_RDONLY);
  if (file < 0)
    return 0;
  ssize_t length = read(file, text, size - 1);
  close(file);
  text[length > 0 ? length : 0] = '\0';
  return length > 0 ? (size_t)length : 0;
}

static size_t resident(void) {
  char text[200];
  unsigned long size, pages;
  REQUIRE(read_file("/proc/self/statm", text, sizeof text));
  REQUIRE(sscanf(text, "%lu %lu", &size, &pages) == 2);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* The threads of this process with the name, and the number of one of them. */
static int count_threads(const char *name, char *number) {
  int count = 0;
  DIR *tasks = opendir("/proc/self/task");
  REQUIRE(tasks != NULL);
  for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
    char path[300], text[100];
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", task->d_name);
    if (task->d_name[0] == '.' || !read_file(path, text, sizeof text))
      continue;
    text[strcspn(text, "\n")] = '\0';
    if (strcmp(text, name) != 0)
      continue;
    count++;
    if (number)
      snprintf(number, 32, "%.31s", task->d_name);
  }
  closedir(tasks);
  return count;
}

static int ours(void) {
  return count_threads("arenite", NULL);
}

/* It names itself as its first act, which need not be over yet. */
static bool soon(int wanted) {
  for (int i = 0; i < 2000 && ours() != wanted; i++)
    support_sleep_ms(1);
  return ours() == wanted;
}

/* A line of the thread's status, after its name. */
static void status_of(const char *number, const char *name, char *value, size_t size) {
  char path[300], text[4096];
  snprintf(path, sizeof path, "/proc/self/task/%s/status", number);
  REQUIRE(read_file(path, text, sizeof text));
  char *line = strstr(text, name);
  REQUIRE(line != NULL);
  snprintf(value, size, "%.*s", (int)strcspn(line, "\n"), line + strlen(name));
}

/* --- A spike --------------------------------------------------------------------------------- */

static pthread_barrier_t filled, freed, done;

static void *spikes(void *context) {
  enum { LARGEST = 512, MOST = PART / 16 };
  void **blocks = context;
  uint64_t random = (uint64_t)(uintptr_t)context;
  size_t count = 0, bytes = 0;
  for (; bytes < PART; count++) {
    size_t size = 16 + support_below(&random, LARGEST - 16);
    blocks[count] = malloc(size);
    REQUIRE(blocks[count] != NULL);
    memset(blocks[count], 1, size);
    bytes += size;
  }
  pthread_barrier_wait(&filled);
  /* One in twenty lives on, all in one place. */
  for (size_t i = count / 20; i < count; i++)
    free(blocks[i]);
  pthread_barrier_wait(&freed);
  pthread_barrier_wait(&done); /* and here the thread stands, and calls nothing */
  for (size_t i = 0; i < count / 20; i++)
    free(blocks[i]);
  return NULL;
}

/* Bytes that two seconds of silence leave of the spike. */
static size_t left_of_a_spike(void) {
  static void *blocks[THREADS][PART / 16];
  pthread_t threads[THREADS];
  pthread_barrier_init(&filled, NULL, THREADS + 1);
  pthread_barrier_init(&freed, NULL, THREADS + 1);
  pthread_barrier_init(&done, NULL, THREADS + 1);
  memset(blocks, 1, sizeof blocks); /* so that they do not count as what comes */
  size_t before = resident();
  for (int i = 0; i < THREADS; i++)
    REQUIRE(pthread_create(&threads[i], NULL, spikes, blocks[i]) == 0);
  pthread_barrier_wait(&filled);
  size_t full = resident();
  REQUIRE(full > before + SPIKE / 10 * 9);
  pthread_barrier_wait(&freed);
  size_t now = 0;
  for (int i = 0; i < 20; i++) {
    support_sleep_ms(100);
    now = resident();
    if (now < before + WAITING)
      break;
  }
  support_sleep_ms(100);
  now = resident();
  printf("resident: %zu MiB, full %zu MiB, quiet %zu MiB\n", before / MIB, full / MIB, now / MIB);
  fflush(stdout);
  pthread_barrier_wait(&done);
  for (int i = 0; i < THREADS; i++)
    REQUIRE(pthread_join(threads[i], NULL) == 0);
  served_check();
  return now > before ? now - before : 0;
}

/* --- Other lives, each in a process of its own ----------------------------------------------- */

static int without(void) {
  REQUIRE(ours() == 0);
  REQUIRE(left_of_a_spike() > SPIKE / 2);
  return ENDED;
}

static int never(void) {
  free(malloc(100));
  support_sleep_ms(50);
  REQUIRE(ours() == 0);
  return ENDED;
}

static int returns_at_once(void) {
  return ENDED;
}

static void *ends_later(void *unused) {
  (void)unused;
  support_sleep_ms(300);
  free(malloc(1000));
  return NULL;
}

static void at_the_end(void) {
  char text[3000]; /* on the stack of whoever is the last */
  memset(text, 0, sizeof text);
  free(malloc(5000));
  _exit(ENDED);
}

/* The process ends with its last thread, whatever main did. */
static int main_goes_first(void) {
  pthread_t thread;
  REQUIRE(soon(1));
  REQUIRE(atexit(at_the_end) == 0);
  REQUIRE(pthread_create(&thread, NULL, ends_later, NULL) == 0);
  pthread_exit(NULL);
}

static int nobody_but_main(void) {
  REQUIRE(soon(1));
  REQUIRE(atexit(at_the_end) == 0);
  pthread_exit(NULL);
}

static const struct life {
  const char *name, *setting;
  int (*live)(void);
} lives[] = {
    {"without", "ARENITE_BACKGROUND=off", without}, {"never", "ARENITE_PURGE_DELAY_MS=-1", never},
    {"returns_at_once", "A=1", returns_at_once},    {"main_goes_first", "A=1", main_goes_first},
    {"nobody_but_main", "A=1", nobody_but_main},
};
enum { LIVES = sizeof lives / sizeof lives[0] };

static void run(char *self, const struct life *life) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    putenv((char *)(uintptr_t)life->setting);
    execl("/proc/self/exe", self, life->name, (char *)NULL);
    _exit(1);
  }
  int status;
  pid_t ended = 0;
  for (int i = 0; i < 2000 && (ended = waitpid(child, &status, WNOHANG)) == 0; i++)
    support_sleep_ms(10);
  if (ended == 0) { /* all that is left of it may be a thread that hears no other signal */
    fprintf(stderr, "%s does not end\n", life->name);
    kill(child, SIGKILL);
    ended = waitpid(child, &status, 0);
  }
  REQUIRE(ended == child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != ENDED)
    fprintf(stderr, "%s: status %#x\n", life->name, (unsigned)status);
  REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == ENDED);
}

/* --- What it is like ------------------------------------------------------------------------- */

static void one_quiet_thread(void) {
  char number[32] = "", value[200];
  REQUIRE(soon(1));
  REQUIRE(count_threads("arenite", number) == 1);
  status_of(number, "SigBlk:", value, sizeof value);
  unsigned long long blocked = strtoull(value, NULL, 16);
  /* All but SIGKILL and SIGSTOP, which cannot be, and the two that libc keeps for itself. */
  unsigned long long most = ~0ULL & ~(1ULL << 8) & ~(1ULL << 18) & ~(3ULL << 31);
  REQUIRE((blocked & most) == most);
  support_sleep_ms(1500); /* what was freed until now has gone */
  status_of(number, "voluntary_ctxt_switches:", value, sizeof value);
  unsigned long before = strtoul(value, NULL, 10);
  support_sleep_ms(3000);
  status_of(number, "voluntary_ctxt_switches:", value, sizeof value);
  unsigned long wakeups = strtoul(value, NULL, 10) - before;
  printf("%lu wake-ups in 3 s\n", wakeups);
  REQUIRE(wakeups >= 1 && wakeups <= 12);
}

/* It has no heap, so it is nobody in the statistics. */
static void not_in_the_statistics(void) {
  arn_stats stats = served_stats();
  REQUIRE(stats.heaps == 1 || served_gil());
  REQUIRE(stats.orphans == 0);
}

/* --- Fork ------------------------------------------------------------------------------------ */

static void *allocates(void *unused) {
  (void)unused;
  free(malloc(1000));
  return NULL;
}

/* Not in a child that does nothing but allocate; in one that makes threads. And in its children. */
static void comes_back(int generation) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(30);
    for (size_t size = 1; size < MIB; size *= 2)
      free(malloc(size));
    REQUIRE(ours() == 0);
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, allocates, NULL) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
    REQUIRE(soon(1));
    REQUIRE(pthread_create(&thread, NULL, allocates, NULL) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
    REQUIRE(soon(1));
    served_check();
    if (generation < 3)
      comes_back(generation + 1);
    exit(0);
  }
  int status;
  REQUIRE(waitpid(child, &status, 0) == child && status == 0);
}

/* Leaves it something to give back. */
static void allocate_and_free(int count) {
  static void *blocks[20000];
  for (int i = 0; i < count; i++)
    REQUIRE((blocks[i] = malloc(3000)) != NULL);
  for (int i = 0; i < count; i++)
    free(blocks[i]);
}

/* Forks while it is at work: in the child everything is whole. */
static void storm(void) {
  for (int round = 0; round < 150; round++) {
    allocate_and_free(2000);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      alarm(30);
      for (size_t size = 1; size < 8 * MIB; size *= 2)
        free(malloc(size));
      served_check();
      if (round % 10 == 0)
        exit(0);
      _exit(0);
    }
    int status;
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
  }
  served_check();
}

/* The whole heap can be checked while the thread gives pages back. */
static void checked_meanwhile(void) {
  for (int round = 0; round < 5; round++) {
    allocate_and_free(20000);
    arn_stats stats = served_stats();
    uint64_t before = stats.purges;
    uint64_t end = support_now_ns() + 5000000000;
    while (stats.purges < before + 10 && support_now_ns() < end) {
      served_check();
      usleep(20); /* a purge that finds a check at work comes back later */
      stats = served_stats();
    }
    REQUIRE(stats.purges > before);
  }
}

int main(int argc, char **argv) {
  for (int i = 0; argc > 1 && i < LIVES; i++)
    if (strcmp(argv[1], lives[i].name) == 0)
      return lives[i].live();
  alarm(90);
  not_in_the_statistics();
  one_quiet_thread();
  REQUIRE(left_of_a_spike() < WAITING);
  for (int i = 0; i < LIVES; i++)
    run(argv[0], &lives[i]);
  comes_back(0);
  checked_meanwhile();
  storm();
  return 0;
}
