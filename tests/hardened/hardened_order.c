/* hardened_order.c - the order in which blocks are handed out: another one in every process and in
 * every heap, and not the order of addresses. */
#include "hardened.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How far each block is from the one before it, in blocks. */
static void distances(int16_t *far) {
  char *last = arn_malloc(SMALL);
  for (int i = 0; i < COUNT; i++) {
    char *block = arn_malloc(SMALL);
    far[i] = (int16_t)((block - last) / SMALL);
    last = block;
  }
}

static int neighbours(const int16_t *far) {
  int count = 0;
  for (int i = 0; i < COUNT; i++)
    count += far[i] == 1;
  return count;
}

/* The same in a process of its own. */
static void of_a_child(int16_t *far) {
  int ends[2], status;
  REQUIRE(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) {
    begin();
    distances(far);
    _exit(write(ends[1], far, COUNT * sizeof *far) != COUNT * sizeof *far);
  }
  REQUIRE(read(ends[0], far, COUNT * sizeof *far) == COUNT * sizeof *far);
  REQUIRE(waitpid(child, &status, 0) == child && status == 0);
}

static int16_t first[COUNT], second[COUNT];

static void in_a_heap(void) {
  distances(second);
}

int main(void) {
  if (support_is_classic())
    return 77; /* its order is the textbook's */
  of_a_child(first);
  of_a_child(second);
  REQUIRE(memcmp(first, second, sizeof first) != 0);
  /* Among ten or more in a random order, one in ten follows its neighbour. */
  REQUIRE(neighbours(first) < COUNT / 4 && neighbours(second) < COUNT / 4);

  begin();
  distances(first);
  elsewhere(in_a_heap);
  REQUIRE(memcmp(first, second, sizeof first) != 0);

  /* After a fork parent and child go separate ways. */
  int ends[2], status;
  REQUIRE(pipe(ends) == 0);
  pid_t child = fork();
  distances(first);
  if (child == 0)
    _exit(write(ends[1], first, sizeof first) != sizeof first);
  REQUIRE(read(ends[0], second, sizeof second) == sizeof second);
  REQUIRE(waitpid(child, &status, 0) == child && status == 0);
  REQUIRE(memcmp(first, second, sizeof first) != 0);
  return 0;
}
