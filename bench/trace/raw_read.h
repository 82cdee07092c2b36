/* raw_read.h - reads what the recorder wrote (raw.h): the threads of a process, operation by
 * operation.
 *
 * A recording may stop anywhere (its process was killed), so a file that ends early is not an
 * error: a thread ends at the first byte that cannot be. */
#ifndef ARENITE_TRACE_RAW_READ_H
#define ARENITE_TRACE_RAW_READ_H

#include "trace/raw.h"

#include <stdbool.h>
#include <stddef.h>

struct raw_operation {
  enum raw_op op;
  uint64_t sequence; /* RAW_BLOCK: the thread's last one */
  uint64_t tick;     /* when, about */
  uint64_t gap;      /* ticks */
  uint64_t size, address, new_address;
  uint64_t second; /* RAW_MOVE: the second sequence number */
  unsigned alignment_log2, wait;
  uint64_t duration; /* ticks */
};

/* A thread: its extents, and where the reading is. */
struct raw_thread {
  uint32_t number, extents, extent;
  uint64_t *offsets; /* of its extents in the file */
  const unsigned char *at, *end;
  uint64_t sequence, address, tick;
  bool has_next;
  struct raw_operation next; /* when has_next */
};

/* A process image: its file, mapped. */
struct raw_process {
  const unsigned char *data;
  size_t size;
  struct raw_head head;
  uint64_t start_ns, end_ns; /* of the recording's clock; the end: of the last extent's start */
  double ns_per_tick;
  struct raw_thread *threads;
  uint32_t thread_count;
};

/* 0, or an errno; EBADMSG when the file is not the recorder's. */
int raw_open(struct raw_process *process, const char *path);
/* Reads the thread's next operation into thread->next. */
void raw_advance(const struct raw_process *process, struct raw_thread *thread);
void raw_close(struct raw_process *process);

static inline uint64_t raw_ns(const struct raw_process *process, uint64_t ticks) {
  return (uint64_t)((double)ticks * process->ns_per_tick);
}

/* The recording's clock at a tick. */
static inline uint64_t raw_time(const struct raw_process *process, uint64_t tick) {
  return tick <= process->head.tick ? process->head.ns
                                    : process->head.ns + raw_ns(process, tick - process->head.tick);
}

#endif
