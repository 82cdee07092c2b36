/* server.c - see server.h. */
#include "server.h"

#include "compare/child.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { TRIES = 500, WAIT_US = 10000 };

/* Does it answer? */
static bool answers(const struct sockaddr_un *address) {
  static const char ping[] = "PING\r\n", pong[] = "+PONG";
  char answer[sizeof pong] = "";
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool good = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
              write(fd, ping, sizeof ping - 1) == sizeof ping - 1 &&
              read(fd, answer, sizeof pong - 1) == sizeof pong - 1 && strcmp(answer, pong) == 0;
  if (fd >= 0)
    close(fd);
  return good;
}

static bool wait_until_ready(pid_t process, const struct sockaddr_un *address) {
  for (int i = 0; i < TRIES && !launch_ended(process) && child_interrupted() == 0; i++) {
    if (answers(address))
      return true;
    usleep(WAIT_US);
  }
  return false;
}

/* The most memory that it had so far, in KiB. */
static double peak_of(pid_t process) {
  char path[64], line[256];
  double peak = NAN;
  snprintf(path, sizeof path, "/proc/%d/status", (int)process);
  FILE *in = fopen(path, "re");
  while (in != NULL && isnan(peak) && fgets(line, sizeof line, in) != NULL)
    if (strncmp(line, "VmHWM:", 6) == 0)
      peak = strtod(line + 6, NULL);
  if (in != NULL)
    fclose(in);
  return peak;
}

static void say(struct launched *launched, const char *sentence) {
  launched->out = strdup("");
  launched->err = strdup(sentence);
}

void server_run(const struct launch *server, const struct launch *load, struct launched *launched) {
  *launched = (struct launched){.status = CHILD_NO_START, .seconds = NAN, .peak_rss_kib = NAN};
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int n = snprintf(address.sun_path, sizeof address.sun_path, "%s/redis.sock", server->directory);
  if (n < 0 || (size_t)n >= sizeof address.sun_path) {
    say(launched, "the name of the temporary directory is too long for a socket\n");
    return;
  }
  unlink(address.sun_path);
  pid_t process = launch_start(server);
  if (process < 0) {
    say(launched, "the server could not be started\n");
    return;
  }
  if (wait_until_ready(process, &address)) {
    launch_run(load, launched);
    launched->peak_rss_kib = peak_of(process);
    if (launch_ended(process) && launched->status != CHILD_INTERRUPTED) {
      launched_free(launched);
      launched->status = CHILD_NO_START;
      say(launched, "the server ended under the load\n");
    }
  } else {
    if (child_interrupted() != 0)
      launched->status = CHILD_INTERRUPTED;
    say(launched, "the server did not come up\n");
  }
  launch_stop(process);
}
