/* space.c - see space.h. */
#include "space.h"

#include <errno.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#include "arena.h"
#include "classes.h"
#include "link.h"
#include "lock.h"
#include "marks.h"
#include "os.h"
#include "pool.h"
#include "settings.h"

struct arn_space arn_space;

/* Tables are committed for this many arenas at a time, so that a mapping call is rare and the calls
 * of two threads for the same part are harmless. */
#define TABLE_CHUNK 16

/* 1 TiB costs page tables only where it is used. Sanitizers map shadow memory for what is touched
 * but dislike large reservations; strict overcommit charges the hint bitmaps of every arena set,
 * which are sized by it. */
#define RESERVE_DEFAULT ((size_t)1 << 40)
#define RESERVE_CAREFUL ((size_t)64 << 30)
#define RESERVE_LEAST (2 * ARN_ARENA_SIZE)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Bytes of an arena's marks. */
#if ARN_HARDENED
#define MARKS_SIZE (ARN_POOLS_PER_ARENA * ARN_MARKS_PER_SLOT * sizeof(arn_mark))
#else
#define MARKS_SIZE ((size_t)0)
#endif

static size_t round_up(size_t n, size_t unit) {
  return (n + unit - 1) / unit * unit;
}

/* Where the tables start in the metadata, for a number of arenas. */
typedef struct layout {
  size_t arenas, slots, pools, marks, size;
} layout;

static layout lay_out(uint32_t arenas) {
  layout l;
  l.arenas = round_up((arenas + 63) / 64 * sizeof(uint64_t), arn_os_page);
  l.slots = l.arenas + round_up((size_t)arenas * sizeof(arn_arena), arn_os_page);
  l.pools =
      l.slots + round_up((size_t)arenas * ARN_POOLS_PER_ARENA * sizeof(arn_slot), arn_os_page);
  l.marks =
      l.pools + round_up((size_t)arenas * ARN_POOLS_PER_ARENA * sizeof(arn_pool), arn_os_page);
  l.size = l.marks + round_up(arenas * MARKS_SIZE, arn_os_page);
  return l;
}

static size_t wanted_size(void) {
  size_t size = SANITIZED || arn_os_strict ? RESERVE_CAREFUL : RESERVE_DEFAULT;
  size = arn_setting_bytes("ARENITE_RESERVE", size, NULL);
  /* An address space limit is for the whole program: take a quarter, the tables included (they are
   * at most 1/50 of it, in the smallest geometry, or 1/30 with marks; hence the 17/16). */
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      size / 16 * 17 > limit.rlim_cur / 4)
    size = limit.rlim_cur / 4 / 17 * 16;
  size = size / ARN_ARENA_SIZE * ARN_ARENA_SIZE;
  return size < RESERVE_LEAST ? RESERVE_LEAST : size;
}

static int start(void) {
  arn_os_start();
  arn_classes_start();
  arn_link_start();
  int error = ENOMEM;
  for (size_t size = wanted_size(); size >= RESERVE_LEAST; size /= 2) {
    uint32_t count = (uint32_t)(size >> ARN_ARENA_SHIFT);
    layout l = lay_out(count);
    void *data, *tables = NULL;
    /* One arena more than is used, to align the first. */
    error = arn_os_reserve(&data, size + ARN_ARENA_SIZE);
    if (error)
      continue;
    error = arn_os_reserve(&tables, l.size);
    if (!error)
      error = arn_os_commit(tables, l.arenas);
    if (error) {
      if (tables)
        arn_os_unmap(tables, l.size);
      arn_os_unmap(data, size + ARN_ARENA_SIZE);
      continue;
    }
    arn_space.huge_pages = arn_setting_bool("ARENITE_HUGE_PAGES", false, NULL);
    arn_os_huge_pages(data, size + ARN_ARENA_SIZE, arn_space.huge_pages);
    arn_space.base = round_up((uintptr_t)data, ARN_ARENA_SIZE);
    arn_space.idle = tables;
    arn_space.arenas = (arn_arena *)((char *)tables + l.arenas);
    arn_space.slots = (arn_slot *)((char *)tables + l.slots);
    arn_space.pools = (arn_pool *)((char *)tables + l.pools);
#if ARN_HARDENED
    arn_marks = (arn_mark *)((char *)tables + l.marks);
#endif
    store_release(&arn_space.arena_count, count); /* with arn_space_start's acquire */
    return 0;
  }
  return error;
}

static arn_lock lock = ARN_LOCK_INIT(ARN_RANK_SPACE);

void arn_space_before_fork(void) {
  arn_lock_take(&lock);
}

void arn_space_after_fork(bool in_child) {
  if (in_child)
    arn_lock_after_fork(&lock);
  else
    arn_lock_drop(&lock);
}

int arn_space_start(void) {
  /* Without the lock once it is done, so that a child of fork never waits for it. */
  if (load_acquire(&arn_space.arena_count))
    return 0;
  arn_lock_take(&lock);
  int error = load_relaxed(&arn_space.arena_count) ? 0 : start();
  arn_lock_drop(&lock);
  return error;
}

/* Commits the tables' part for arenas [first, end). Several threads may do so for the same part. */
static int commit_tables(uint32_t first, uint32_t end) {
  first = first / TABLE_CHUNK * TABLE_CHUNK;
  end = (uint32_t)round_up(end, TABLE_CHUNK);
  if (end > arn_space.arena_count)
    end = arn_space.arena_count;
  uintptr_t page = arn_os_page;
  uintptr_t from = (uintptr_t)&arn_space.arenas[first] / page * page;
  uintptr_t to = round_up((uintptr_t)&arn_space.arenas[end], page);
  int error = arn_os_commit((void *)from, to - from);
  if (error)
    return error;
  from = (uintptr_t)&arn_space.slots[(size_t)first * ARN_POOLS_PER_ARENA] / page * page;
  to = round_up((uintptr_t)&arn_space.slots[(size_t)end * ARN_POOLS_PER_ARENA], page);
  error = arn_os_commit((void *)from, to - from);
  if (error)
    return error;
  from = (uintptr_t)&arn_space.pools[(size_t)first * ARN_POOLS_PER_ARENA] / page * page;
  to = round_up((uintptr_t)&arn_space.pools[(size_t)end * ARN_POOLS_PER_ARENA], page);
  error = arn_os_commit((void *)from, to - from);
#if ARN_HARDENED
  if (error)
    return error;
  from = (uintptr_t)arn_marks + first * MARKS_SIZE;
  from = from / page * page;
  to = round_up((uintptr_t)arn_marks + end * MARKS_SIZE, page);
  error = arn_os_commit((void *)from, to - from);
#endif
  return error;
}

int arn_space_advance(uint32_t count, uint32_t *first) {
  uint32_t frontier = load_relaxed(&arn_space.frontier);
  do {
    if (count > arn_space.arena_count - frontier)
      return ENOMEM;
    /* Before the frontier moves: who sees it moved may read the descriptors. */
    if (frontier % TABLE_CHUNK == 0 || frontier % TABLE_CHUNK + count > TABLE_CHUNK) {
      int error = commit_tables(frontier, frontier + count);
      if (error)
        return error;
    }
  } while (!cas_seq_cst(&arn_space.frontier, &frontier, frontier + count));
  *first = frontier;

  size_t slots = (size_t)(frontier + count) * ARN_POOLS_PER_ARENA;
  size_t seen = load_relaxed(&arn_space.slots_in_use);
  while (seen < slots && !cas_seq_cst(&arn_space.slots_in_use, &seen, slots)) {
  }
  return 0;
}

size_t arn_space_metadata(void) {
  size_t arenas = round_up(load_relaxed(&arn_space.frontier), TABLE_CHUNK);
  return arenas * (sizeof(arn_arena) + MARKS_SIZE +
                   ARN_POOLS_PER_ARENA * (sizeof(arn_slot) + sizeof(arn_pool)));
}
