/* inspect.h - walking a heap and verifying it.
 *
 * Both look at every pool of the runtime and follow its lists. They are for a quiet runtime: no
 * other thread allocates or frees in it meanwhile (joined, waiting, or outside the GIL); with a
 * busy one they may read what is just being changed, and crash. arn_stats_get (arenite/stats.h) is
 * for busy ones.
 */
#ifndef ARENITE_INSPECT_H
#define ARENITE_INSPECT_H

#include <arenite/api.h>
#include <stdbool.h>

ARN_BEGIN_DECLS

typedef enum arn_visit_kind {
  ARN_VISIT_HEAP,  /* a heap: address is the arn_heap; size: bytes that wait in its inbox */
  ARN_VISIT_ARENA, /* an arena: address, size */
  ARN_VISIT_POOL,  /* a pool: address, size, block_size, state, counts */
  ARN_VISIT_BLOCK, /* a block: address, size; in_use says allocated (or held by another heap) */
  ARN_VISIT_LARGE, /* a span, a run of arenas or a huge block: address, size */
} arn_visit_kind;

typedef enum arn_pool_state {
  ARN_POOL_USED,  /* has allocated blocks, and free or untouched ones */
  ARN_POOL_FULL,  /* nearly all blocks are allocated; on no list */
  ARN_POOL_EMPTY, /* no block is allocated; about to go back to its arena */
} arn_pool_state;

typedef struct arn_visit {
  arn_visit_kind kind;
  const void *address;
  size_t size;          /* bytes */
  const arn_heap *heap; /* owner of a pool or block; NULL for arenas and large blocks */
  uint32_t size_class;  /* pools and blocks: index, see arn_class_size */
  size_t block_size;    /* pools: bytes of each block */
  arn_pool_state state; /* pools */
  uint32_t used;        /* pools: blocks allocated (those that other heaps hold counted) */
  uint32_t free;        /* pools: blocks freed and ready, in the bin too; of arenas: free pools */
  uint32_t untouched;   /* pools: blocks never handed out since the memory was fresh */
  uint32_t purged;      /* pools: free blocks whose page went back to the system */
  bool in_use;          /* blocks */
} arn_visit;

/* Calls visitor for everything of the runtime (heap NULL) or of one heap: arenas first, then large
 * blocks, then each heap with its pools and, when blocks is true, each pool's blocks. The visitor
 * must not allocate from the runtime; what it returns other than 0 ends the walk and is returned.
 */
ARN_API int arn_heap_visit(arn_runtime *runtime, arn_heap *heap, bool blocks,
                           int (*visitor)(const arn_visit *what, void *context), void *context);

/* Verifies every invariant of the runtime's heaps (docs/design.md lists them). Returns 0; otherwise
 * the number of broken ones, the first of them described in message (may be NULL; size bytes,
 * always terminated). */
ARN_API int arn_check(arn_runtime *runtime, char *message, size_t size);

/* Number of size classes, and the block size in bytes of one (0 for an index out of range). */
ARN_API uint32_t arn_class_count(void);
ARN_API size_t arn_class_size(uint32_t size_class);

/* The geometry that the library was built with: "classic", "modern" or "wide"; sizes in bytes. */
typedef struct arn_geometry {
  const char *name;
  size_t step, pool_size, arena_size, small_limit;
  uint32_t small_classes;
} arn_geometry;
ARN_API arn_geometry arn_geometry_get(void);

ARN_END_DECLS
#endif
