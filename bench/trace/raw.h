/* raw.h - what the recorder leaves behind: one file per process image, named PID-IMAGE.raw.
 *
 * A file is a head of one page and then extents. An extent belongs to one thread, which has it
 * mapped (shared) and writes its operations straight into it; so nothing is flushed, and a process
 * that is killed, calls _exit or becomes another program loses nothing. `used` grows after each
 * operation.
 *
 * An operation is a tag (a raw_op, and RAW_NEXT when its sequence number is the thread's last one
 * plus 1), a gap_class of clock ticks since the thread's previous operation, the step of the
 * sequence number as a varint unless RAW_NEXT, and then:
 *
 *   RAW_MALLOC, RAW_CALLOC   size, address
 *   RAW_ALIGNED              log2 of the alignment (one byte), size, address
 *   RAW_FREE                 address
 *   RAW_REALLOC              size, old address; it stayed where it was
 *   RAW_MOVE                 size, old address, step from the first to a second sequence number,
 * new address: the old block was gone after the first, the new one there at the second RAW_BLOCK
 * raw_wait (one byte), gap_class of the ticks that the call took; it has no sequence number of its
 * own
 *
 * Sizes are varints; addresses are folded differences to the extent's previous one.
 *
 * The sequence number counts the process's operations. A free is numbered before it is done, an
 * allocation after: in the order of the numbers no block is handed out before it was given back. */
#ifndef ARENITE_TRACE_RAW_H
#define ARENITE_TRACE_RAW_H

#include <stdatomic.h>
#include <stdint.h>

#define RAW_MAGIC UINT64_C(0x31305741524e5241) /* "ARNRAW01" */
#define RAW_EXTENT_MAGIC UINT32_C(0x54584541)  /* "AEXT" */
#define RAW_PAGE 4096u                         /* the head, and what extents are a multiple of */

enum raw_op {
  RAW_MALLOC,
  RAW_CALLOC,
  RAW_ALIGNED,
  RAW_FREE,
  RAW_REALLOC,
  RAW_MOVE,
  RAW_BLOCK,
};
#define RAW_OP_MASK 0x0f
#define RAW_NEXT 0x10

/* Why a thread blocked. */
enum raw_wait {
  RAW_WAIT_IO,    /* read, write, send, receive, accept, connect, fsync */
  RAW_WAIT_POLL,  /* poll, select, epoll_wait */
  RAW_WAIT_SLEEP, /* nanosleep and the like */
  RAW_WAIT_LOCK,  /* a mutex that was taken, a condition, a semaphore, the end of a thread */
  RAW_WAIT_CHILD, /* the end of a process */
  RAW_WAIT_KINDS,
};

struct raw_head {
  uint64_t magic;
  uint32_t pid, parent, image, first_thread;
  uint64_t tick, ns; /* the clocks at the start */
  char program[64];  /* its short name */
  uint64_t lost;     /* not 0: there was no room for an extent */
};

struct raw_extent {
  uint32_t magic;
  uint32_t size;         /* bytes, this head included */
  uint32_t thread;       /* number in the process, from 0 */
  _Atomic uint32_t used; /* bytes of operations */
  uint64_t sequence;     /* what the first step adds to */
  uint64_t tick, ns;     /* the clocks at the start of the extent */
};

#endif
