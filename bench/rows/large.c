/* large.c - large objects, some of which grow.
 *
 * A thread replaces blocks of a small table at random, 32 KiB to 32 MiB, smaller ones more often.
 * One in four reaches its size as a growing buffer does: it starts with 32 KiB and is reallocated
 * to half as much again until it is large enough. A byte in each page is written, so that the
 * memory has to be there; whether it comes from the system each time, or was kept, is the
 * library's choice, and what this row measures. */
#include "row.h"

enum { SLOTS = 16, REPLACED = 500, SMALLEST = 32 << 10, SIZE_LOW = 15, SIZE_HIGH = 25 };

struct block {
  unsigned char *bytes;
  size_t size;
  unsigned char mark; /* in the first byte of each page, counted from the block's start */
};

static uint64_t replaced; /* by each thread */
static uint64_t calls[ROW_THREADS_MAX];

static void write_pages(const struct block *block, size_t from) {
  for (size_t at = from; at < block->size; at += ROW_PAGE)
    block->bytes[at] = block->mark;
}

static size_t pages_end(size_t size) {
  return (size + ROW_PAGE - 1) / ROW_PAGE * ROW_PAGE;
}

/* The first page, one in the middle and the last. */
static void check_pages(const struct block *block) {
  size_t last = pages_end(block->size) - ROW_PAGE, middle = last / ROW_PAGE / 2 * ROW_PAGE;
  if (block->bytes[0] != block->mark || block->bytes[middle] != block->mark ||
      block->bytes[last] != block->mark)
    row_fail("a large block lost what was written in it");
}

static void resize(struct block *block, size_t size) {
  size_t written = pages_end(block->size);
  unsigned char *bytes = realloc(block->bytes, size);
  if (bytes == NULL)
    row_fail("realloc returned NULL");
  block->bytes = bytes;
  check_pages(block);
  block->size = size;
  write_pages(block, written);
}

static struct block draw_block(struct row_random *random, uint64_t *count) {
  size_t size = row_octaves(random, SIZE_LOW, SIZE_HIGH);
  bool grows = row_below(random, 4) == 0;
  struct block block = {.size = grows ? SMALLEST : size, .mark = (unsigned char)row_next(random)};
  block.bytes = malloc(block.size);
  if (block.bytes == NULL)
    row_fail("malloc returned NULL");
  ++*count;
  write_pages(&block, 0);
  for (; block.size < size; ++*count) {
    size_t more = block.size + block.size / 2;
    resize(&block, more < size ? more : size);
  }
  return block;
}

static void release(const struct block *block, uint64_t *count) {
  if (block->bytes == NULL)
    return;
  check_pages(block);
  free(block->bytes);
  ++*count;
}

static void work(int index) {
  struct row_random random = row_seed((uint64_t)index);
  struct block blocks[SLOTS] = {{0}};
  uint64_t count = 0;
  for (uint64_t i = 0; i < replaced; i++) {
    struct block *block = &blocks[row_below(&random, SLOTS)];
    release(block, &count);
    *block = draw_block(&random, &count);
  }
  for (int i = 0; i < SLOTS; i++)
    release(&blocks[i], &count);
  calls[index] = count;
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "large", ROW_THREADS_MAX, NULL);
  replaced = row_scaled(&row, REPLACED);
  double seconds = row_run(row.threads, work);
  uint64_t count = 0;
  for (int i = 0; i < row.threads; i++)
    count += calls[i];
  return row_report(&row, seconds, count, NULL);
}
