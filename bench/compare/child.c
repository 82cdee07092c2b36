/* child.c - see child.h. One poll loop reads both pipes, watches the clock and looks for signals.
 */
#include "child.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
  interrupted = number;
}

void child_catch_signals(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
}

int child_interrupted(void) {
  return interrupted;
}

const char *child_self(void) {
  static char path[PATH_MAX];
  if (path[0] == '\0') {
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
      return NULL;
    path[length] = '\0';
  }
  return path;
}

/* What one pipe has brought so far. */
struct capture {
  int fd;
  char *text;
  size_t size, room;
};

static void capture_read(struct capture *capture) {
  char piece[8192];
  ssize_t got = read(capture->fd, piece, sizeof piece);
  if (got < 0 && (errno == EINTR || errno == EAGAIN))
    return;
  if (got <= 0) {
    close(capture->fd);
    capture->fd = -1;
    return;
  }
  size_t wanted = capture->size + (size_t)got + 1;
  if (wanted > capture->room) {
    char *larger = realloc(capture->text, wanted * 2);
    if (larger == NULL)
      return; /* the rest of the text is lost, the child is not */
    capture->text = larger;
    capture->room = wanted * 2;
  }
  memcpy(capture->text + capture->size, piece, (size_t)got);
  capture->size += (size_t)got;
  capture->text[capture->size] = '\0';
}

static _Noreturn void start(const struct child *what, int out, int err, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent)
    _exit(127);
  int null = open("/dev/null", O_RDONLY);
  if (null >= 0)
    dup2(null, STDIN_FILENO);
  if (out >= 0)
    dup2(out, STDOUT_FILENO);
  if (err >= 0)
    dup2(err, STDERR_FILENO);
  for (const char *const *pair = what->environment; pair != NULL && *pair != NULL; pair++)
    putenv((char *)*pair);
  if (what->directory == NULL || chdir(what->directory) == 0)
    execvp(what->argv[0], (char *const *)what->argv);
  dprintf(STDERR_FILENO, "cannot start %s: %s\n", what->argv[0], strerror(errno));
  _exit(127);
}

static void end_group(pid_t group) {
  kill(-group, SIGTERM);
  for (int wait = 0; wait < 50; wait++) {
    if (kill(-group, 0) != 0)
      return;
    waitpid(group, NULL, WNOHANG);
    usleep(20000);
  }
  kill(-group, SIGKILL);
}

static int pipe_if(char **wanted, int ends[2]) {
  ends[0] = ends[1] = -1;
  return wanted == NULL ? 0 : pipe2(ends, O_CLOEXEC);
}

/* Waits for the child and empties its pipes. The status, or CHILD_. */
static int attend(const struct child *what, pid_t pid, struct capture capture[2]) {
  double end = clock_seconds() + what->timeout_s;
  int status = 0;
  for (;;) {
    struct pollfd fds[2] = {{.fd = capture[0].fd, .events = POLLIN},
                            {.fd = capture[1].fd, .events = POLLIN}};
    bool open_pipes = capture[0].fd >= 0 || capture[1].fd >= 0;
    poll(fds, 2, open_pipes ? 200 : 20);
    for (int i = 0; i < 2; i++)
      if (capture[i].fd >= 0 && fds[i].revents != 0)
        capture_read(&capture[i]);
    pid_t done = waitpid(pid, &status, WNOHANG);
    if (done == pid) {
      /* What is left in the pipes is there already; a daemon that keeps them open is not waited
       * for. */
      for (int i = 0; i < 2; i++)
        while (capture[i].fd >= 0) {
          struct pollfd rest = {.fd = capture[i].fd, .events = POLLIN};
          if (poll(&rest, 1, 0) <= 0)
            break;
          capture_read(&capture[i]);
        }
      return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    if (interrupted != 0 || clock_seconds() > end) {
      end_group(pid);
      waitpid(pid, &status, 0);
      return interrupted != 0 ? CHILD_INTERRUPTED : CHILD_TIMEOUT;
    }
    if (what->tick != NULL)
      what->tick(what->tick_context);
  }
}

int child_run(const struct child *what, char **out, char **err) {
  if (out != NULL)
    *out = NULL;
  if (err != NULL)
    *err = NULL;
  if (interrupted != 0)
    return CHILD_INTERRUPTED;
  int out_pipe[2], err_pipe[2];
  if (pipe_if(out, out_pipe) != 0)
    return CHILD_NO_START;
  if (pipe_if(err, err_pipe) != 0) {
    close(out_pipe[0]);
    close(out_pipe[1]);
    return CHILD_NO_START;
  }
  fflush(NULL); /* what is buffered is ours to write, once */
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid == 0)
    start(what, out_pipe[1], err_pipe[1], parent);
  if (out_pipe[1] >= 0)
    close(out_pipe[1]);
  if (err_pipe[1] >= 0)
    close(err_pipe[1]);

  struct capture capture[2] = {{.fd = out_pipe[0]}, {.fd = err_pipe[0]}};
  int status = CHILD_NO_START;
  if (pid > 0) {
    setpgid(pid, pid); /* both sides do it, so that it is done before anyone relies on it */
    status = attend(what, pid, capture);
  }
  for (int i = 0; i < 2; i++)
    if (capture[i].fd >= 0)
      close(capture[i].fd);
  if (out != NULL)
    *out = capture[0].text != NULL ? capture[0].text : strdup("");
  else
    free(capture[0].text);
  if (err != NULL)
    *err = capture[1].text != NULL ? capture[1].text : strdup("");
  else
    free(capture[1].text);
  return status;
}
