/* oom_later.c - limits that are set after the runtime was created, as docs/design.md tells them.
 *
 * RLIMIT_AS counts the reservation from the start, so a low limit refuses every new mapping, but not
 * the arenas. RLIMIT_DATA counts memory when it becomes writable, so it ends the arenas too.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, LIMIT = 64 * MIB, PLENTY = 4 * LIMIT, SMALL = 256, LARGE = 300000 };

/* Allocates until it is refused or has plenty; the bytes. */
static size_t take(size_t size) {
  size_t bytes = 0;
  errno = 0;
  for (void *block; bytes < PLENTY && (block = arn_malloc(size)) != NULL; bytes += size)
    memset(block, 1, 16);
  REQUIRE(bytes >= PLENTY || errno == ENOMEM);
  return bytes;
}

static void limit_now(int resource) {
  struct rlimit limit = {LIMIT, LIMIT};
  REQUIRE(setrlimit(resource, &limit) == 0);
}

static void limited_address_space(void) {
  arn_runtime *runtime = support_start(ARN_MODE_FREE_THREADED);
  limit_now(RLIMIT_AS);
  REQUIRE(mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
  REQUIRE(take(SMALL) >= PLENTY);
  if (!support_is_classic()) { /* there, the system heap has the large ones */
    REQUIRE(take(LARGE) >= PLENTY);
    REQUIRE(arn_malloc((size_t)100 * MIB) == NULL);
    REQUIRE(errno == ENOMEM);
  }
  support_check(runtime);
  support_end(runtime);
}

static void limited_data(void) {
  arn_runtime *runtime = support_start(ARN_MODE_FREE_THREADED);
  limit_now(RLIMIT_DATA);
  REQUIRE(take(SMALL) < LIMIT);
  support_check(runtime);
  arn_trim(runtime, 0);
  support_check(runtime);
  support_end(runtime);
}

static void in_a_child(void (*run)(void)) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    run();
    _exit(0);
  }
  int status;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
}

int main(void) {
  if (SUPPORT_SANITIZED) {
    puts("a sanitizer needs more address space than that: skipped");
    return 77;
  }
  in_a_child(limited_address_space);
  in_a_child(limited_data);
  return 0;
}
