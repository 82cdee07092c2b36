/* stranger.h - threads without a heap that allocate or free.
 *
 * With the library alone that is an error, which ends the process. In a process whose heaps are
 * another library's, it is what every thread is here (elsewhere.h). The libc override (core/malloc)
 * lets every thread in, because a program's malloc is called from anywhere: it says which heap such
 * a thread gets, for good or for one call. Their heap is arn_no_heap or arn_ended_heap, whose bins
 * are always empty: the slow paths find them, and the fast ones ask nothing.
 */
#ifndef ARN_HEAP_STRANGER_H
#define ARN_HEAP_STRANGER_H

#include "heap.h"

typedef struct arn_host arn_host;

struct arn_host {
  /* A heap for the calling thread until leave; NULL with errno = ENOMEM, or when the thread is to
   * free and does as well without a heap. */
  arn_heap *(*enter)(bool to_free);
  void (*leave)(arn_heap *heap);
};

/* NULL: they are an error. A weak definition, which that of core/malloc/host.c replaces at link time:
 * the first stranger may come before any constructor. const. */
extern const arn_host *arn_host_of_strangers;

static inline bool arn_is_stranger(const arn_heap *heap) {
  return heap->group == NULL;
}

/* A stranger's journeys; function is what the error's sentence names. */
void *arn_stranger_take(uint32_t class);
void *arn_stranger_large(size_t size, size_t align, bool *clean);
void *arn_stranger_aligned(size_t align, size_t size);
void *arn_stranger_realloc(void *block, size_t size, const char *function);
void arn_stranger_free(void *block, const char *function);

/* The size of a block that is none of this library's. */
size_t arn_stranger_size(const void *block, const char *function);

#endif
