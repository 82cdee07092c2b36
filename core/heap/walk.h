/* walk.h - one way through a group's arenas for the checker, the visitor and the statistics.
 *
 * In a quiet runtime each taken slot is met once. In a busy one some may be missed or met
 * half-made; nothing that the walk reads can be unmapped.
 */
#ifndef ARN_HEAP_WALK_H
#define ARN_HEAP_WALK_H

#include "heap.h"

typedef struct arn_walk {
  void *context;
  /* Any may be NULL; what they return other than 0 ends the walk and is returned. */
  int (*arena)(void *context, uint32_t number, arn_arena *arena);
  int (*pool)(void *context, arn_pool *pool);
  int (*large)(void *context, void *block, size_t size, bool kept); /* kept: free (kept.c) */
  /* A taken slot that nothing accounts for. */
  int (*stray)(void *context, size_t slot);
} arn_walk;

int arn_walk_arenas(const arn_group *group, const arn_walk *walk);

/* The blocks in heap's bin that are of this pool. */
uint32_t arn_binned_blocks(const arn_heap *heap, const arn_pool *pool);

#endif
