/* plan.c - gets the plan of a trace: from a cache, or made by a process of its own. */
#include "replay/plan.h"
#include "replay/plan_write.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int complain(const char *what, int error) {
  fprintf(stderr, "arenite replay: %s: %s\n", what, strerror(error));
  return 1;
}

/* Reads the head and maps the lanes; false when it is no complete plan. */
static bool read_plan(struct plan *plan) {
  struct stat status;
  struct plan_head *head = &plan->head;
  if (fstat(plan->fd, &status) != 0 ||
      pread(plan->fd, head, sizeof *head, 0) != (ssize_t)sizeof *head || head->magic != PLAN_MAGIC)
    return false;
  size_t size = head->lanes * sizeof *plan->lanes;
  void *lanes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (lanes == MAP_FAILED)
    return false;
  plan->lanes = lanes;
  return pread(plan->fd, lanes, size, (off_t)head->lane_table) == (ssize_t)size;
}

/* The trace's hash, which names its plans in a cache; 0 when it cannot be read. */
static uint64_t hash_of(const char *trace) {
  struct trace_head head;
  int fd = open(trace, O_RDONLY | O_CLOEXEC);
  bool good = fd >= 0 && read(fd, &head, sizeof head) == (ssize_t)sizeof head &&
              memcmp(head.magic, TRACE_MAGIC, sizeof head.magic) == 0;
  if (fd >= 0)
    close(fd);
  return good ? head.hash : 0;
}

/* In the process that makes the plan. */
static int make(int fd, const char *trace, bool own) {
  char message[TRACE_MESSAGE];
  struct trace_reader *reader;
  if (trace_reader_open(&reader, trace, message) != 0) {
    fprintf(stderr, "arenite replay: %s\n", message);
    return 2;
  }
  int status = plan_write(fd, reader, own, message);
  trace_reader_close(reader);
  if (status) {
    bool named = strncmp(message, trace, strnlen(trace, 200)) == 0;
    fprintf(stderr, "arenite replay: %s%s%s\n", named ? "" : trace, named ? "" : ": ", message);
  }
  return status;
}

int plan_make(struct plan *plan, const char *trace, bool own, const char *cache) {
  char kept[PATH_MAX] = "", path[PATH_MAX];
  memset(plan, 0, sizeof *plan);
  uint64_t hash = cache ? hash_of(trace) : 0;
  if (hash) {
    snprintf(kept, sizeof kept, "%s/%016" PRIx64 "-%s.plan", cache, hash, own ? "own" : "merged");
    plan->fd = open(kept, O_RDONLY | O_CLOEXEC);
    if (plan->fd >= 0) {
      if (read_plan(plan))
        return 0;
      close(plan->fd);
    }
  }
  const char *directory = hash ? cache : getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/arenite-plan-XXXXXX",
           directory && *directory ? directory : "/tmp");
  plan->fd = mkostemp(path, O_CLOEXEC);
  if (plan->fd < 0)
    return complain(path, errno);
  if (!hash)
    unlink(path);
  pid_t pid = fork();
  if (pid < 0)
    return complain("fork", errno);
  if (pid == 0) {
    int status = make(plan->fd, trace, own);
    fflush(NULL);
    _exit(status);
  }
  int status;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      return complain("waitpid", errno);
  int result = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  if (!WIFEXITED(status))
    fprintf(stderr, "arenite replay: the process that makes the plan died of signal %d\n",
            WTERMSIG(status));
  if (result == 0 && !read_plan(plan)) {
    fprintf(stderr, "arenite replay: the plan cannot be read back\n");
    result = 1;
  }
  if (hash && (result != 0 || rename(path, kept) != 0))
    unlink(path);
  return result;
}
