/* recorder.h - the recorder's inside: one process, its threads, and the writing of one operation.
 *
 * The recorder is preloaded into a program. It stands before the functions that allocate
 * (recorder_malloc.c, recorder_new.c), that block (recorder_wait.c) and that start another program
 * (recorder_exec.c), calls the next definition of each, and writes down what happened (the form is
 * described in trace/raw.h). It allocates nothing itself.
 *
 * Fork needs no handler: the process's state is in a page that the kernel clears in a child
 * (MADV_WIPEONFORK), so a thread that compares its generation with the page's sees by itself that
 * it is in a new process. A vfork child shares the page, and its operations are its parent's. */
#ifndef ARENITE_RECORDER_H
#define ARENITE_RECORDER_H

#include "trace/gap.h"
#include "trace/raw.h"
#include "trace/varint.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/single_threaded.h>
#include <time.h>

#define RECORDER_EXPORT __attribute__((visibility("default")))

/* Wiped in a forked child. */
struct recorder_process {
  _Atomic uint32_t generation; /* 0: not set up here; else different in every process of a line */
  _Atomic uint32_t lock;       /* held while the process is set up */
  _Atomic uint32_t threads;    /* numbers given out */
  bool off;                    /* no directory, or it cannot be written */
  _Atomic uint64_t file_end;   /* where the next extent begins */
  char path[1024];
  _Alignas(64) _Atomic uint64_t sequence; /* of the last operation */
};

/* Own thread only. */
struct recorder_thread {
  uint32_t generation; /* of the process in which `extent` was mapped; 1: none */
  bool busy;           /* writing: a signal handler's operations are dropped meanwhile */
  bool late;           /* the thread is ending: what it still does is mapped one by one */
  uint32_t number;
  struct raw_extent *extent;
  unsigned char *at, *limit; /* limit leaves room for one operation */
  uint64_t sequence;         /* of the thread's last operation */
  uint64_t address;          /* the extent's previous address */
  uint64_t tick;             /* the end of the thread's last operation */
};

#define RECORDER_OPERATION_MAX 64 /* bytes; six varints and some */

extern struct recorder_process *recorder_process;
extern _Thread_local struct recorder_thread recorder_self;

/* Makes room for an operation: sets up the process, the thread and an extent. Keeps errno. */
bool recorder_room(void);
/* Gives the extent of an ending thread back. Keeps errno. */
void recorder_drop_extent(void);
/* The next definition of a function; version may be NULL. */
void *recorder_next(const char *name, const char *version);
/* Each looks up what its file stands before. */
void recorder_find_malloc(void);
void recorder_find_waits(void);
void recorder_find_execs(void);
/* The recorder's own path and directory, for recorder_exec.c; NULL when it is off. */
const char *recorder_own_path(void);
const char *recorder_directory(void);

static inline uint64_t recorder_tick(void) {
#ifdef __x86_64__
  return __builtin_ia32_rdtsc();
#else
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

/* The next sequence number. A lock prefix costs as much as the rest of the recorder, so a process
 * with one thread goes without. */
static inline uint64_t recorder_number(void) {
  _Atomic uint64_t *sequence = &recorder_process->sequence;
  if (__libc_single_threaded) {
    uint64_t number = atomic_load_explicit(sequence, memory_order_relaxed) + 1;
    atomic_store_explicit(sequence, number, memory_order_relaxed);
    return number;
  }
  return atomic_fetch_add_explicit(sequence, 1, memory_order_acq_rel) + 1;
}

/* Is there a process to number operations in? It is set up by the first operation, which may be one
 * that needs its number before it is written. */
static inline bool recorder_begin(void) {
  struct recorder_thread *self = &recorder_self;
  if (__builtin_expect(self->busy, 0))
    return false;
  self->busy = true;
  atomic_signal_fence(memory_order_seq_cst);
  if (__builtin_expect(self->generation != atomic_load_explicit(&recorder_process->generation,
                                                                memory_order_relaxed) ||
                           self->at > self->limit,
                       0) &&
      !recorder_room()) {
    self->busy = false;
    return false;
  }
  return true;
}

/* Between begin and end: the tag, the gap, the step. */
static inline unsigned char *recorder_put_head(enum raw_op op, uint64_t sequence) {
  struct recorder_thread *self = &recorder_self;
  unsigned char *at = self->at;
  uint64_t tick = recorder_tick();
  uint64_t step = sequence - self->sequence;
  at[0] = (unsigned char)(step == 1 ? op | RAW_NEXT : op);
  at[1] = (unsigned char)gap_class(tick - self->tick);
  self->tick = tick;
  self->sequence = sequence;
  at += 2;
  return step == 1 ? at : varint_put(at, step);
}

static inline unsigned char *recorder_put_address(unsigned char *at, const void *block) {
  struct recorder_thread *self = &recorder_self;
  uint64_t address = (uint64_t)(uintptr_t)block;
  at = varint_put(at, varint_fold((int64_t)(address - self->address)));
  self->address = address;
  return at;
}

static inline void recorder_end(unsigned char *at) {
  struct recorder_thread *self = &recorder_self;
  self->at = at;
  atomic_store_explicit(&self->extent->used, (uint32_t)(at - (unsigned char *)(self->extent + 1)),
                        memory_order_release);
  if (__builtin_expect(self->late, 0))
    recorder_drop_extent();
  atomic_signal_fence(memory_order_seq_cst);
  self->busy = false;
}

#endif
