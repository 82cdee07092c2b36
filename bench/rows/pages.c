/* pages.c - what it costs to have a page somewhere: new from the system, copied, or moved.
 *
 * The row calls no malloc. It prints microseconds for a MiB, which is what an arena has: of pages that are
 * touched for the first time (`new`), given back (`given_back`), copied to pages that are there
 * (`copied`), and moved by mremap(2) as the library moves them, in two steps (`moved`). */
#include "row.h"

#include <sys/mman.h>

enum { MIB = 1 << 20, ARENAS = 64, ROUNDS = 8 };

static void touch(unsigned char *at, unsigned char what) {
  for (size_t i = 0; i < (size_t)ARENAS * MIB; i += ROW_PAGE)
    at[i] = what;
}

static void move(unsigned char *from, unsigned char *to) {
  void *between = mremap(from, MIB, MIB, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
  if (between == MAP_FAILED ||
      mremap(between, MIB, MIB, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED)
    row_fail("mremap refused to move pages");
}

static double microseconds(uint64_t since, uint64_t rounds) {
  return row_seconds_since(since) * 1e6 / ARENAS / (double)rounds;
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "pages", 1, NULL);
  uint64_t rounds = row_scaled(&row, ROUNDS), start = row_now_ns();
  double new = 0, given_back = 0, copied = 0, moved = 0;
  for (uint64_t round = 0; round < rounds; round++) {
    unsigned char *one = row_map((size_t)ARENAS * MIB), *other = row_map((size_t)ARENAS * MIB);
    uint64_t from = row_now_ns();
    touch(one, 1);
    new += microseconds(from, rounds);
    from = row_now_ns();
    for (size_t i = 0; i < ARENAS; i++)
      move(one + i * MIB, other + i * MIB);
    moved += microseconds(from, rounds);
    touch(one, 2);
    from = row_now_ns();
    for (size_t i = 0; i < ARENAS; i++)
      memcpy(one + i * MIB, other + i * MIB, MIB);
    copied += microseconds(from, rounds);
    from = row_now_ns();
    for (size_t i = 0; i < ARENAS; i++)
      madvise(one + i * MIB, MIB, MADV_DONTNEED);
    given_back += microseconds(from, rounds);
    munmap(one, (size_t)ARENAS * MIB);
    munmap(other, (size_t)ARENAS * MIB);
  }
  return row_report(&row, row_seconds_since(start), 0,
                    "\"new\":%.1f,\"copied\":%.1f,\"given_back\":%.1f,\"moved\":%.1f", new, copied,
                    given_back, moved);
}
