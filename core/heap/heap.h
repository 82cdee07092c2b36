/* heap.h - a heap: a set of pools with one owner at a time.
 *
 * Only the owner pushes and pops: plain loads and stores, no atomic instruction. A thread's heap is
 * what arn_self points to. In free-threaded mode every attached thread has one of its own; in GIL
 * mode a runtime has one, and taking the GIL installs it; nothing on malloc's path knows the mode.
 * A thread without a heap has arn_no_heap, whose bins are always empty, so that it reaches the
 * slow path, where it is an error, or where the libc override lets it in (stranger.h).
 *
 * The two journeys are told in journeys.h. What other threads do to a heap:
 *
 *   push to its inbox               remote.c     any time, also when it is nobody's
 *   take its inbox over             takeover.c   when its thread sleeps, or it is frozen
 *   take it over when it is an      orphan.c     by CAS on state
 *   orphan, or pools from it
 *
 *   state      from       by                          meaning
 *   OPENING    VACANT     arn_heap_open, CAS          being set up
 *   LIVE       OPENING    arn_heap_open               some thread's, the GIL's, or an extra heap
 *   WARM       LIVE       its thread, detaching       nobody's, as it was left (warm.h)
 *   LIVE       WARM       an attaching thread         adopted
 *   ORPHAN     LIVE,WARM  who had it                  nobody's, settled; its blocks live on
 *   CLAIMED    ORPHAN     any thread, CAS             one thread drains or takes pools: brief
 *   LIVE       ORPHAN     an attaching thread, CAS    adopted
 *   VACANT     LIVE       arn_heap_destroy            an extra heap that is gone
 *   FROZEN     any        the child of a fork         its thread is not in this process: what it
 *                                                     was doing is unknown; only its inbox is used
 */
#ifndef ARN_HEAP_HEAP_H
#define ARN_HEAP_HEAP_H

#include <arenite/heap.h>

#include "atomics.h"
#include "bin.h"
#include "group.h"
#include "marks.h"
#include "pool.h"

typedef enum arn_heap_state {
  ARN_HEAP_VACANT,
  ARN_HEAP_OPENING,
  ARN_HEAP_LIVE,
  ARN_HEAP_WARM,
  ARN_HEAP_ORPHAN,
  ARN_HEAP_CLAIMED,
  ARN_HEAP_FROZEN,
} arn_heap_state;

/* The blocks that this heap's owner freed last for some other heaps, also those that are sent: each new
 * one is told of the oldest here, which its owner will come to as many blocks later. To wait for the
 * links, written by another core, one after the other is most of what draining an inbox costs. Owners
 * share them by number; four are chosen: one for each batch made a heap 1.5 KiB larger. */
#define ARN_TRAILS 4
#define ARN_TRAIL_BLOCKS 16
typedef struct arn_trail {
  void *blocks[ARN_TRAIL_BLOCKS];
  uint32_t next;
} arn_trail;

/* Blocks that this heap's owner freed for one other heap, not sent yet. */
typedef struct arn_batch {
  arn_heap *owner; /* NULL: empty */
  void *first, *last;
  uint32_t count, bytes;
} arn_batch;

/* A batch is sent at 64 blocks or 16 KiB: then the one atomic operation that sending costs is spread
 * thinly enough not to show, and a thread holds at most 16 x 16 KiB back. */
#define ARN_BATCHES 16
#define ARN_BATCH_BLOCKS 64
#define ARN_BATCH_BYTES 16384

/* How many free runs of slots a heap keeps for its next pools and spans, each of at most so many
 * bytes. What comes and goes then touches no word that other threads write. Eight is
 * chosen, not measured. */
#define ARN_KEPT_RUNS 8
#define ARN_KEPT_BYTES ((size_t)64 << 10)

struct arn_heap {
  /* Owner only: what arn_malloc takes from, per class; [0] is always empty (malloc(0) goes the slow
   * way). See bin.h. */
  arn_bin bins[ARN_CLASSES];

  /* Owner only: whose blocks its bins take, beside its own (kin.h), and how many they took that came
   * the slow way. */
  uint64_t kin;
  uint8_t kin_wanted;

  /* Any thread sets it, the owner clears it: a safepoint has something to do. */
  _Atomic uint32_t request;

  /* Owner only. */
  arn_pool *used[ARN_CLASSES];      /* first of a ring of USED pools, */
  uint32_t used_count[ARN_CLASSES]; /* and how many they are */
  void *stash[ARN_CLASSES];         /* blocks of other heaps, taken over to be handed out */
  void *pending;         /* blocks taken out of the inbox, not put into their pools yet */
  arn_heap *scavenge_at; /* where the search among orphans goes on */
  void *taken;           /* blocks of another heap's inbox, not sorted into the stash yet, */
  arn_heap *taken_from;  /* whose inbox that was, */
  size_t stashed;        /* bytes in the stash, */
  size_t stash_most;     /* and how many it had when it was filled from an inbox: not more */
  arn_heap *take_at;     /* and where the search for such inboxes goes on (takeover.h) */
  uint32_t take_pause;   /* searches to leave out after one that found nothing, */
  uint32_t take_paused;  /* and how many of them are left */
  arn_batch batches[ARN_BATCHES];
  arn_trail trails[ARN_TRAILS];
  arn_pool *kept[ARN_KEPT_RUNS]; /* first slots of free runs, KEPT */
  uint32_t next_kept;
  uint64_t slots_taken; /* since bins were emptied last because memory was to grow (gather.h) */
  uint64_t last_busy;   /* milliseconds: of the last look that came soon after another */
  uint64_t last_tick;   /* milliseconds, of the last look (tick.c) */
  uint32_t frees_until_look; /* what bins are filled with: ARN_BUSY_FREES, or 1 when idle */
  uint32_t refills;          /* counted for the tick */
  _Atomic uint32_t ticks;    /* counts slow paths */
  uint32_t first_tick;       /* ticks when its thread got it */
  uint32_t purge_class;      /* where purging of used pools goes on: in which class, */
  uint32_t purge_left;       /* and how many pools of its ring are still to be looked into */
  uint64_t next_page_purge;  /* milliseconds */
#if ARN_HARDENED
  uint64_t chance; /* of shuffle.c */
#endif

  /* Other threads write these: a line of their own. */
  _Alignas(64) _Atomic(void *) inbox; /* blocks, linked through their first words */
  _Atomic int64_t inbox_bytes;
  _Atomic uint32_t state; /* arn_heap_state */

  /* Owner writes, anybody reads, relaxed: another line, because the next one is read at each free of
   * another thread. */
  _Alignas(64) _Atomic uint64_t remote_frees, inbox_pushes, inbox_drains;
  _Atomic uint64_t warm_since; /* milliseconds */

  /* const while LIVE; of heaps that are not extra: while in the group */
  _Alignas(64) arn_arenas *arenas; /* the group's, or its own */
  uint32_t id;
  bool extra; /* an arn_heap_create heap; const once in the group's list, as the two after it */
  arn_group *group;
  arn_heap *next_in_group;

  /* The thread whose arn_self points here, for threading/; written by that thread. */
  struct arn_thread *thread;
  _Atomic int32_t thread_id; /* its number (gettid(2)); 0: none, or not one thread's */
};

/* The calling thread's heap. Initial-exec: one load, and never a call into the dynamic linker,
 * which may allocate. */
extern _Thread_local arn_heap *arn_self __attribute__((tls_model("initial-exec")));

/* The heaps of threads that have none, and of those that are past their end (stranger.h). Never
 * written, but for one request (elsewhere.c). */
extern arn_heap arn_no_heap, arn_ended_heap;

/* A new heap in the group, LIVE, owned by the caller; with arenas of its own when own_arenas. NULL
 * when out of memory. */
arn_heap *arn_heap_open(arn_group *group, bool extra, bool own_arenas);

/* Adopts an orphan of the group: LIVE, owned by the caller. NULL when there is none. */
arn_heap *arn_heap_adopt(arn_group *group);

/* A heap for a thread that comes: a warm one, an orphan, or a new one. NULL when out of memory. */
arn_heap *arn_heap_for_thread(arn_group *group);

/* The owner's thread ends: the heap is anybody's, warm or an orphan. */
void arn_heap_orphan(arn_heap *heap);

/* Settles a heap that is in the caller's hands alone, and makes it an orphan. */
void arn_heap_make_orphan(arn_heap *heap);

/* --- refill.c or refill_textbook.c: which block is next --- */

/* A block of the class when the heap's bin has none; NULL with errno when out of memory. For
 * class 0 too (as 1). The thread may be without a heap: then it ends the process. */
void *arn_refill(arn_heap *heap, uint32_t class);

/* A pool's count-down has reached 0. */
void arn_pool_event(arn_heap *heap, arn_pool *pool);

/* Gives up all that the heap holds and nobody uses: empties bins and inbox into the pools, sends
 * what is others' home, and gives empty pools back to their arenas. */
void arn_heap_settle(arn_heap *heap);

/* --- heap.c: the ring of used pools --- */

void arn_used_push_front(arn_heap *heap, arn_pool *pool);
void arn_used_push_back(arn_heap *heap, arn_pool *pool);
void arn_used_remove(arn_heap *heap, arn_pool *pool);

/* An empty pool of the class, opened, in slots that may hold pages already; NULL when there are none
 * that suit. */
arn_pool *arn_heap_reuse_pool(arn_heap *heap, uint32_t class);

/* The same in any slots of the heap's arenas; NULL when out of memory. */
arn_pool *arn_heap_new_pool(arn_heap *heap, uint32_t class);

/* Gives an EMPTY pool back to its arena. */
void arn_heap_release_pool(arn_heap *heap, arn_pool *pool);

/* --- tick.c: giving memory back --- */

/* What slow paths do: sees what time it is, and gives back a slice of what is due. */
void arn_heap_tick(arn_heap *heap);

/* Of the wholly free pages of used pools that have been so for the delay, those of at most budget
 * pools. Bytes given back. */
size_t arn_heap_purge_due(arn_heap *heap, uint32_t budget);

/* All wholly free pages of used pools, now. Bytes given back. */
size_t arn_heap_purge_pages(arn_heap *heap);

/* Frees until a bin is looked at, of a thread that is busy: a look costs some ten nanoseconds. */
#define ARN_BUSY_FREES 32

/* Pushes a block that is one of the pool's, which the heap owns, on the pool's list. */
static inline void arn_pool_push(arn_heap *heap, arn_pool *pool, void *block) {
  arn_link_set(block, pool->free);
  pool->free = block;
  uint32_t until = load_relaxed(&pool->until) - 1;
  store_relaxed(&pool->until, until);
  if (unlikely(until == 0))
    arn_pool_event(heap, pool);
}

/* Puts a free block back into its pool, which the heap owns. That it is the start of a block is known from
 * when it was freed; that it was handed out at all is checked here. The hardened build does not trust the lists
 * in between. */
static inline void arn_pool_put(arn_heap *heap, arn_pool *pool, void *block, const char *function) {
  void *head = pool->free;
  if (unlikely((const char *)block >= pool->end || head == block ||
               (ARN_HARDENED && !arn_begins_block(arn_pool_slot(pool), block))))
    arn_pool_reject(pool, block, function);
  arn_mark_home(block);
  /* Before those that have no free block; and before the push, which may give the pool away. */
  if (!head && load_relaxed(&pool->place) == ARN_PLACE_USED && !ARN_TEXTBOOK) {
    arn_used_remove(heap, pool);
    arn_used_push_front(heap, pool);
  }
  arn_pool_push(heap, pool, block);
}

/* The error of a thread without a heap: ends the process; stranger.c. */
_Noreturn void arn_heap_missing(const char *function) __attribute__((cold));

#endif
