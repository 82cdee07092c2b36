/* process.c - what the kernel says about this process: resident pages and mappings (support.h).
 *
 * Read with open and read into a buffer of the stack, because stdio would allocate and so change
 * what is measured.
 */
#include "support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* "Rss:" of smaps_rollup is exact, unlike statm, whose counters are batched per CPU. */
size_t support_rss(void) {
  char text[512];
  int fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  REQUIRE(length > 0);
  text[length] = '\0';
  const char *rss = strstr(text, "Rss:");
  REQUIRE(rss != NULL);
  return strtoull(rss + 4, NULL, 10) * 1024;
}

size_t support_mappings(void) {
  char text[4096];
  size_t lines = 0;
  int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  for (ssize_t length; (length = read(fd, text, sizeof text)) > 0;)
    for (ssize_t i = 0; i < length; i++)
      lines += text[i] == '\n';
  close(fd);
  return lines;
}

size_t support_resident(const void *at, size_t size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), resident = 0;
  uintptr_t first = (uintptr_t)at & ~(page - 1), end = (uintptr_t)at + size;
  while (first < end) {
    unsigned char pages[256];
    size_t span = end - first < 256 * page ? end - first : 256 * page;
    if (mincore((void *)first, span, pages) != 0)
      return resident; /* not mapped: nothing is resident */
    for (size_t i = 0; i < (span + page - 1) / page; i++)
      resident += (pages[i] & 1) != 0 ? page : 0;
    first += span;
  }
  return resident;
}
