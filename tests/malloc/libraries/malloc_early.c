/* malloc_early.c - a library that allocates before main and after it, through functions that are chosen
 * by indirect resolvers, as those of libc are. */
#include "malloc_early.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEPT = 16 };
static unsigned char *kept[KEPT];
static size_t sizes[KEPT];
static unsigned calls;

#define SUMS(number)                                                                               \
  static size_t sum_##number(const unsigned char *bytes, size_t count) {                           \
    size_t sum = 0;                                                                                \
    for (size_t i = 0; i < count; i++)                                                             \
      sum += bytes[i];                                                                             \
    return sum;                                                                                    \
  }                                                                                                \
  __attribute__((used)) static size_t (*choose_##number(void))(const unsigned char *, size_t) {    \
    return sum_##number;                                                                           \
  }
SUMS(1)
SUMS(2)
SUMS(3)
SUMS(4)
SUMS(5)

size_t early_sum(const unsigned char *bytes, size_t count) __attribute__((ifunc("choose_1")));
EARLY_API size_t early_sum_2(const unsigned char *bytes, size_t count)
    __attribute__((ifunc("choose_2")));
EARLY_API size_t early_sum_3(const unsigned char *bytes, size_t count)
    __attribute__((ifunc("choose_3")));
EARLY_API size_t early_sum_4(const unsigned char *bytes, size_t count)
    __attribute__((ifunc("choose_4")));
EARLY_API size_t early_sum_5(const unsigned char *bytes, size_t count)
    __attribute__((ifunc("choose_5")));

static void require(int condition, const char *where) {
  if (condition)
    return;
  fprintf(stderr, "%s: a block is not as it was, or there is none\n", where);
  abort();
}

void early_work(const char *where) {
  static size_t (*const sums[])(const unsigned char *, size_t) = {
      early_sum, early_sum_2, early_sum_3, early_sum_4, early_sum_5};
  for (unsigned i = 0; i < KEPT; i++) {
    if (kept[i])
      require(sums[i % 5](kept[i], sizes[i]) == sizes[i] * (i + 1), where);
    if (i % 2 == calls % 2)
      continue; /* until the call after this one */
    free(kept[i]);
    sizes[i] = (size_t)(calls + 1) * (i + 1) * (i + 1) * 97;
    kept[i] = i % 3 ? malloc(sizes[i]) : calloc(sizes[i], 1);
    require(kept[i] != NULL, where);
    memset(kept[i], (int)i + 1, sizes[i]);
  }
  void *aligned = NULL;
  require(posix_memalign(&aligned, 4096, 10000) == 0 && (uintptr_t)aligned % 4096 == 0, where);
  free(aligned);
  char *copy = strdup(where);
  require(copy && realloc(copy, 100000), where); /* and left there */
  calls++;
  char line[100];
  int length = snprintf(line, sizeof line, "%s\n", where);
  require(write(STDOUT_FILENO, line, (size_t)length) == length, where);
}

__attribute__((constructor)) static void library_starts(void) {
  early_work("library's constructor");
}

__attribute__((destructor)) static void library_ends(void) {
  early_work("library's destructor");
}
