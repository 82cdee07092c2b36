/* background.c - see background.h.
 *
 * The thread sleeps, and looks. It is never woken: whoever gives memory to the arenas would have to
 * look whether it sleeps. While something is dirty it looks four times in a purge delay; when nothing
 * is, ever less often, down to twice a second.
 *
 * It needs no heap: its arn_self is that of a thread past its end. All signals are blocked in it, so
 * it runs no handler of the program.
 *
 * A process ends when its last thread does, pthread_exit in main included, and ours is no reason for
 * it to stay. libc counts it, so it ends itself when the kernel says that the only other thread is the
 * first one, as a zombie.
 */
#include "background.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "group.h"
#include "host.h"
#include "lock.h"
#include "os.h"
#include "runtime.h"
#include "settings.h"

/* Milliseconds between two looks: nothing is dirty; something was given back a moment ago, and more
 * may be due; the least otherwise. */
#define LONGEST 500
#define BETWEEN_SLICES 1
#define SHORTEST 10

/* Enough for handlers of exit, should the process end with it. Only what is used costs memory. */
#define STACK ((size_t)256 << 10)

/* What there is of the thread. */
enum { OFF, RUNNING, LEFT_BEHIND /* by a fork */ };
static _Atomic uint32_t state;
static _Atomic(const void *) forked; /* arn_here of the thread that did */

/* --- The thread ------------------------------------------------------------------------------ */

static void rest(uint32_t milliseconds) {
  struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &time) == EINTR) {
  }
}

/* Whether the process's first thread has ended, and no other is left but this one. */
static bool is_alone(void) {
  char text[512];
  int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  text[length > 0 ? length : 0] = '\0';
  /* PID (NAME) STATE and 16 numbers, then how many threads: proc(5). The name may hold anything. */
  const char *at = strrchr(text, ')');
  if (!at || strncmp(at, ") Z ", 4) != 0)
    return false;
  at++;
  for (int field = 0; field < 17 && at; field++)
    at = strchr(at + 1, ' ');
  return at && strncmp(at, " 2 ", 3) == 0;
}

/* How long until the next look. */
static uint32_t next_rest(const arn_group *group, size_t given, uint32_t last) {
  if (given)
    return BETWEEN_SLICES;
  if (!arn_group_dirty(group))
    return last < SHORTEST ? SHORTEST : last < LONGEST / 2 ? last * 2 : LONGEST;
  uint32_t quarter = (uint32_t)group->config.purge_delay_ms / 4;
  return quarter < SHORTEST ? SHORTEST : quarter < LONGEST ? quarter : LONGEST;
}

static void *look_after(void *unused) {
  (void)unused;
  pthread_setname_np(pthread_self(), "arenite");
  arn_self = &arn_ended_heap;
  for (uint32_t pause = SHORTEST; !is_alone();) {
    rest(pause);
    arn_runtime *runtime = arn_malloc_runtime_made();
    if (runtime)
      pause = next_rest(arn_runtime_group(runtime), arn_idle(runtime), pause);
  }
  return NULL;
}

/* --- Starting it ----------------------------------------------------------------------------- */

static int make_thread(void) {
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all;
  sigfillset(&all);
  int error = pthread_attr_init(&attributes);
  if (error)
    return error;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setsigmask_np(&attributes, &all);
  size_t usual = 0;
  pthread_attr_getstacksize(&attributes, &usual);
  pthread_attr_setstacksize(&attributes, STACK);
  error = pthread_create(&thread, &attributes, look_after, NULL);
  /* The program's thread-local data are on the stack too, and may be larger than ours is. */
  if (error == EINVAL && usual > STACK && !pthread_attr_setstacksize(&attributes, usual))
    error = pthread_create(&thread, &attributes, look_after, NULL);
  pthread_attr_destroy(&attributes);
  return error;
}

static void left_behind(void) {
  if (load_relaxed(&state) != RUNNING)
    return;
  store_relaxed(&forked, arn_here());
  store_relaxed(&state, LEFT_BEHIND);
}

void arn_background_start(void) {
  int error = 0;
  if (!arn_setting_bool("ARENITE_BACKGROUND", false, &error))
    return;
  arn_runtime *runtime = arn_malloc_runtime();
  if (!runtime || arn_runtime_group(runtime)->config.purge_delay_ms < 0)
    return; /* nothing is to go back by itself */
  store_relaxed(&state, RUNNING);
  error = pthread_atfork(NULL, NULL, left_behind);
  if (!error)
    error = make_thread();
  if (!error)
    return;
  store_relaxed(&state, OFF);
  char line[160];
  int length = snprintf(line, sizeof line, "arenite: ARENITE_BACKGROUND=on: no thread: %s\n",
                        strerror(error));
  if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0) {
    /* There is nobody else to tell. */
  }
}

void arn_background_look(void) {
  uint32_t expected = LEFT_BEHIND;
  if (likely(load_relaxed(&state) != LEFT_BEHIND) || load_relaxed(&forked) == arn_here() ||
      !cas_acq_rel(&state, &expected, RUNNING))
    return;
  int before = errno;
  if (make_thread())
    store_relaxed(&state, OFF); /* a guest of the child's that asks again would be refused again */
  errno = before;
}
