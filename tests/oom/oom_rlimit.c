/* oom_rlimit.c - a process with 64 MiB of address space: memory ends with NULL and ENOMEM, what was
 * allocated is intact, and after the frees there is memory again.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1024 * 1024 };

struct link {
  struct link *next;
  size_t size;
};

/* Allocates until there is no more; returns the number of bytes. The chain is in the blocks. */
static size_t exhaust(struct link **chain, size_t size) {
  size_t bytes = 0;
  struct link *link;
  errno = 0;
  while ((link = arn_malloc(size)) != NULL) {
    link->next = *chain;
    link->size = size;
    support_fill(link + 1, size - sizeof *link, size);
    *chain = link;
    bytes += size;
    REQUIRE(bytes <= 64 * MIB);
  }
  REQUIRE(errno == ENOMEM);
  return bytes;
}

static void free_all(struct link **chain) {
  while (*chain != NULL) {
    struct link *link = *chain;
    *chain = link->next;
    REQUIRE(
        support_holds(link + 1, link->size - sizeof *link, link->size - sizeof *link, link->size));
    arn_free(link);
  }
}

static void live_in_little(arn_mode mode) {
  struct rlimit limit = {64 * MIB, 64 * MIB};
  REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
  arn_runtime *runtime = support_start(mode);
  static const size_t sizes[] = {256, 5000, 100000, 700000, 3 * MIB};
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < 5; i++) {
      struct link *chain = NULL;
      size_t bytes = exhaust(&chain, sizes[i]);
      size_t rest = exhaust(&chain, 64); /* small ones fill the gaps, then end too */
      if (round == 0)
        printf("mode %d, blocks of %7zu: %5zu KiB and %5zu KiB of small ones\n", (int)mode,
               sizes[i], bytes / 1024, rest / 1024);
      REQUIRE(bytes + rest >= 4 * MIB);
      support_check(runtime);
      free_all(&chain);
      support_check(runtime);
      arn_trim(runtime, 0);
      support_check(runtime);
    }
  void *block = arn_malloc(1000000);
  REQUIRE(block != NULL);
  arn_free(block);
  support_end(runtime);
  fflush(stdout);
}

int main(void) {
  if (SUPPORT_SANITIZED) {
    puts("a sanitizer needs more address space than that: skipped");
    return 77;
  }
  for (int mode = 0; mode < 2; mode++) {
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      live_in_little((arn_mode)mode);
      _exit(0);
    }
    int status;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
  }
  return 0;
}
