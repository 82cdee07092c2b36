/* loop.h - the loop that is timed, written once and compiled for each mode.
 *
 * The mode is a constant where the loop is instantiated, so nothing asks for it while it runs: the
 * figures of allocators differ by their own calls alone. What the loop itself costs, `null` shows.
 *
 * Every new block is written to: its first and last 64 bytes, and one byte of each page between.
 * Every `safepoint` operations the thread passes a safepoint. */
#ifndef ARENITE_REPLAY_LOOP_H
#define ARENITE_REPLAY_LOOP_H

#include "replay/wait.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum loop_mode { LOOP_NULL, LOOP_SYSTEM, LOOP_ARENITE };

#define LOOP_INLINE static inline __attribute__((always_inline))
#define LOOP_FILL 0x5a
#define LOOP_SCRATCH (64u << 10) /* what every block of the mode null is */

/* --- The allocators --- */

LOOP_INLINE void *loop_malloc(const enum loop_mode mode, size_t size, char *scratch) {
  return mode == LOOP_ARENITE ? arn_malloc(size) : mode == LOOP_SYSTEM ? malloc(size) : scratch;
}

LOOP_INLINE void *loop_calloc(const enum loop_mode mode, size_t size, char *scratch) {
  return mode == LOOP_ARENITE  ? arn_calloc(1, size)
         : mode == LOOP_SYSTEM ? calloc(1, size)
                               : scratch;
}

LOOP_INLINE void *loop_realloc(const enum loop_mode mode, void *block, size_t size) {
  return mode == LOOP_ARENITE  ? arn_realloc(block, size)
         : mode == LOOP_SYSTEM ? realloc(block, size)
                               : block;
}

LOOP_INLINE void *loop_aligned(const enum loop_mode mode, unsigned log2, size_t size,
                               char *scratch) {
  size_t alignment = (size_t)1 << log2;
  return mode == LOOP_ARENITE  ? arn_aligned_alloc(alignment, size)
         : mode == LOOP_SYSTEM ? memalign(alignment, size) /* takes any size */
                               : scratch;
}

LOOP_INLINE void loop_free(const enum loop_mode mode, void *block) {
  if (mode == LOOP_ARENITE)
    arn_free(block);
  else if (mode == LOOP_SYSTEM)
    free(block);
  else
    __asm__ volatile("" : : "r"(block)); /* read, as the others must */
}

/* --- Touching --- */

__attribute__((noinline, unused)) static void loop_touch_pages(const enum loop_mode mode,
                                                               char *block, size_t size) {
  for (size_t at = 4096; at < size; at += 4096)
    ((volatile char *)block)[mode == LOOP_NULL ? at % LOOP_SCRATCH : at] = LOOP_FILL;
}

LOOP_INLINE void loop_touch(const enum loop_mode mode, char *block, size_t size) {
  size_t end = mode == LOOP_NULL && size > LOOP_SCRATCH ? LOOP_SCRATCH : size;
  if (size >= 64) {
    memset(block, LOOP_FILL, 64);
    memset(block + end - 64, LOOP_FILL, 64);
    if (__builtin_expect(size > 4096, 0))
      loop_touch_pages(mode, block, size);
  } else if (size >= 32) {
    memset(block, LOOP_FILL, 32);
    memset(block + size - 32, LOOP_FILL, 32);
  } else if (size >= 16) {
    memset(block, LOOP_FILL, 16);
    memset(block + size - 16, LOOP_FILL, 16);
  } else if (size >= 8) {
    memset(block, LOOP_FILL, 8);
    memset(block + size - 8, LOOP_FILL, 8);
  } else {
    for (size_t i = 0; i < size; i++)
      ((volatile char *)block)[i] = LOOP_FILL;
  }
  __asm__ volatile(""
                   :
                   : "r"(block)
                   : "memory"); /* the writes are wanted though nobody reads them */
}

/* --- With --check: a block's first bytes say whose it is --- */

LOOP_INLINE void loop_sign(void *block, size_t size, const void *owner) {
  uint64_t sign = (uint64_t)(uintptr_t)owner ^ LOOP_FILL;
  memcpy(block, &sign, size < 8 ? 1 : 8);
}

LOOP_INLINE bool loop_verify(struct replay_thread *thread, const void *block, const void *owner) {
  uint64_t sign = (uint64_t)(uintptr_t)owner ^ LOOP_FILL;
  if (!block || memcmp(block, &sign, 1) == 0)
    return true;
  thread->failure = "a block does not hold what was written there";
  return false;
}

/* --- Operations --- */

/* One operation on the block in *place. False: it failed. */
LOOP_INLINE bool loop_do(struct replay_thread *thread, const enum loop_mode mode,
                         const bool careful, const enum plan_op op, void **place, size_t size,
                         unsigned log2, char *scratch) {
  void *block = NULL;
  if (careful && mode != LOOP_NULL && thread->check && (op == PLAN_FREE || op == PLAN_REALLOC) &&
      !loop_verify(thread, *place, place))
    return false;
  if (op == PLAN_FREE) {
    loop_free(mode, *place);
    return true;
  }
  if (op == PLAN_MALLOC)
    block = loop_malloc(mode, size, scratch);
  else if (op == PLAN_CALLOC)
    block = loop_calloc(mode, size, scratch);
  else if (op == PLAN_REALLOC)
    block = loop_realloc(mode, *place, size);
  else
    block = loop_aligned(mode, log2, size, scratch);
  if (__builtin_expect(!block, 0)) {
    thread->failure = "out of memory";
    return false;
  }
  if (careful && mode != LOOP_NULL && thread->check && op == PLAN_REALLOC &&
      !loop_verify(thread, block, place))
    return false;
  *place = block;
  loop_touch(mode, block, size);
  if (careful && mode != LOOP_NULL && thread->check)
    loop_sign(block, size, place);
  return true;
}

/* An operation on a block that other lanes use too; rare, so out of the loop's way. */
LOOP_INLINE bool loop_do_shared(struct replay_thread *thread, const enum loop_mode mode,
                                const bool careful, const uint64_t *words, char *scratch) {
  struct shared_slot *slot = &thread->shared[plan_slot(words[0])];
  unsigned log2 = plan_size(words[0]) & 255;
  uint32_t turn = (uint32_t)words[2];
  bool good;
  if (atomic_load_explicit(&slot->turn, memory_order_acquire) != turn)
    replay_wait_turn(thread, slot, turn);
  switch ((enum plan_op)(plan_size(words[0]) >> 8)) {
  case PLAN_MALLOC:
    good = loop_do(thread, mode, careful, PLAN_MALLOC, &slot->block, words[1], 0, scratch);
    break;
  case PLAN_CALLOC:
    good = loop_do(thread, mode, careful, PLAN_CALLOC, &slot->block, words[1], 0, scratch);
    break;
  case PLAN_REALLOC:
    good = loop_do(thread, mode, careful, PLAN_REALLOC, &slot->block, words[1], 0, scratch);
    break;
  case PLAN_ALIGNED:
    good = loop_do(thread, mode, careful, PLAN_ALIGNED, &slot->block, words[1], log2, scratch);
    break;
  default:
    good = loop_do(thread, mode, careful, PLAN_FREE, &slot->block, 0, 0, scratch);
    break;
  }
  replay_pass_turn(slot, turn);
  return good;
}

LOOP_INLINE bool loop_let_go(struct replay_thread *thread, const enum loop_mode mode,
                             const bool careful, uint64_t word) {
  arn_thread *away = mode == LOOP_ARENITE ? arn_save_thread() : NULL;
  if (careful && thread->think)
    replay_sleep((unsigned)plan_size(word));
  if (mode == LOOP_ARENITE)
    arn_restore_thread(away);
  return true;
}

/* The recorded thread has ended and another goes on in its place: its heap becomes an orphan. */
LOOP_INLINE bool loop_change_thread(struct replay_thread *thread, const enum loop_mode mode) {
  if (mode != LOOP_ARENITE)
    return true;
  arn_thread_detach();
  if (arn_thread_attach(thread->runtime) == 0)
    return true;
  thread->failure = "a thread could not be attached";
  return false;
}

/* --- The loop --- */

LOOP_INLINE bool loop_body(struct replay_thread *thread, const enum loop_mode mode,
                           const bool careful) {
  static _Thread_local char scratch[LOOP_SCRATCH] __attribute__((aligned(64)));
  char *const null_block = mode == LOOP_NULL ? scratch : NULL;
  struct plan_block *const block = thread->block;
  void **const slots = thread->slots;
  uint64_t offset = thread->lane->first;
  uint32_t until = thread->until_safepoint;
  bool good = true;

#define LOOP_ON(op, size)                                                                          \
  good = loop_do(thread, mode, careful, op, &slots[plan_slot(word)], size, 0, null_block)

  do {
    if (pread(thread->plan->fd, block, sizeof *block, (off_t)offset) != (ssize_t)sizeof *block) {
      thread->failure = "the plan could not be read";
      return false;
    }
    offset = block->next;
    const uint64_t *at = block->word;
    uint32_t left = block->operations;
    while (left) {
      uint32_t now = left < until ? left : until;
      left -= now;
      until -= now;
      do {
        uint64_t word = *at++;
        if (careful && thread->think)
          replay_think(thread, plan_gap(word));
        switch (plan_op(word)) {
        case PLAN_MALLOC:
          LOOP_ON(PLAN_MALLOC, plan_size(word));
          break;
        case PLAN_FREE:
          LOOP_ON(PLAN_FREE, 0);
          break;
        case PLAN_REALLOC:
          LOOP_ON(PLAN_REALLOC, plan_size(word));
          break;
        case PLAN_CALLOC:
          LOOP_ON(PLAN_CALLOC, plan_size(word));
          break;
        case PLAN_MALLOC_BIG:
          LOOP_ON(PLAN_MALLOC, *at++);
          break;
        case PLAN_CALLOC_BIG:
          LOOP_ON(PLAN_CALLOC, *at++);
          break;
        case PLAN_REALLOC_BIG:
          LOOP_ON(PLAN_REALLOC, *at++);
          break;
        case PLAN_ALIGNED:
          good = loop_do(thread, mode, careful, PLAN_ALIGNED, &slots[plan_slot(word)], *at++,
                         (unsigned)plan_size(word), null_block);
          break;
        case PLAN_BLOCK:
          good = loop_let_go(thread, mode, careful, word);
          break;
        case PLAN_NEXT:
          good = loop_change_thread(thread, mode);
          break;
        case PLAN_SHARED:
          good = loop_do_shared(thread, mode, careful, at - 1, null_block);
          at += 2;
          break;
        }
        if (__builtin_expect(!good, 0))
          return false;
      } while (--now);
      if (until == 0) {
        until = thread->safepoint;
        if (mode == LOOP_ARENITE)
          arn_safepoint();
      }
    }
  } while (offset);
#undef LOOP_ON
  thread->until_safepoint = until;
  return true;
}

/* Two loops of a mode: one that only runs, one that may check and think. */
#define LOOP_DEFINE(name, mode)                                                                    \
  __attribute__((noinline)) static bool name##_plain(struct replay_thread *thread) {               \
    return loop_body(thread, mode, false);                                                         \
  }                                                                                                \
  __attribute__((noinline)) static bool name##_careful(struct replay_thread *thread) {             \
    return loop_body(thread, mode, true);                                                          \
  }                                                                                                \
  bool name(struct replay_thread *thread) {                                                        \
    return thread->check || thread->think ? name##_careful(thread) : name##_plain(thread);         \
  }

#endif
