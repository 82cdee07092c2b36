/* plan.h - a trace made ready to be run: what a replay decodes while the clock runs.
 *
 * A trace is compact, and decoding it would cost as much as the allocator. So before a replay the
 * trace becomes a plan: words of 64 bits, one for most operations, in an unlinked file that is read
 * through a small buffer, so that neither the decoding nor the plan's memory shows in what is
 * measured.
 *
 * A plan has lanes: a lane is what one replay thread does. Merged, there is one lane, which every
 * thread runs with blocks of its own. As recorded ("own"), there is one for each recorded thread,
 * but a thread that began after another had ended takes over its lane (PLAN_NEXT): processes that
 * ran one after the other are replayed so. A lane's operations are in the order of the trace.
 *
 * Blocks that one lane allocates, resizes and frees have slots in a table of its own. The others
 * are in a shared table, where every operation on a slot has its turn: 0, 1, 2... over all lanes,
 * through all blocks that have the slot one after the other. A lane waits for its turn. All turns
 * follow the one order of the trace, so the earliest operation that is not done yet can always be
 * done: no deadlock.
 *
 * A file is a head, blocks of PLAN_BLOCK_BYTES that are chained per lane, and the table of lanes.
 */
#ifndef ARENITE_REPLAY_PLAN_H
#define ARENITE_REPLAY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum plan_op {
  PLAN_MALLOC, /* slot, size */
  PLAN_CALLOC,
  PLAN_REALLOC,
  PLAN_FREE,       /* slot; 0 is NULL */
  PLAN_MALLOC_BIG, /* slot; the size is the next word */
  PLAN_CALLOC_BIG,
  PLAN_REALLOC_BIG,
  PLAN_ALIGNED, /* slot; log2 of the alignment in place of the size, which is the next word */
  PLAN_BLOCK,  /* the thread let go: raw_wait in place of the slot, duration in place of the size */
  PLAN_NEXT,   /* the recorded thread ended; the lane goes on as another */
  PLAN_SHARED, /* shared slot; in place of the size, plan_op (MALLOC, CALLOC, REALLOC, FREE,
                  ALIGNED) times 256 and log2 of the alignment; two words follow: size, turn */
};

/* A word, from the lowest bit: operation 4, gap 6 (gap_from_ns), slot 27, size 27. */
#define PLAN_SLOT_SHIFT 10
#define PLAN_SIZE_SHIFT 37
#define PLAN_SIZE_MAX ((UINT64_C(1) << 27) - 1)

static inline uint64_t plan_word(enum plan_op op, unsigned gap, uint32_t slot, uint64_t size) {
  return (uint64_t)op | (uint64_t)gap << 4 | (uint64_t)slot << PLAN_SLOT_SHIFT |
         size << PLAN_SIZE_SHIFT;
}
static inline enum plan_op plan_op(uint64_t word) {
  return (enum plan_op)(word & 15);
}
static inline unsigned plan_gap(uint64_t word) {
  return (unsigned)(word >> 4) & 63;
}
static inline uint32_t plan_slot(uint64_t word) {
  return (uint32_t)(word >> PLAN_SLOT_SHIFT) & ((UINT32_C(1) << 27) - 1);
}
static inline uint64_t plan_size(uint64_t word) {
  return word >> PLAN_SIZE_SHIFT;
}

/* A block of words stays in the second-level cache beside what the allocator uses. */
#define PLAN_BLOCK_WORDS 4096
#define PLAN_BLOCK_BYTES (PLAN_BLOCK_WORDS * sizeof(uint64_t))

struct plan_block {
  uint64_t next; /* where the lane's next block is in the file; 0: this is the last */
  uint32_t operations, words;
  uint64_t word[PLAN_BLOCK_WORDS - 2];
};

struct plan_lane {
  uint64_t first; /* block */
  uint64_t calls; /* operations that call an allocator */
  uint64_t slots; /* length of its table */
};

struct plan_head {
  uint64_t magic; /* written last */
  uint64_t lanes, lane_table, shared_slots, calls;
};
#define PLAN_MAGIC UINT64_C(0x31304e4c504e5241)

struct plan {
  int fd;
  struct plan_head head;
  struct plan_lane *lanes; /* mapped, not allocated */
};

/* Makes the plan of a trace, in another process, so that this one's memory is as it was. With a
 * cache directory, a plan that is there already is taken, and a new one stays there. Returns 0; or
 * 2 for a trace that cannot be used and 1 for what else fails, with one sentence on standard error.
 */
int plan_make(struct plan *plan, const char *trace, bool own, const char *cache);

#endif
