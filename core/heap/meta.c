/* meta.c - see meta.h. */
#include "meta.h"

#include <stdint.h>

#include "lock.h"
#include "os.h"

#define CHUNK ((size_t)64 << 10)
#define LINE 64

static arn_lock lock = ARN_LOCK_INIT(ARN_RANK_META);

/* lock */
static void *given[ARN_META_KINDS]; /* linked through their first words */
static char *chunk;
static size_t chunk_left, total;

void *arn_meta_take(arn_meta_kind kind, size_t size) {
  arn_lock_take(&lock);
  void *got = given[kind];
  if (got) {
    given[kind] = *(void **)got;
  } else {
    size = (size + LINE - 1) / LINE * LINE;
    if (size > chunk_left) {
      size_t wanted = size > CHUNK ? (size + CHUNK - 1) / CHUNK * CHUNK : CHUNK;
      void *fresh;
      if (arn_os_map(&fresh, wanted) == 0) {
        chunk = fresh;
        chunk_left = wanted;
        total += wanted;
      }
    }
    if (size <= chunk_left) {
      got = chunk;
      chunk += size;
      chunk_left -= size;
    }
  }
  arn_lock_drop(&lock);
  return got;
}

void arn_meta_give(arn_meta_kind kind, void *structure) {
  arn_lock_take(&lock);
  *(void **)structure = given[kind];
  given[kind] = structure;
  arn_lock_drop(&lock);
}

size_t arn_meta_bytes(void) {
  arn_lock_take(&lock);
  size_t bytes = total;
  arn_lock_drop(&lock);
  return bytes;
}

void arn_meta_before_fork(void) {
  arn_lock_take(&lock);
}

void arn_meta_after_fork(bool in_child) {
  if (in_child)
    arn_lock_after_fork(&lock);
  else
    arn_lock_drop(&lock);
}
