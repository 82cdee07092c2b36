// forms: static preloaded
// timeout: 60
/* malloc_report.c - ARENITE_STATS: the statistics that a process leaves when it ends. The test starts
 * itself again with the setting, as a program that allocates and ends in some way, and reads what that
 * one wrote.
 */
#include "served.h"

#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- The program that is reported on --------------------------------------------------------- */

enum { BLOCKS = 1000, SIZE = 1000, HUGE = 100 << 20, BUSY = 4 };

static atomic_int busy_threads;

static void *busy(void *context) {
  uint64_t random = (uint64_t)(uintptr_t)context;
  atomic_fetch_add(&busy_threads, 1);
  for (;;) {
    void *block = malloc(support_size(&random, 100000));
    REQUIRE(block != NULL);
    free(block);
  }
}

static int live(const char *how) {
  static void *blocks[BLOCKS], *huge;
  for (int i = 0; i < BLOCKS; i++)
    blocks[i] = malloc(SIZE);
  huge = malloc(HUGE);
  REQUIRE(blocks[BLOCKS - 1] && huge);
  if (strcmp(how, "busy") == 0) {
    pthread_t thread;
    for (uintptr_t i = 0; i < BUSY; i++)
      REQUIRE(pthread_create(&thread, NULL, busy, (void *)(i + 1)) == 0);
    while (atomic_load(&busy_threads) < BUSY)
      usleep(1000);
  }
  if (strcmp(how, "_exit") == 0)
    _exit(3);
  if (strcmp(how, "closed") == 0) {
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
  }
  if (strcmp(how, "fork") == 0) {
    pid_t child = fork();
    if (child == 0)
      exit(0);
    REQUIRE(waitpid(child, NULL, 0) == child);
  }
  return 3; /* not taken for success, or for a report's failure */
}

/* --- Starting it ----------------------------------------------------------------------------- */

static char folder[] = "/tmp/malloc_report.XXXXXX";
static char text[1 << 20];

/* Its number. What it said on standard error is in text. */
static pid_t run(const char *setting, const char *how) {
  char path[256];
  snprintf(path, sizeof path, "%s/said", folder);
  int said = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  REQUIRE(said >= 0);
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    REQUIRE(dup2(said, STDERR_FILENO) == STDERR_FILENO);
    REQUIRE(setenv("ARENITE_STATS", setting, 1) == 0);
    execl("/proc/self/exe", "malloc_report", how, (char *)NULL);
    _exit(127);
  }
  int status;
  REQUIRE(waitpid(child, &status, 0) == child);
  ssize_t length = pread(said, text, sizeof text - 1, 0);
  REQUIRE(length >= 0);
  text[length] = '\0';
  close(said);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 3) {
    fprintf(stderr, "ARENITE_STATS=%s, %s: status %#x\n%s", setting, how, status, text);
    abort();
  }
  return child;
}

static bool read_file(const char *name) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "r");
  if (!file)
    return false;
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  REQUIRE(unlink(path) == 0);
  return true;
}

static size_t lines_of(const char *what) {
  size_t lines = 0;
  for (const char *at = what; *at; at++)
    lines += *at == '\n';
  return lines;
}

/* --- What it must say ------------------------------------------------------------------------ */

static const char *mode_name(void) {
  return served_gil() ? "gil" : "free-threaded";
}

static uint64_t number(const char *name) {
  uint64_t value;
  if (!json_number(text, name, &value)) {
    fprintf(stderr, "no %s in: %s\n", name, text);
    abort();
  }
  return value;
}

static void is_json_with_a_mode(void) {
  char mode[64];
  REQUIRE(json_is_value(text));
  snprintf(mode, sizeof mode, "\"mode\":\"%s\"", mode_name());
  REQUIRE(strstr(text, mode) != NULL);
}

static void is_json(void) {
  is_json_with_a_mode();
  REQUIRE(number("arena_bytes") == number("live_bytes") + number("free_bytes") +
                                       number("untouched_bytes") + number("purged_bytes") +
                                       number("deferred_bytes") + number("overhead_bytes"));
  REQUIRE(number("live_bytes") >= (uint64_t)BLOCKS * SIZE);
  REQUIRE(number("huge_blocks") == 1 && number("huge_bytes") == HUGE);
}

static uint64_t field(const char *name) {
  const char *at = strstr(text, name);
  REQUIRE(at != NULL);
  return strtoull(at + strlen(name), NULL, 10);
}

static void is_text(void) {
  char heading[64];
  snprintf(heading, sizeof heading, "arenite %s,", mode_name());
  const char *found = strstr(text, heading);
  REQUIRE(found != NULL && (found == text || found[-1] == '\n'));
  REQUIRE(field("\narena_bytes") == field("\nlive_bytes") + field("\nfree_bytes") +
                                        field("\nuntouched_bytes") + field("\npurged_bytes") +
                                        field("\ndeferred_bytes") + field("\noverhead_bytes"));
  REQUIRE(field("\nlive_bytes") >= (uint64_t)BLOCKS * SIZE);
  REQUIRE(field("\nhuge_bytes") == HUGE);
}

/* Exactly one line, in which this stands. */
static void is_sentence(const char *expected) {
  if (lines_of(text) != 1 || strncmp(text, "arenite: ", 9) != 0 || !strstr(text, expected)) {
    fprintf(stderr, "expected one sentence with '%s', not: %s\n", expected, text);
    abort();
  }
}

static void to_standard_error(void) {
  run("json", "return");
  is_json();
  run("text", "return");
  is_text();
}

static void to_a_file(void) {
  char setting[256], name[64];
  snprintf(setting, sizeof setting, "json:%s/file", folder);
  run(setting, "return");
  REQUIRE(text[0] == '\0');
  REQUIRE(read_file("file"));
  is_json();
  snprintf(setting, sizeof setting, "text:%s/%%p.of.%%p%%q%%", folder);
  pid_t child = run(setting, "return");
  REQUIRE(text[0] == '\0');
  snprintf(name, sizeof name, "%d.of.%d%%q%%", (int)child, (int)child);
  REQUIRE(read_file(name));
  is_text();
}

/* A colon in the file's name is the file's. */
static void to_a_file_with_a_colon(void) {
  char setting[256];
  snprintf(setting, sizeof setting, "json:%s/a:b", folder);
  run(setting, "return");
  REQUIRE(read_file("a:b"));
  is_json();
}

static void where_it_cannot(void) {
  char setting[256], path[512];
  snprintf(setting, sizeof setting, "json:%s/nowhere/file", folder);
  run(setting, "return");
  snprintf(path, sizeof path, "%s/nowhere/file: %s", folder, strerror(ENOENT));
  is_sentence(path);
  snprintf(setting, sizeof setting, "text:%s", folder);
  run(setting, "return");
  is_sentence(strerror(EISDIR));
}

/* A disk that is full is found out only when it is written to. */
static void where_there_is_no_room(void) {
  run("json:/dev/full", "return");
  is_sentence(strerror(ENOSPC));
}

/* The numbers were true at some moment each, so they need not fit. */
static void beside_busy_threads(void) {
  for (size_t i = support_scaled(10); i > 0; i--) {
    run("json", "busy");
    is_json_with_a_mode();
    REQUIRE(number("live_bytes") >= (uint64_t)BLOCKS * SIZE);
  }
}

static void not_at_every_end(void) {
  char setting[256];
  snprintf(setting, sizeof setting, "json:%s/file", folder);
  run(setting, "_exit");
  REQUIRE(!read_file("file"));
  run("text", "_exit");
  REQUIRE(text[0] == '\0');
}

static void without_standard_error(void) {
  char setting[256];
  run("text", "closed");
  if (text[0]) /* it may have kept what it had at first */
    is_text();
  snprintf(setting, sizeof setting, "json:%s/file", folder);
  run(setting, "closed");
  REQUIRE(read_file("file"));
  is_json();
}

static void of_each_process(void) {
  char setting[256], name[64];
  snprintf(setting, sizeof setting, "json:%s/%%p", folder);
  pid_t child = run(setting, "fork");
  snprintf(name, sizeof name, "%d", (int)child);
  REQUIRE(read_file(name));
  is_json();
  /* And one of its child, whose number is not known here. */
  char command[512];
  snprintf(command, sizeof command, "cat %s/[0-9]* && rm %s/[0-9]*", folder, folder);
  REQUIRE(unsetenv("LD_PRELOAD") == 0);
  FILE *output = popen(command, "r");
  REQUIRE(output != NULL);
  text[fread(text, 1, sizeof text - 1, output)] = '\0';
  REQUIRE(pclose(output) == 0);
  is_json();
}

int main(int argc, char **argv) {
  if (argc > 1)
    return live(argv[1]);
  REQUIRE(mkdtemp(folder) != NULL);
  to_standard_error();
  to_a_file();
  to_a_file_with_a_colon();
  where_it_cannot();
  beside_busy_threads();
  not_at_every_end();
  without_standard_error();
  where_there_is_no_room();
  of_each_process(); /* drops the preload */
  char said[256];
  snprintf(said, sizeof said, "%s/said", folder);
  REQUIRE(unlink(said) == 0);
  REQUIRE(rmdir(folder) == 0);
  return 0;
}
