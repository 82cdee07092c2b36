/* recorder_malloc.c - stands before malloc and its relatives, and writes down each call.
 *
 * The next definition may be libc's or another allocator's that the program links. reallocarray,
 * valloc and pvalloc are made of others here: an allocator that lacks one of them would otherwise
 * be mixed with libc's. */
#include "record/recorder.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
  void *(*malloc)(size_t);
  void *(*calloc)(size_t, size_t);
  void *(*realloc)(void *, size_t);
  void *(*memalign)(size_t, size_t);
  void *(*aligned_alloc)(size_t, size_t);
  int (*posix_memalign)(void **, size_t, size_t);
  void (*free)(void *);
} next;

/* Looking up a name may allocate: what it asks for meanwhile comes from here and is never freed. */
static _Alignas(16) char start_memory[32 << 10];
static size_t start_used;

static bool is_start_memory(const void *block) {
  return (uintptr_t)block - (uintptr_t)start_memory < sizeof start_memory;
}

static void *start_alloc(size_t size) {
  if (size > sizeof start_memory - 64 - start_used) {
    errno = ENOMEM;
    return NULL;
  }
  void *block = start_memory + start_used;
  start_used += (size + 15) & ~(size_t)15;
  return block;
}

void recorder_find_malloc(void) {
  static bool started;
  if (started)
    return;
  started = true;
  next.calloc = (void *(*)(size_t, size_t))recorder_next("calloc", NULL);
  next.realloc = (void *(*)(void *, size_t))recorder_next("realloc", NULL);
  next.memalign = (void *(*)(size_t, size_t))recorder_next("memalign", NULL);
  next.aligned_alloc = (void *(*)(size_t, size_t))recorder_next("aligned_alloc", NULL);
  next.posix_memalign = (int (*)(void **, size_t, size_t))recorder_next("posix_memalign", NULL);
  next.free = (void (*)(void *))recorder_next("free", NULL);
  next.malloc = (void *(*)(size_t))recorder_next("malloc", NULL);
}

/* False while the names are being looked up. */
static inline bool ready(void) {
  if (__builtin_expect(!next.malloc, 0))
    recorder_find_malloc();
  return __builtin_expect(next.malloc != NULL, 1);
}

static inline void note_alloc(enum raw_op op, const void *block, size_t alignment, size_t size) {
  if (!recorder_begin())
    return;
  unsigned char *at = recorder_put_head(op, recorder_number());
  if (op == RAW_ALIGNED)
    *at++ = (unsigned char)(alignment ? __builtin_ctzll(alignment) : 0);
  at = varint_put(at, size);
  recorder_end(recorder_put_address(at, block));
}

RECORDER_EXPORT void *malloc(size_t size) {
  if (!ready())
    return start_alloc(size);
  void *block = next.malloc(size);
  if (block)
    note_alloc(RAW_MALLOC, block, 0, size);
  return block;
}

RECORDER_EXPORT void *calloc(size_t count, size_t size) {
  if (!ready())
    return start_alloc(count * size); /* static memory is zero */
  void *block = next.calloc(count, size);
  if (block)
    note_alloc(RAW_CALLOC, block, 0, count * size);
  return block;
}

RECORDER_EXPORT void free(void *block) {
  if (!ready() || is_start_memory(block))
    return;
  if (recorder_begin())
    recorder_end(recorder_put_address(recorder_put_head(RAW_FREE, recorder_number()), block));
  next.free(block);
}

/* realloc is a free and a malloc when the block moves, and takes a number for each. */
static void *resize(void *block, size_t size) {
  bool recording = recorder_begin();
  uint64_t first = recording ? recorder_number() : 0;
  void *moved = next.realloc(block, size);
  if (!recording)
    return moved;
  if (moved) {
    unsigned char *at = recorder_put_head(moved == block ? RAW_REALLOC : RAW_MOVE, first);
    at = recorder_put_address(varint_put(at, size), block);
    if (moved != block) {
      uint64_t second = recorder_number();
      at = varint_put(at, second - first);
      at = recorder_put_address(at, moved);
      recorder_self.sequence = second;
    }
    recorder_end(at);
  } else if (size == 0 && block) {
    recorder_end(recorder_put_address(recorder_put_head(RAW_FREE, first), block));
  } else {
    recorder_self.busy = false;
  }
  return moved;
}

RECORDER_EXPORT void *realloc(void *block, size_t size) {
  if (!ready() || is_start_memory(block)) {
    void *copy = malloc(size);
    size_t rest = block ? (size_t)(start_memory + sizeof start_memory - (char *)block) : 0;
    if (copy && block)
      memcpy(copy, block, size < rest ? size : rest);
    return copy;
  }
  return resize(block, size);
}

RECORDER_EXPORT void *reallocarray(void *block, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return realloc(block, bytes);
}

static void *note_aligned(void *block, size_t alignment, size_t size) {
  if (block)
    note_alloc(RAW_ALIGNED, block, alignment, size);
  return block;
}

RECORDER_EXPORT void *memalign(size_t alignment, size_t size) {
  return ready() ? note_aligned(next.memalign(alignment, size), alignment, size) : NULL;
}

RECORDER_EXPORT void *aligned_alloc(size_t alignment, size_t size) {
  return ready() ? note_aligned(next.aligned_alloc(alignment, size), alignment, size) : NULL;
}

RECORDER_EXPORT int posix_memalign(void **block, size_t alignment, size_t size) {
  if (!ready())
    return ENOMEM;
  int error = next.posix_memalign(block, alignment, size);
  if (error == 0)
    note_aligned(*block, alignment, size);
  return error;
}

RECORDER_EXPORT void *valloc(size_t size) {
  return memalign((size_t)sysconf(_SC_PAGESIZE), size);
}

RECORDER_EXPORT void *pvalloc(size_t size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  return memalign(page, (size + page - 1) & ~(page - 1));
}
