/* group.h - what the heaps of one runtime share: the heap's part of a runtime.
 *
 * core/heap knows nothing of threads, the GIL or modes: a group has a list of heaps, a set of
 * arenas, limits and counters. threading/ puts one into each runtime and decides who owns which
 * heap.
 */
#ifndef ARN_HEAP_GROUP_H
#define ARN_HEAP_GROUP_H

#include <arenite/heap.h>
#include <arenite/stats.h>

#include "arena.h"
#include "lock.h"

/* How many heaps of threads that ended may stay warm: enough for as many threads as end at about the
 * time that others come. Chosen. */
#define ARN_WARM_HEAPS 16

struct arn_group {
  /* const after start */
  arn_config config;
  arn_arenas *arenas; /* the shared set; synchronised by itself */
  uint8_t kin;        /* kin.h; 0 for none */

  /* Push-only list of heaps, linked through heap->next_in_group; heaps leave it with the group. */
  _Atomic(arn_heap *) heaps;

  /* Atomic, any thread. */
  _Atomic size_t committed; /* bytes of arenas and huge blocks: what limit_bytes bounds */
  _Atomic int64_t deferred; /* bytes in inboxes */
  _Atomic uint32_t orphans; /* heaps whose thread is gone */
  _Atomic(arn_heap *) warm[ARN_WARM_HEAPS]; /* places of warm.h, */
  _Atomic uint32_t warm_count;              /* and how many heaps are warm */
  _Atomic uint32_t live;                    /* heaps that a thread owns; extra ones do not count */
  _Atomic uint32_t frozen;                  /* heaps of threads that a fork left behind */
  _Atomic uint64_t arenas_held, arenas_allocated, arenas_reclaimed, arenas_highwater;
  _Atomic uint64_t huge_bytes, huge_blocks;
  _Atomic uint64_t purges, adoptions, scavenged, forwarded, taken_over;
  _Atomic(arn_heap *) idle_at; /* where arn_idle's look at orphans goes on */
  _Atomic uint32_t clock;      /* textbook order: counts pool releases */
  _Atomic uint32_t purging;    /* threads that are giving back what is free */
  _Atomic uint32_t checking;   /* threads in arn_check: no purge begins meanwhile */
  _Atomic uint32_t
      next_near_purge; /* milliseconds, low bits: near the limit not before this time */
};

int arn_group_start(arn_group *group, const arn_config *config);

/* Gives everything back: arenas, huge blocks, heaps. No thread may use any of it any more. */
void arn_group_end(arn_group *group);

/* Counts bytes against the limit. What is free goes back to the system first when they would bring the
 * group near its limit; false (and nothing counted) when they would pass it even then. */
bool arn_group_charge(arn_group *group, size_t bytes);
void arn_group_discharge(arn_group *group, size_t bytes);

/* Purges all arenas that last as long as the group; keep_bytes of dirty free slots may stay. */
size_t arn_group_purge(arn_group *group, size_t keep_bytes);

/* Around giving back what no thread of the program sees to: false when somebody checks the heap, to whom
 * what is claimed for it would look lost. */
bool arn_group_begin_purge(arn_group *group);
void arn_group_end_purge(arn_group *group);

/* Whether something free may hold pages: given to the arenas since it was last given back. */
bool arn_group_dirty(const arn_group *group);

/* The heap's owner was refused size bytes by the limit: puts what only the heap and orphans hold free
 * back into the arenas. Whether asking again may help. */
bool arn_group_last_resort(arn_heap *heap, size_t size);

/* In the child of a fork, whose one thread has the heaps mine (NULL: none): freezes the heaps of
 * threads that are not there, and counts anew what they may have been changing. */
void arn_group_after_fork(arn_group *group, const arn_heap *const mine[2]);

/* A runtime's group. What a runtime is, threading/ knows. */
arn_group *arn_runtime_group(arn_runtime *runtime);

/* The heap's part of the statistics; statistics.c. */
void arn_group_stats(arn_group *group, arn_stats *stats);

#endif
