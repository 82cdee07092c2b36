/* row.h - what the row programs share.
 *
 * A row is one program that asks one question of whichever malloc it is started with: the library
 * under test is preloaded, the program itself calls nothing but malloc, calloc, realloc and free.
 * Its work is fixed, drawn by a generator of its own with fixed seeds, so that two libraries answer
 * the same calls in the same order. It prints one line of JSON. What a row keeps for itself, its
 * tables of blocks, is mapped, and so neither served by nor lying among the blocks of the library
 * that is measured. */
#ifndef ROW_H
#define ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_THREADS_MAX = 256, ROW_PAGE = 4096 };

struct row {
  const char *name;
  int threads;
  double scale;
};

/* An option of one row alone, "--name=value". A list of them ends with a name of NULL. */
struct row_option {
  const char *name;
  const char **value;
};

/* Reads --threads=N, --scale=X and the row's own; says what is wrong and exits 2 otherwise. */
struct row row_options(int argc, char **argv, const char *name, int threads_max,
                       const struct row_option *own);

/* `count` times the scale, at least 1. */
uint64_t row_scaled(const struct row *row, uint64_t count);

/* Says why the row is broken and exits 1. */
_Noreturn void row_fail(const char *sentence);

/* Runs worker(0) on this thread and the others on threads of their own, waits for all, and returns
 * the seconds that took. One worker is thus a program that never had a second thread. */
double row_run(int threads, void (*worker)(int index));

uint64_t row_now_ns(void);
double row_seconds_since(uint64_t start_ns);

/* Zeroed memory that no malloc knows; NULL never. */
void *row_map(size_t size);

size_t row_rss_kib(void);
size_t row_peak_rss_kib(void);

/* Prints the line. `calls` counts the calls of the allocator; `more` is NULL or a format for
 * further members, without braces. Returns main's status. */
int row_report(const struct row *row, double seconds, uint64_t calls, const char *more, ...)
    __attribute__((format(printf, 4, 5)));

/* --- Random numbers: xorshift64*, seeded by a number of any kind ------------------------------ */

struct row_random {
  uint64_t state;
};

static inline struct row_random row_seed(uint64_t number) {
  number = (number + 1) * 0x9e3779b97f4a7c15u;
  number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9u;
  return (struct row_random){(number ^ number >> 27) | 1};
}

static inline uint64_t row_next(struct row_random *random) {
  uint64_t x = random->state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  random->state = x;
  return x * 0x2545f4914f6cdd1du;
}

/* 0 to bound - 1. */
static inline uint32_t row_below(struct row_random *random, uint32_t bound) {
  return (uint32_t)((row_next(random) >> 32) * bound >> 32);
}

/* 2^low to 2^high - 1, each power of two as likely as the next: small sizes are the most common. */
static inline size_t row_octaves(struct row_random *random, unsigned low, unsigned high) {
  unsigned octave = low + row_below(random, high - low);
  return ((size_t)1 << octave) + row_below(random, 1u << octave);
}

/* --- Blocks that know themselves ----------------------------------------------------------------
 *
 * The first word of a block says where it lies and how large it was asked for. A table of pointers
 * is then enough, and a block that was given out twice, or written over by its neighbour, is
 * noticed when it is freed. Sizes are 8 to 65,535 bytes. */

static inline uint64_t row_tag(const void *block, size_t size) {
  return (uint64_t)(uintptr_t)block << 16 | size;
}

static inline size_t row_size(const void *block) {
  uint64_t tag;
  memcpy(&tag, block, sizeof tag);
  if (tag >> 16 != (uintptr_t)block)
    row_fail("a block's first word was overwritten while it was in use");
  return tag & 0xffff;
}

/* Of the block, only the first word is written. */
static inline void *row_allocate(size_t size) {
  void *block = malloc(size);
  if (block == NULL)
    row_fail("malloc returned NULL");
  uint64_t tag = row_tag(block, size);
  memcpy(block, &tag, sizeof tag);
  return block;
}

static inline void row_free(void *block) {
  row_size(block);
  free(block);
}

/* Every byte is written, and the last one looked at again. */
static inline void *row_allocate_filled(size_t size) {
  unsigned char *block = row_allocate(size);
  memset(block + sizeof(uint64_t), (int)size, size - sizeof(uint64_t));
  return block;
}

static inline void row_free_filled(void *block) {
  size_t size = row_size(block);
  if (size > sizeof(uint64_t) && ((unsigned char *)block)[size - 1] != (unsigned char)size)
    row_fail("a block's last byte was overwritten while it was in use");
  free(block);
}

#endif
