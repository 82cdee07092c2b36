// forms: preloaded
// timeout: 60
/* malloc_rlimit.c - a limit on the address space. Set before the program starts, it is kept whatever
 * its size: the program starts, or fails as any would; malloc ends with NULL and ENOMEM, and goes on
 * when something has been freed. Set by the program itself, docs/design.md says what it means.
 */
#include "served.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20, SURELY = 64, LD_SO_FAILED = 127, NO_MEMORY = 5 };

struct link {
  struct link *next;
  size_t size;
};

/* As many blocks of the size as there are, but no more than much bytes of them. */
static size_t exhaust(struct link **chain, size_t size, size_t much) {
  size_t bytes = 0;
  errno = 0;
  while (bytes < much) {
    struct link *link = malloc(size);
    if (!link) {
      REQUIRE(errno == ENOMEM);
      break;
    }
    *link = (struct link){*chain, size};
    support_fill(link + 1, size < 300 ? size - sizeof *link : 300, size);
    *chain = link;
    bytes += size;
  }
  return bytes;
}

static void free_all(struct link **chain) {
  while (*chain) {
    struct link *link = *chain;
    size_t part = link->size < 300 ? link->size - sizeof *link : 300;
    REQUIRE(support_holds(link + 1, part, part, link->size));
    *chain = link->next;
    free(link);
  }
}

static void *in_a_thread(void *context) {
  struct link *chain = NULL;
  size_t bytes = exhaust(&chain, 100, MIB);
  free_all(&chain);
  return bytes > MIB / 2 ? context : NULL;
}

static void threads_go_on(void) {
  pthread_attr_t attributes;
  pthread_t thread;
  char expected = 0;
  void *result = NULL;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, 64 << 10) == 0);
  if (pthread_create(&thread, &attributes, in_a_thread, &expected) == 0) {
    REQUIRE(pthread_join(thread, &result) == 0);
    REQUIRE(result == &expected);
  }
}

/* --- Set before ------------------------------------------------------------------------------ */

static int live_in(size_t limit) {
  static const size_t sizes[] = {64, 700, 5000, 100000, 700000, 3 * MIB, 40 * MIB};
  if (!malloc(1))
    return NO_MEMORY;
  /* A limit is for the whole program: at least half of it is left for what is not malloc's. */
  if (limit >= SURELY * MIB) {
    void *mapped = mmap(NULL, limit / 2, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(mapped != MAP_FAILED);
    REQUIRE(munmap(mapped, limit / 2) == 0);
  }
  for (int round = 0; round < (limit > SURELY * MIB ? 1 : 2); round++)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      struct link *chain = NULL;
      size_t got = exhaust(&chain, sizes[i], limit);
      REQUIRE(got < limit);
      exhaust(&chain, 64, limit); /* small ones until they end too */
      errno = 0;
      REQUIRE(calloc(3, 40 * MIB) == NULL || limit > 120 * (size_t)MIB);
      free_all(&chain);
      size_t again = exhaust(&chain, sizes[i], limit);
      REQUIRE(again >= got / 4 * 3);
      free_all(&chain);
      malloc_trim(0);
      served_check();
    }
  threads_go_on();
  return 0;
}

static void set_before(char *name, size_t mib) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    struct rlimit limit = {mib * MIB, mib * MIB};
    char argument[32];
    snprintf(argument, sizeof argument, "%zu", mib);
    alarm(30);
    REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
    execl("/proc/self/exe", name, argument, (char *)NULL);
    _exit(LD_SO_FAILED);
  }
  int status;
  REQUIRE(waitpid(child, &status, 0) == child);
  printf("%5zu MiB: status %#x\n", mib, status);
  fflush(stdout);
  REQUIRE(WIFEXITED(status));
  int code = WEXITSTATUS(status);
  REQUIRE(code == 0 || (mib < SURELY && (code == LD_SO_FAILED || code == NO_MEMORY)));
}

/* --- Set after ------------------------------------------------------------------------------- */

static void limit_now(int resource, size_t bytes) {
  struct rlimit limit = {bytes, bytes};
  REQUIRE(setrlimit(resource, &limit) == 0);
}

static void limited_address_space(void) {
  struct link *chain = NULL;
  limit_now(RLIMIT_AS, 64 * MIB);
  REQUIRE(mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
  REQUIRE(exhaust(&chain, 256, 128 * MIB) >= 128 * MIB);
  REQUIRE(exhaust(&chain, 300000, 128 * MIB) >= 128 * MIB);
  errno = 0;
  REQUIRE(malloc(100 * MIB) == NULL && errno == ENOMEM);
  free_all(&chain);
}

static void limited_data(void) {
  struct link *chain = NULL;
  limit_now(RLIMIT_DATA, 64 * MIB);
  size_t got = exhaust(&chain, 256, 128 * MIB);
  REQUIRE(got < 64 * MIB && got > 32 * MIB);
  free_all(&chain);
  REQUIRE(exhaust(&chain, 700, 128 * MIB) >= got / 4 * 3);
  free_all(&chain);
}

static void set_after(void (*run)(void)) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(30);
    free(malloc(100));
    run();
    served_check();
    malloc_trim(0);
    served_check();
    _exit(0);
  }
  int status;
  REQUIRE(waitpid(child, &status, 0) == child && status == 0);
}

int main(int argc, char **argv) {
  if (argc > 1)
    return live_in(strtoul(argv[1], NULL, 10) * MIB);
  static const size_t sizes[] = {4, 8, 16, 20, 24, 32, 48, 64, 128, 256};
  size_t step = support_scaled(3) == 3 ? 1 : 3;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i += step)
    set_before(argv[0], sizes[i]);
  set_after(limited_address_space);
  set_after(limited_data);
  return 0;
}
