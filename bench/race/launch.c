/* launch.c - see launch.h. The end of a process is seen through a descriptor of it (pidfd), in one
 * poll with its two pipes. */
#include "launch.h"

#include "compare/child.h"
#include "compare/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK_MS = 200 };

/* The child's side, up to the program. */
static _Noreturn void become(const struct launch *launch, int out, int err, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent)
    _exit(127);
  int null = open("/dev/null", O_RDWR);
  dup2(null, STDIN_FILENO);
  dup2(out >= 0 ? out : null, STDOUT_FILENO);
  dup2(err >= 0 ? err : null, STDERR_FILENO);
  for (const char *const *pair = launch->environment; pair != NULL && *pair != NULL; pair++)
    putenv((char *)*pair);
  /* Last, and always: what the caller has in LD_PRELOAD is not to serve anybody here. */
  if (launch->preload != NULL && launch->preload[0] != '\0')
    setenv("LD_PRELOAD", launch->preload, 1);
  else
    unsetenv("LD_PRELOAD");
  if (launch->directory == NULL || chdir(launch->directory) == 0)
    execvp(launch->argv[0], (char *const *)launch->argv);
  dprintf(STDERR_FILENO, "cannot start %s: %s\n", launch->argv[0], strerror(errno));
  _exit(127);
}

static pid_t make(const struct launch *launch, int out, int err) {
  fflush(NULL); /* what is buffered is ours to write, once */
  pid_t parent = getpid();
  pid_t process = fork();
  if (process == 0)
    become(launch, out, err, parent);
  if (process > 0)
    setpgid(process, process); /* both sides do it, so that it is done before anyone relies on it */
  return process;
}

/* What one pipe has brought so far. */
struct stream {
  int fd;
  char *text;
  size_t size;
};

static void stream_read(struct stream *stream) {
  char piece[8192];
  ssize_t got = read(stream->fd, piece, sizeof piece);
  if (got < 0 && errno == EINTR)
    return;
  char *larger = got > 0 ? realloc(stream->text, stream->size + (size_t)got + 1) : NULL;
  if (larger == NULL) {
    close(stream->fd);
    stream->fd = -1;
    return;
  }
  memcpy(larger + stream->size, piece, (size_t)got);
  stream->text = larger;
  stream->size += (size_t)got;
  larger[stream->size] = '\0';
}

/* Reads both pipes until the process has ended. 0, or CHILD_TIMEOUT or CHILD_INTERRUPTED. */
static int attend(const struct launch *launch, int process_fd, struct stream streams[2]) {
  double end = clock_seconds() + launch->timeout_s;
  for (;;) {
    struct pollfd fds[3] = {{.fd = streams[0].fd, .events = POLLIN},
                            {.fd = streams[1].fd, .events = POLLIN},
                            {.fd = process_fd, .events = POLLIN}};
    int ready = poll(fds, 3, TICK_MS);
    for (int i = 0; ready > 0 && i < 2; i++)
      if (fds[i].fd >= 0 && fds[i].revents != 0)
        stream_read(&streams[i]);
    if (ready > 0 && fds[2].revents != 0)
      return 0;
    if (child_interrupted() != 0)
      return CHILD_INTERRUPTED;
    if (clock_seconds() > end)
      return CHILD_TIMEOUT;
    if (ready <= 0 && launch->tick != NULL)
      launch->tick(launch->tick_context);
  }
}

/* What is left in the pipe is there already; who else holds its other end is not waited for. */
static char *stream_end(struct stream *stream) {
  while (stream->fd >= 0) {
    struct pollfd rest = {.fd = stream->fd, .events = POLLIN};
    if (poll(&rest, 1, 0) <= 0)
      break;
    stream_read(stream);
  }
  if (stream->fd >= 0)
    close(stream->fd);
  return stream->text != NULL ? stream->text : calloc(1, 1);
}

void launch_run(const struct launch *launch, struct launched *launched) {
  *launched = (struct launched){.status = CHILD_NO_START};
  int out[2] = {-1, -1}, err[2] = {-1, -1};
  pid_t process = -1;
  double start = clock_seconds();
  if (child_interrupted() != 0)
    launched->status = CHILD_INTERRUPTED;
  else if (pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0)
    process = make(launch, out[1], err[1]);
  if (out[1] >= 0)
    close(out[1]);
  if (err[1] >= 0)
    close(err[1]);
  struct stream streams[2] = {{.fd = out[0]}, {.fd = err[0]}};
  if (process > 0) {
    int process_fd = pidfd_open(process, 0);
    int cut = process_fd >= 0 ? attend(launch, process_fd, streams) : CHILD_NO_START;
    launched->seconds = clock_seconds() - start;
    if (cut != 0) {
      launched->status = cut;
      launch_stop(process);
    } else {
      int status;
      struct rusage usage;
      wait4(process, &status, 0, &usage);
      launched->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      launched->peak_rss_kib = (double)usage.ru_maxrss;
    }
    if (process_fd >= 0)
      close(process_fd);
  }
  launched->out = stream_end(&streams[0]);
  launched->err = stream_end(&streams[1]);
}

void launched_free(struct launched *launched) {
  free(launched->out);
  free(launched->err);
}

pid_t launch_start(const struct launch *launch) {
  return make(launch, -1, -1);
}

int launch_ended(pid_t process) {
  siginfo_t info = {0};
  return waitid(P_PID, (id_t)process, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
         info.si_pid == process;
}

void launch_stop(pid_t process) {
  kill(-process, SIGTERM);
  for (int wait = 0; wait < 100 && !launch_ended(process); wait++)
    usleep(20000);
  kill(-process, SIGKILL); /* what is left of the group, or all of it */
  waitpid(process, NULL, 0);
}
