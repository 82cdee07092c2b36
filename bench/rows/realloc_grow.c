/* realloc_grow.c - does a large block that grows have to be copied?
 *
 * A block of 64 MiB grows to 128 MiB in steps of 8 MiB. The system can move its pages instead of
 * its bytes; a library that does not ask for that copies them. `realloc_ns` is one call's time in
 * the mean, and `copy_ns` that of what anyone could do instead: malloc, memcpy, free. A byte in
 * each page is written before the block grows on, outside of both times. The copies come last, and
 * hold two blocks at once: `grown_peak_rss_kib` is the peak before them. */
#include "row.h"

enum { MIB = 1 << 20, FIRST = 64 * MIB, LAST = 128 * MIB, STEP = 8 * MIB, ROUNDS = 5 };
enum { STEPS = (LAST - FIRST) / STEP };

static unsigned char *grow_by_realloc(unsigned char *block, size_t old, size_t size) {
  (void)old;
  return realloc(block, size);
}

static unsigned char *grow_by_copy(unsigned char *block, size_t old, size_t size) {
  unsigned char *larger = malloc(size);
  if (larger == NULL)
    return NULL;
  memcpy(larger, block, old);
  free(block);
  return larger;
}

static void write_pages(unsigned char *block, size_t from, size_t to) {
  for (size_t at = from; at < to; at += ROW_PAGE)
    block[at] = (unsigned char)(at / ROW_PAGE + 1);
}

static void check_pages(const unsigned char *block, size_t size) {
  for (size_t at = 0; at < size; at += ROW_PAGE)
    if (block[at] != (unsigned char)(at / ROW_PAGE + 1))
      row_fail("a block that grew lost what was written in it");
}

/* The nanoseconds of all steps. */
static uint64_t grow(unsigned char *(*step)(unsigned char *, size_t, size_t)) {
  uint64_t taken = 0;
  unsigned char *block = malloc(FIRST);
  if (block == NULL)
    row_fail("malloc returned NULL");
  write_pages(block, 0, FIRST);
  for (size_t size = FIRST; size < LAST; size += STEP) {
    uint64_t start = row_now_ns();
    block = step(block, size, size + STEP);
    taken += row_now_ns() - start;
    if (block == NULL)
      row_fail("there was no memory to grow");
    write_pages(block, size, size + STEP);
  }
  check_pages(block, LAST);
  free(block);
  return taken;
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "realloc_grow", 1, NULL);
  uint64_t rounds = row_scaled(&row, ROUNDS), taken = 0;
  uint64_t start = row_now_ns();
  for (uint64_t round = 0; round < rounds; round++)
    taken += grow(grow_by_realloc);
  double seconds = row_seconds_since(start);
  size_t peak = row_peak_rss_kib();
  double copy_ns = (double)grow(grow_by_copy) / STEPS;
  return row_report(&row, seconds, (STEPS + 2) * rounds + 2 * (STEPS + 1),
                    "\"realloc_ns\":%.0f,\"copy_ns\":%.0f,\"grown_peak_rss_kib\":%zu",
                    (double)taken / (double)(STEPS * rounds), copy_ns, peak);
}
