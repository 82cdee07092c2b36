/* chance.c - see chance.h. Compiled in the hardened build only. */
#include "chance.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint64_t arn_chance_seed(void) {
  int before = errno;
  uint64_t seed;
  /* Not by libc's function: that is a cancellation point, which malloc must not be. Early in a system's
   * life the call would wait, and an old or a confined one refuses it. Then there are the 16 random
   * bytes that every process begins with, which libc uses for the same end. */
  if (syscall(SYS_getrandom, &seed, sizeof seed, GRND_NONBLOCK) != sizeof seed) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t state = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    const void *given = (const void *)getauxval(AT_RANDOM);
    seed = 0;
    if (given)
      memcpy(&seed, (const char *)given + sizeof seed, sizeof seed);
    seed ^= arn_chance_next(&state);
  }
  errno = before;
  return seed;
}
