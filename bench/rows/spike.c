/* spike.c - what is left of a process's memory after a spike of load.
 *
 * A server takes in 1 GiB (--mib=N) of requests of 40 blocks each, 16 B to 8 KiB, every byte of
 * them written; then 31 of every 32 requests end. What is still alive is spread thinly over all
 * that was ever used, and the process is idle: for two seconds it does next to nothing every 10 ms,
 * as --trickle says: `pair`, one malloc and one free; `request`, a request that begins and ends; or
 * `none`. A library has no thread of ours to borrow but in those calls.
 *
 * Then the row says how much memory is resident, how much is alive, and what no library could give
 * back: the pages that hold at least one live byte. `ratio` is resident to such pages, and
 * `ratio_added` is that without what was resident before the first block. The row's own table goes
 * with the requests that end, but for the thirty-second part that names live blocks. `seconds` leaves
 * the idle time out. */
#include "row.h"

#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

enum { REQUEST = 40, KEPT = 32, SIZE_LOW = 4, SIZE_HIGH = 13, PAIR_SIZE = 64 };
enum { IDLE_STEPS = 200, STEP_NS = 10000000 };

static uint64_t blocks_ever; /* of the spike and the trickle */

/* Returns the bytes that were asked for. */
static size_t begin_request(struct row_random *random, void **blocks) {
  size_t bytes = 0;
  for (int i = 0; i < REQUEST; i++) {
    size_t size = row_octaves(random, SIZE_LOW, SIZE_HIGH);
    blocks[i] = row_allocate_filled(size);
    bytes += size;
  }
  blocks_ever += REQUEST;
  return bytes;
}

static void end_request(void **blocks) {
  for (int i = 0; i < REQUEST; i++)
    row_free_filled(blocks[i]);
}

static void trickle(char kind, struct row_random *random) {
  void *blocks[REQUEST];
  if (kind == 'r') {
    begin_request(random, blocks);
    end_request(blocks);
  } else if (kind == 'p') {
    row_free(row_allocate(PAIR_SIZE));
    blocks_ever++;
  }
}

static int by_number(const void *a, const void *b) {
  uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
  return (x > y) - (x < y);
}

struct alive {
  size_t bytes, pages;
};

/* Ends all requests but every 32nd; a table of these in the place of the one of all. */
static void **end_most(void **table, size_t room, size_t *requests) {
  size_t kept = 0;
  void **rest = row_map(room / KEPT + REQUEST * sizeof *rest);
  for (size_t request = 0; request < *requests; request++) {
    void **blocks = table + request * REQUEST;
    if (request % KEPT == 0)
      memcpy(rest + kept++ * REQUEST, blocks, REQUEST * sizeof *rest);
    else
      end_request(blocks);
  }
  munmap(table, room);
  *requests = kept;
  return rest;
}

static struct alive count_alive(void **table, size_t requests) {
  struct alive alive = {0, 0};
  size_t noted = 0;
  uintptr_t *pages = row_map(requests * REQUEST * 3 * sizeof *pages);
  for (size_t request = 0; request < requests; request++)
    for (int i = 0; i < REQUEST; i++) {
      uintptr_t block = (uintptr_t)table[request * REQUEST + i];
      size_t size = row_size((void *)block);
      alive.bytes += size;
      for (uintptr_t page = block / ROW_PAGE; page <= (block + size - 1) / ROW_PAGE; page++)
        pages[noted++] = page;
    }
  qsort(pages, noted, sizeof *pages, by_number);
  for (size_t i = 0; i < noted; i++)
    alive.pages += i == 0 || pages[i] != pages[i - 1];
  return alive;
}

int main(int argc, char **argv) {
  const char *mib = "1024", *kind = "pair";
  const struct row_option own[] = {{"mib", &mib}, {"trickle", &kind}, {NULL, NULL}};
  struct row row = row_options(argc, argv, "spike", 1, own);
  char *end;
  unsigned long whole = strtoul(mib, &end, 10);
  size_t wanted = row_scaled(&row, whole) << 20;
  if (whole == 0 || *end != '\0' ||
      (strcmp(kind, "pair") && strcmp(kind, "request") && strcmp(kind, "none"))) {
    fprintf(stderr, "spike: --mib is a whole number from 1, --trickle pair, request or none.\n");
    return 2;
  }
  /* Requests have 53 KiB each in the mean, and a few of them are never far from it together. */
  size_t room = (wanted / (48 * 1024) + 64) * REQUEST * sizeof(void *);
  struct row_random random = row_seed(0);
  size_t before_kib = row_rss_kib();
  void **table = row_map(room);

  uint64_t start = row_now_ns();
  size_t requests = 0;
  for (size_t bytes = 0; bytes < wanted; requests++)
    bytes += begin_request(&random, table + requests * REQUEST);
  size_t full_kib = row_rss_kib();
  table = end_most(table, room, &requests);
  double seconds = row_seconds_since(start);
  size_t freed_kib = row_rss_kib();

  for (int i = 0; i < IDLE_STEPS; i++) {
    nanosleep(&(struct timespec){0, STEP_NS}, NULL);
    trickle(kind[0], &random);
  }
  size_t idle_kib = row_rss_kib();

  struct alive alive = count_alive(table, requests);
  uint64_t calls = 2 * blocks_ever - requests * REQUEST;
  double pages_kib = (double)alive.pages * (ROW_PAGE / 1024);
  return row_report(
      &row, seconds, calls,
      "\"trickle\":\"%s\",\"rss_before_kib\":%zu,\"rss_full_kib\":%zu,\"rss_freed_kib\":%zu,"
      "\"rss_idle_kib\":%zu,\"live_kib\":%zu,\"live_pages_kib\":%.0f,\"ratio\":%.4f,"
      "\"ratio_added\":%.4f",
      kind, before_kib, full_kib, freed_kib, idle_kib, alive.bytes / 1024, pages_kib,
      (double)idle_kib / pages_kib, ((double)idle_kib - (double)before_kib) / pages_kib);
}
