/* trace.h - a recording, ready to be replayed: one file for a whole process tree.
 *
 * The operations of all threads of all processes stand in one valid order (no block is used before
 * it was allocated or after it was freed; processes are interleaved by time). Blocks are slot
 * numbers, not addresses: a new block gets the slot that was freed last, so a replay's table is as
 * long as the most blocks that were ever alive at once. Slot 0 is the NULL pointer, and free(NULL)
 * frees it. What a process had not freed when it ended is freed there (trace_info counts those
 * apart), so at the end of a trace nothing is alive.
 *
 * A file is a head (struct trace_head), frames, and nothing after the last one. A frame is a struct
 * frame_head and zstd-compressed operations; head and frames carry a hash each, and the head says
 * how many bytes there are, so damage is found and its place is known. Everything is little-endian.
 *
 * An operation is a tag (a trace_op, and TRACE_OTHER_THREAD when a varint with the thread's number
 * follows), a gap (gap_from_ns of the time since the thread's previous operation), and then
 *
 *   TRACE_MALLOC, TRACE_CALLOC, TRACE_REALLOC   slot, size (varints)
 *   TRACE_ALIGNED                               log2 of the alignment (a byte), slot, size
 *   TRACE_FREE                                  slot
 *   TRACE_BLOCK                                 raw_wait (a byte), gap_from_ns of the duration (a
 * byte) TRACE_END                                   nothing: the thread has ended
 *
 * Every frame begins with TRACE_OTHER_THREAD. */
#ifndef ARENITE_TRACE_H
#define ARENITE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum trace_op {
  TRACE_MALLOC,
  TRACE_CALLOC,
  TRACE_REALLOC,
  TRACE_ALIGNED,
  TRACE_FREE,
  TRACE_BLOCK,
  TRACE_END,
  TRACE_OPS,
};
#define TRACE_OP_MASK 0x0f
#define TRACE_OTHER_THREAD 0x10

#define TRACE_SLOT_MAX ((UINT32_C(1) << 27) - 1)
#define TRACE_SIZE_MAX (UINT64_C(1) << 47)
#define TRACE_THREAD_MAX (UINT32_C(1) << 20)

/* What a trace holds, and what became of the rest. */
struct trace_info {
  uint64_t processes, threads;
  uint64_t calls;  /* operations that call an allocator: all but TRACE_BLOCK and TRACE_END */
  uint64_t births; /* of them, those that make a new block */
  uint64_t waits;  /* TRACE_BLOCK */
  uint64_t peak_blocks, peak_bytes; /* alive at once; bytes as asked for */
  /* What the program called. realloc(NULL, n) counts as realloc and makes a block. */
  uint64_t mallocs, callocs, reallocs, aligneds, frees, null_frees;
  uint64_t exit_frees;    /* added: blocks that were alive when their process ended */
  uint64_t implied_frees; /* added: blocks whose address was handed out again */
  uint64_t unknown_frees; /* left out: blocks from before a fork, or from before the recorder */
  uint64_t cut;           /* processes whose recording stopped early: the disk was full */
  uint64_t duration_ns;
};

struct trace_head {
  char magic[8]; /* TRACE_MAGIC */
  uint32_t version, head_size;
  uint64_t file_size;
  uint64_t frames;
  struct trace_info info;
  uint64_t hash; /* of all above */
};
#define TRACE_MAGIC "ARNTRACE"
#define TRACE_VERSION 1

struct frame_head {
  uint32_t magic; /* TRACE_FRAME_MAGIC */
  uint32_t plain_size, packed_size;
  uint32_t operations;
  uint64_t hash; /* of what is above and of the packed bytes */
};
#define TRACE_FRAME_MAGIC UINT32_C(0x4d415246) /* "FRAM" */
#define TRACE_FRAME_PLAIN (256u << 10)         /* bytes, at most, before compression */

struct trace_operation {
  enum trace_op op;
  uint32_t thread, slot;
  uint64_t size;
  unsigned alignment_log2;
  unsigned gap;            /* gap_from_ns */
  unsigned wait, duration; /* TRACE_BLOCK: raw_wait, gap_from_ns */
};

uint64_t trace_hash(uint64_t seed, const void *data, size_t size);

/* Writing. The functions return 0 or an errno. The file is complete after trace_writer_close. */
struct trace_writer;
int trace_writer_open(struct trace_writer **writer, const char *path);
int trace_write(struct trace_writer *writer, const struct trace_operation *operation);
int trace_writer_close(struct trace_writer *writer, const struct trace_info *info);
/* Throws the file away. */
void trace_writer_drop(struct trace_writer *writer);

/* Reading. What is wrong with the file is one sentence in message, with the byte at which it shows.
 */
struct trace_reader;
#define TRACE_MESSAGE 512
int trace_reader_open(struct trace_reader **reader, const char *path, char message[TRACE_MESSAGE]);
const struct trace_info *trace_reader_info(const struct trace_reader *reader);
/* 1: an operation; 0: the end; -1: damage. Slots, sizes and threads are within their limits and
 * those of the head. */
int trace_read(struct trace_reader *reader, struct trace_operation *operation,
               char message[TRACE_MESSAGE]);
/* Back to the first operation. */
void trace_rewind(struct trace_reader *reader);
void trace_reader_close(struct trace_reader *reader);

/* The info as one JSON object on one line. */
void trace_info_json(const struct trace_info *info, FILE *out);

#endif
