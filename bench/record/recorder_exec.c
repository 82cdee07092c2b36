/* recorder_exec.c - stands before the calls that start another program, so that the recorder goes
 * with it when the program passes an environment of its own making.
 *
 * Children of vfork come through here: everything is on the stack, nothing is locked or allocated.
 */
#include "record/recorder.h"

#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
  int (*execve)(const char *, char *const[], char *const[]);
  int (*execvpe)(const char *, char *const[], char *const[]);
  int (*fexecve)(int, char *const[], char *const[]);
  int (*posix_spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                     const posix_spawnattr_t *, char *const[], char *const[]);
  int (*posix_spawnp)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                      const posix_spawnattr_t *, char *const[], char *const[]);
} next;

void recorder_find_execs(void) {
#define FIND(name, version)                                                                        \
  if (!next.name)                                                                                  \
    next.name = (__typeof__(next.name))recorder_next(#name, version);
  FIND(execve, NULL)
  FIND(execvpe, NULL)
  FIND(fexecve, NULL)
  /* An older version of these runs a file that is no program as a script. */
  FIND(posix_spawn, "GLIBC_2.15")
  FIND(posix_spawnp, "GLIBC_2.15")
#undef FIND
}

static inline void ready(void) {
  if (__builtin_expect(!next.execve, 0))
    recorder_find_execs();
}

/* Room for the two variables. */
struct settings {
  char preload[4096], directory[1024];
};

static size_t count(char *const list[]) {
  size_t n = 0;
  while (list && list[n])
    n++;
  return n;
}

static bool is_variable(const char *entry, const char *name) {
  size_t length = strlen(name);
  return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

/* Copies the environment to copy (room for three entries more) with the recorder's variables in it.
 * Returns what to pass on: the copy, or the environment as it is when the recorder is off. */
static char *const *with_recorder(char *const environment[], char **copy, struct settings *room) {
  const char *directory = recorder_directory(), *own = recorder_own_path();
  if (!directory || !own)
    return environment;
  const char *preload = "";
  size_t used = 0;
  for (size_t i = 0; environment && environment[i]; i++) {
    if (is_variable(environment[i], "ARENITE_RECORD_DIR"))
      continue;
    if (is_variable(environment[i], "LD_PRELOAD"))
      preload = strchr(environment[i], '=') + 1;
    else
      copy[used++] = environment[i];
  }
  bool there = strstr(preload, own) != NULL;
  int length = snprintf(room->preload, sizeof room->preload, "LD_PRELOAD=%s%s%s", there ? "" : own,
                        there || !*preload ? "" : ":", preload);
  if (length < 0 || (size_t)length >= sizeof room->preload)
    return environment;
  snprintf(room->directory, sizeof room->directory, "ARENITE_RECORD_DIR=%s", directory);
  copy[used++] = room->preload;
  copy[used++] = room->directory;
  copy[used] = NULL;
  return copy;
}

#define WITH_RECORDER(environment)                                                                 \
  struct settings room;                                                                            \
  char *copy[count(environment) + 3];                                                              \
  char *const *passed = with_recorder(environment, copy, &room);                                   \
  ready()

RECORDER_EXPORT int execve(const char *path, char *const argv[], char *const envp[]) {
  WITH_RECORDER(envp);
  return next.execve(path, argv, passed);
}

RECORDER_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[]) {
  WITH_RECORDER(envp);
  return next.execvpe(file, argv, passed);
}

RECORDER_EXPORT int fexecve(int fd, char *const argv[], char *const envp[]) {
  WITH_RECORDER(envp);
  return next.fexecve(fd, argv, passed);
}

RECORDER_EXPORT int posix_spawn(pid_t *pid, const char *path,
                                const posix_spawn_file_actions_t *actions,
                                const posix_spawnattr_t *attributes, char *const argv[],
                                char *const envp[]) {
  WITH_RECORDER(envp);
  return next.posix_spawn(pid, path, actions, attributes, argv, passed);
}

RECORDER_EXPORT int posix_spawnp(pid_t *pid, const char *file,
                                 const posix_spawn_file_actions_t *actions,
                                 const posix_spawnattr_t *attributes, char *const argv[],
                                 char *const envp[]) {
  WITH_RECORDER(envp);
  return next.posix_spawnp(pid, file, actions, attributes, argv, passed);
}

RECORDER_EXPORT int execv(const char *path, char *const argv[]) {
  return execve(path, argv, environ);
}

RECORDER_EXPORT int execvp(const char *file, char *const argv[]) {
  return execvpe(file, argv, environ);
}

/* The forms with the arguments in a row: count them, then make them a list on the stack. */
static size_t count_row(va_list row) {
  size_t n = 1;
  while (va_arg(row, char *))
    n++;
  return n;
}

#define LIST_FROM_ROW(first)                                                                       \
  va_list row;                                                                                     \
  va_start(row, first);                                                                            \
  size_t words = count_row(row);                                                                   \
  va_end(row);                                                                                     \
  char *list[words + 1];                                                                           \
  va_start(row, first);                                                                            \
  list[0] = (char *)(uintptr_t)first;                                                              \
  for (size_t i = 1; i <= words; i++)                                                              \
  list[i] = va_arg(row, char *)

RECORDER_EXPORT int execl(const char *path, const char *first, ...) {
  LIST_FROM_ROW(first);
  va_end(row);
  return execve(path, list, environ);
}

RECORDER_EXPORT int execlp(const char *file, const char *first, ...) {
  LIST_FROM_ROW(first);
  va_end(row);
  return execvpe(file, list, environ);
}

RECORDER_EXPORT int execle(const char *path, const char *first, ...) {
  LIST_FROM_ROW(first);
  char *const *environment = va_arg(row, char *const *);
  va_end(row);
  return execve(path, list, environment);
}
