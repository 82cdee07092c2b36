/* latency.c - how long one call of malloc or free can take.
 *
 * A thread replaces blocks of its table at random and looks at the time stamp counter before and
 * after each call. The times are counted in a histogram with 16 steps for each power of two, so
 * that a figure is at most 6% off; the maximum is exact. Blocks are written between the calls, so
 * that the first touch of a page is the row's time and not malloc's. `timer_ns` is what two looks
 * at the counter with nothing between them take: it is in every figure. */
#include "row.h"

#include <x86intrin.h>

enum { BLOCKS = 10000, REPLACED = 1000000, SIZE_LOW = 4, SIZE_HIGH = 14 /* 16 B to 16 KiB */ };
enum { STEPS = 16, BUCKETS = 61 * STEPS };

struct histogram {
  uint64_t bucket[BUCKETS];
  uint64_t count, largest; /* in ticks, as all here */
};

struct thread {
  struct histogram allocate, release;
  void *blocks[BLOCKS];
};

static struct thread *threads;
static uint64_t replaced; /* by each thread */

/* --- The histogram ---------------------------------------------------------------------------- */

static unsigned bucket_of(uint64_t ticks) {
  if (ticks < STEPS)
    return (unsigned)ticks;
  unsigned octave = 63 - (unsigned)__builtin_clzll(ticks);
  return (octave - 3) * STEPS + (unsigned)(ticks >> (octave - 4)) % STEPS;
}

/* The middle of the bucket's range. */
static double ticks_of(unsigned bucket) {
  if (bucket < STEPS)
    return bucket;
  unsigned octave = bucket / STEPS + 3;
  return ((double)(STEPS + bucket % STEPS) + 0.5) * (double)((uint64_t)1 << (octave - 4));
}

static void note(struct histogram *histogram, uint64_t ticks) {
  histogram->bucket[bucket_of(ticks)]++;
  histogram->count++;
  if (ticks > histogram->largest)
    histogram->largest = ticks;
}

static void merge(struct histogram *into, const struct histogram *from) {
  for (int i = 0; i < BUCKETS; i++)
    into->bucket[i] += from->bucket[i];
  into->count += from->count;
  if (from->largest > into->largest)
    into->largest = from->largest;
}

/* The time that all but one in `rarity` calls keep to. */
static double all_but_one_in(const struct histogram *histogram, uint64_t rarity) {
  uint64_t above = 0;
  for (unsigned i = BUCKETS; i-- > 0;)
    if ((above += histogram->bucket[i]) > histogram->count / rarity)
      return ticks_of(i);
  return 0;
}

/* --- The work --------------------------------------------------------------------------------- */

/* Waits for what comes before to be done. */
static uint64_t ticks_now(void) {
  unsigned processor;
  return __rdtscp(&processor);
}

static void *timed_malloc(struct histogram *histogram, size_t size) {
  uint64_t start = ticks_now();
  unsigned char *block = malloc(size);
  note(histogram, ticks_now() - start);
  if (block == NULL)
    row_fail("malloc returned NULL");
  uint64_t tag = row_tag(block, size);
  memcpy(block, &tag, sizeof tag);
  for (size_t at = ROW_PAGE; at < size; at += ROW_PAGE)
    block[at] = 1;
  return block;
}

static void timed_free(struct histogram *histogram, void *block) {
  row_size(block); /* the block is intact, and in the cache */
  uint64_t start = ticks_now();
  free(block);
  note(histogram, ticks_now() - start);
}

static void work(int index) {
  struct thread *thread = &threads[index];
  struct row_random random = row_seed((uint64_t)index);
  for (uint64_t i = 0; i < BLOCKS + replaced; i++) {
    void **slot = &thread->blocks[i < BLOCKS ? i : row_below(&random, BLOCKS)];
    if (*slot != NULL)
      timed_free(&thread->release, *slot);
    *slot = timed_malloc(&thread->allocate, row_octaves(&random, SIZE_LOW, SIZE_HIGH));
  }
  for (int i = 0; i < BLOCKS; i++)
    timed_free(&thread->release, thread->blocks[i]);
}

static double empty_ticks(void) {
  enum { LOOKS = 1000 };
  struct histogram histogram = {.count = 0};
  for (int i = 0; i < LOOKS; i++) {
    uint64_t start = ticks_now();
    note(&histogram, ticks_now() - start);
  }
  return all_but_one_in(&histogram, 2);
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "latency", ROW_THREADS_MAX, NULL);
  replaced = row_scaled(&row, REPLACED);
  threads = row_map((size_t)row.threads * sizeof *threads);
  uint64_t start = ticks_now();
  double seconds = row_run(row.threads, work);
  double ns = seconds * 1e9 / (double)(ticks_now() - start); /* a tick */
  for (int i = 1; i < row.threads; i++) {
    merge(&threads[0].allocate, &threads[i].allocate);
    merge(&threads[0].release, &threads[i].release);
  }
  const struct histogram *m = &threads[0].allocate, *f = &threads[0].release;
  return row_report(
      &row, seconds, m->count + f->count,
      "\"malloc_ns\":{\"p50\":%.1f,\"p99.9\":%.1f,\"p99.99\":%.1f,\"max\":%.1f},"
      "\"free_ns\":{\"p50\":%.1f,\"p99.9\":%.1f,\"p99.99\":%.1f,\"max\":%.1f},\"timer_ns\":%.1f",
      ns * all_but_one_in(m, 2), ns * all_but_one_in(m, 1000), ns * all_but_one_in(m, 10000),
      ns * (double)m->largest, ns * all_but_one_in(f, 2), ns * all_but_one_in(f, 1000),
      ns * all_but_one_in(f, 10000), ns * (double)f->largest, ns * empty_ticks());
}
