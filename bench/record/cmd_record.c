/* cmd_record.c - `arenite record`: runs a program with the recorder before it and makes a trace of
 * what the recorder wrote.
 *
 * The program keeps its standard streams and its exit status. Processes that it leaves behind
 * become this one's children and are waited for: a recording is of a whole tree. */
#include "cli/commands.h"
#include "record/cmd_convert.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef ARENITE_RECORDER_INSTALLED
#define ARENITE_RECORDER_INSTALLED "../lib/arenite/libarenite-record.so"
#endif

static volatile sig_atomic_t program_pid, stop_waiting;

static int usage(const char *problem) {
  fprintf(stderr, "arenite record: %s; usage: arenite record [-q] -o FILE|DIR/ -- PROGRAM [ARGS]\n",
          problem);
  return 2;
}

static int failed(const char *what, int error) {
  fprintf(stderr, "arenite record: %s: %s\n", what, strerror(error));
  return 1;
}

/* The recorder is beside the command in a build tree, elsewhere when installed. */
static bool find_recorder(char path[PATH_MAX]) {
  static const char *const places[] = {"libarenite-record.so", ARENITE_RECORDER_INSTALLED};
  char self[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length <= 0)
    return false;
  self[length] = '\0';
  *(strrchr(self, '/') + 1) = '\0';
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    char candidate[2 * PATH_MAX];
    snprintf(candidate, sizeof candidate, "%s%s", self, places[i]);
    if (realpath(candidate, path) && access(path, R_OK) == 0)
      return true;
  }
  return false;
}

/* An interrupt is the program's business (a terminal sends it to both); a request to end is passed
 * on, and once the program has ended either means: do not wait for what it left behind. */
static void on_signal(int number) {
  if (program_pid > 0) {
    if (number == SIGTERM)
      kill((pid_t)program_pid, SIGTERM);
  } else {
    stop_waiting = 1;
  }
}

/* In the child. Returns only by failing. */
static void become(char **argv, const char *recorder, const char *directory) {
  const char *before = getenv("LD_PRELOAD");
  char *preload;
  if (asprintf(&preload, "%s%s%s", recorder, before && *before ? ":" : "", before ? before : "") <
          0 ||
      setenv("LD_PRELOAD", preload, 1) != 0 || setenv("ARENITE_RECORD_DIR", directory, 1) != 0)
    _exit(126);
  execvp(argv[0], argv);
  int error = errno;
  fprintf(stderr, "arenite record: %s: %s\n", argv[0], strerror(error));
  _exit(error == ENOENT ? 127 : 126);
}

/* Runs the program and everything that it starts; its exit status as a shell gives it. */
static int run_tree(char **argv, const char *recorder, const char *directory) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigset_t both, old;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  sigprocmask(SIG_BLOCK, &both, &old);
  pid_t pid = fork();
  if (pid < 0)
    return -errno;
  if (pid == 0) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(SIGINT, &standard, NULL);
    sigaction(SIGTERM, &standard, NULL);
    sigprocmask(SIG_SETMASK, &old, NULL);
    become(argv, recorder, directory);
  }
  program_pid = pid;
  sigprocmask(SIG_SETMASK, &old, NULL);
  int status = 0, result = 1;
  for (;;) {
    pid_t ended = waitpid(-1, &status, 0);
    if (ended == pid) {
      program_pid = 0;
      result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else if (ended < 0 && (errno == ECHILD || stop_waiting)) {
      return result;
    }
  }
}

static void remove_directory(const char *path) {
  DIR *dir = opendir(path);
  if (!dir)
    return;
  for (struct dirent *entry; (entry = readdir(dir));)
    if (entry->d_name[0] != '.')
      unlinkat(dirfd(dir), entry->d_name, 0);
  closedir(dir);
  rmdir(path);
}

static void summarise(const char *path, const struct trace_info *info) {
  fprintf(stderr,
          "arenite record: %s: %" PRIu64 " processes, %" PRIu64 " threads, %" PRIu64
          " calls, at most %" PRIu64 " blocks and %.1f MiB alive",
          path, info->processes, info->threads,
          info->calls - info->exit_frees - info->implied_frees, info->peak_blocks,
          (double)info->peak_bytes / (1 << 20));
  if (info->unknown_frees)
    fprintf(stderr, "; %" PRIu64 " frees of blocks from before a fork or the recorder left out",
            info->unknown_frees);
  fprintf(stderr, "\n");
}

int arn_cmd_record(int argc, char **argv) {
  char *output = NULL;
  bool quiet = false;
  int at = 1;
  for (; at < argc && argv[at][0] == '-'; at++) {
    if (strcmp(argv[at], "--") == 0) {
      at++;
      break;
    }
    if (strcmp(argv[at], "-q") == 0)
      quiet = true;
    else if (strcmp(argv[at], "-o") == 0 && at + 1 < argc)
      output = argv[++at];
    else
      return usage("an option is not known or has no value");
  }
  if (!output || !*output)
    return usage("it is not said where to write");
  if (at >= argc)
    return usage("no program is named");
  char recorder[PATH_MAX];
  if (!find_recorder(recorder)) {
    fprintf(stderr,
            "arenite record: libarenite-record.so is neither beside the command nor in %s\n",
            ARENITE_RECORDER_INSTALLED);
    return 1;
  }

  /* A directory keeps the recorder's own files beside the trace; else they are thrown away. */
  struct stat status;
  bool keep =
      output[strlen(output) - 1] == '/' || (stat(output, &status) == 0 && S_ISDIR(status.st_mode));
  char raw[PATH_MAX], trace[PATH_MAX], manifest[PATH_MAX], absolute[PATH_MAX];
  int length;
  if (keep) {
    if (mkdir(output, 0777) != 0 && errno != EEXIST)
      return failed(output, errno);
    for (char *end = output + strlen(output); end > output + 1 && end[-1] == '/';)
      *--end = '\0';
    length = snprintf(raw, sizeof raw, "%s/raw", output);
    snprintf(trace, sizeof trace, "%s/trace.arnt", output);
    snprintf(manifest, sizeof manifest, "%s/manifest.json", output);
    remove_directory(raw);
    if (length < PATH_MAX - 16 && mkdir(raw, 0777) != 0)
      return failed(raw, errno);
  } else {
    length = snprintf(raw, sizeof raw, "%s.raw-XXXXXX", output);
    snprintf(trace, sizeof trace, "%s", output);
    if (length < PATH_MAX - 16 && !mkdtemp(raw))
      return failed(output, errno);
  }
  if (length >= PATH_MAX - 16 || !realpath(raw, absolute))
    return failed(output, length >= PATH_MAX - 16 ? ENAMETOOLONG : errno);

  int result = run_tree(argv + at, recorder, absolute);
  if (result < 0) {
    failed("fork", -result);
    result = 1;
  } else {
    struct trace_info info;
    char message[TRACE_MESSAGE];
    if (convert(raw, trace, keep ? manifest : NULL, &info, message) != 0) {
      fprintf(stderr, "arenite record: %s\n", message);
      result = 1;
    } else if (info.processes == 0) {
      fprintf(stderr,
              "arenite record: the recorder was not loaded: is %s linked statically, or setuid?\n",
              argv[at]);
      unlink(trace);
      result = result ? result : 1;
    } else {
      if (!quiet)
        summarise(trace, &info);
      if (info.cut) {
        fprintf(stderr,
                "arenite record: %s is not complete: %" PRIu64
                " processes found no room to write (a full disk, or a limit on files)\n",
                trace, info.cut);
        result = result ? result : 1;
      }
    }
  }
  if (!keep)
    remove_directory(raw);
  return result;
}
