/* calloc_fresh.c - is memory that is new from the system cleared once more?
 *
 * It is zero already; a calloc that clears it makes all of it resident before anyone has used it.
 * The row takes one block of each size from 64 KiB to 256 MiB, and prints by how much resident
 * memory grew (`rss_grew_kib`): nothing, if the library knows what is fresh. Then it takes and
 * frees the same blocks some more times, reads a word in each page, which must be zero, and writes
 * one in each block, so that what comes again does have to be cleared; this is what `seconds`
 * counts. */
#include "row.h"

enum { SIZES = 7, SMALLEST = 64 << 10, ROUNDS = 5 };

static size_t size_of(int i) {
  return (size_t)SMALLEST << 2 * i;
}

static unsigned char *take(size_t size) {
  unsigned char *block = calloc(size / 16, 16);
  if (block == NULL)
    row_fail("calloc returned NULL");
  return block;
}

static void check_zero(const unsigned char *block, size_t size) {
  for (size_t at = 0; at < size; at += ROW_PAGE) {
    uint64_t word;
    memcpy(&word, block + at, sizeof word);
    if (word != 0)
      row_fail("calloc returned memory that is not zero");
  }
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "calloc_fresh", 1, NULL);
  uint64_t rounds = row_scaled(&row, ROUNDS);
  unsigned char *blocks[SIZES];
  size_t asked = 0, before = row_rss_kib();
  for (int i = 0; i < SIZES; i++) {
    blocks[i] = take(size_of(i));
    asked += size_of(i);
  }
  size_t after = row_rss_kib();
  for (int i = 0; i < SIZES; i++) {
    check_zero(blocks[i], size_of(i));
    free(blocks[i]);
  }
  uint64_t start = row_now_ns();
  for (uint64_t round = 0; round < rounds; round++)
    for (int i = 0; i < SIZES; i++) {
      unsigned char *block = take(size_of(i));
      check_zero(block, size_of(i));
      block[size_of(i) / 2] = 1;
      free(block);
    }
  double seconds = row_seconds_since(start);
  return row_report(&row, seconds, 2 * SIZES * (rounds + 1),
                    "\"asked_kib\":%zu,\"rss_grew_kib\":%zu", asked / 1024,
                    after > before ? after - before : 0);
}
