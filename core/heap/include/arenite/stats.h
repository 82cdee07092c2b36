/* stats.h - where every byte is.
 *
 * arena_bytes = live + free + untouched + purged + deferred + overhead: each byte of the arenas
 * that a runtime holds is named once. The numbers are exact when no other thread has a heap in the
 * runtime; otherwise each was true at some moment of the call.
 *
 * What a heap holds in its bins, batches and stash only its owner may look at. When the calling
 * thread owns it (in GIL mode: has the GIL), its own blocks in its bins count as free, and other
 * heaps' blocks as deferred. When another thread does, all of them count as live (a bin has 512 KiB
 * at most). Orphans hold none.
 */
#ifndef ARENITE_STATS_H
#define ARENITE_STATS_H

#include <arenite/api.h>
#include <arenite/config.h>
#include <stdbool.h>
#include <stdio.h>

ARN_BEGIN_DECLS

#define ARN_CLASS_MAX 160

typedef struct arn_class_stats {
  size_t block_size; /* bytes */
  uint64_t pools, blocks_used, blocks_free, blocks_untouched, blocks_purged;
} arn_class_stats;

typedef struct arn_stats {
  arn_mode mode;
  bool huge_pages; /* transparent huge pages are asked for (ARENITE_HUGE_PAGES) */
  uint32_t class_count;
  arn_class_stats classes[ARN_CLASS_MAX];

  /* Arenas, as CPython's _PyObject_DebugMallocStats counts them. */
  uint64_t arenas;           /* held now */
  uint64_t arenas_allocated; /* ever taken; */
  uint64_t arenas_reclaimed; /* ever given back, also when their pages went to another arena; */
  uint64_t arenas_highwater; /* most held at once, for a moment also both of these */
  uint64_t pools_free;       /* free pools in held arenas */

  /* Bytes. */
  uint64_t arena_bytes;     /* arenas held x their size: the sum of the next six */
  uint64_t live_bytes;      /* in allocated blocks, spans and runs, at their full block size */
  uint64_t free_bytes;      /* in free blocks, free pools and kept runs that may hold pages */
  uint64_t untouched_bytes; /* never handed out since the system cleared it */
  uint64_t purged_bytes;    /* given back to the system, the range kept */
  uint64_t deferred_bytes;  /* freed, held for their owner: inboxes; see above */
  uint64_t overhead_bytes;  /* ends of pools that are too short for a block */
  uint64_t huge_bytes;      /* in mappings of their own, not in arenas */
  uint64_t huge_blocks;
  uint64_t large_bytes; /* part of live_bytes: spans and runs of arenas */
  uint64_t large_blocks;
  uint64_t metadata_bytes; /* heaps, tables: committed for this runtime's bookkeeping */
  uint64_t frozen_bytes;   /* part of live_bytes: pools of threads that a fork left behind */

  /* Events. */
  uint64_t purges; /* ranges given back */
  uint64_t remote_frees; /* blocks that went home to a heap that the freeing thread does not own */
  uint64_t inbox_pushes, inbox_drains, forwarded;
  uint64_t heaps, orphans, adoptions, scavenged_pools;
  uint64_t takeovers; /* inboxes of threads that slept, taken over by others */
  uint64_t gil_takes, gil_waits, gil_switches, gil_wait_ns;
} arn_stats;

/* Fills *stats. 0, or EINVAL for NULL. Any thread. */
ARN_API int arn_stats_get(arn_runtime *runtime, arn_stats *stats);

/* Writes the statistics as a text table, or as one JSON object. 0, or the errno of the failed
 * write. Any thread. */
ARN_API int arn_stats_text(arn_runtime *runtime, FILE *out);
ARN_API int arn_stats_json(arn_runtime *runtime, FILE *out);

ARN_END_DECLS
#endif
