/* trace_read.c - reads a trace and believes nothing: every head and frame is checked against its
 * hash before it is used, and every operation against its limits. */
#include "trace/gap.h"
#include "trace/raw.h"
#include "trace/trace.h"
#include "trace/varint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

struct trace_reader {
  FILE *file;
  char *path;
  struct trace_head head;
  uint64_t offset;      /* of the next frame */
  uint64_t frame_start; /* of the frame in hand */
  uint64_t frames;      /* read */
  uint32_t left;        /* operations in the frame in hand */
  uint32_t thread;
  const unsigned char *at, *end;
  unsigned char *packed;
  size_t packed_room;
  ZSTD_DCtx *unpacker;
  unsigned char plain[TRACE_FRAME_PLAIN];
};

__attribute__((format(printf, 4, 5))) static int damaged(const char *path, uint64_t offset,
                                                         char *message, const char *form, ...) {
  char what[256];
  va_list arguments;
  va_start(arguments, form);
  vsnprintf(what, sizeof what, form, arguments);
  va_end(arguments);
  snprintf(message, TRACE_MESSAGE, "%.200s: byte %" PRIu64 ": %s", path, offset, what);
  return -1;
}

static int check_head(struct trace_reader *reader, char *message) {
  const struct trace_head *head = &reader->head;
  struct stat status;
  if (fstat(fileno(reader->file), &status) != 0 || !S_ISREG(status.st_mode))
    return damaged(reader->path, 0, message, "it is not a regular file");
  uint64_t size = (uint64_t)status.st_size;
  size_t got = fread(&reader->head, 1, sizeof reader->head, reader->file);
  if (got >= sizeof head->magic && memcmp(head->magic, TRACE_MAGIC, sizeof head->magic) != 0)
    return damaged(reader->path, 0, message, "it is not a recording of arenite record");
  if (got < sizeof *head)
    return damaged(reader->path, got, message, "the file ends inside its head");
  if (head->version != TRACE_VERSION || head->head_size != sizeof *head)
    return damaged(reader->path, 8, message, "it was written by another version of arenite record");
  if (head->hash != trace_hash(0, head, offsetof(struct trace_head, hash)))
    return damaged(reader->path, 0, message, "the head is damaged: its hash does not match");
  if (size < head->file_size)
    return damaged(reader->path, size, message,
                   "the file is cut off: the head says %" PRIu64 " bytes", head->file_size);
  if (size > head->file_size)
    return damaged(reader->path, head->file_size, message, "there is more after the last frame");
  if (head->info.peak_blocks > TRACE_SLOT_MAX || head->info.threads > TRACE_THREAD_MAX)
    return damaged(reader->path, sizeof *head, message, "the head counts more than can be");
  return 0;
}

int trace_reader_open(struct trace_reader **result, const char *path, char message[TRACE_MESSAGE]) {
  struct trace_reader *reader = calloc(1, sizeof *reader);
  if (reader) {
    reader->path = strdup(path);
    reader->unpacker = ZSTD_createDCtx();
    reader->packed_room = ZSTD_compressBound(TRACE_FRAME_PLAIN);
    reader->packed = malloc(reader->packed_room);
  }
  if (!reader || !reader->path || !reader->unpacker || !reader->packed) {
    snprintf(message, TRACE_MESSAGE, "%.200s: out of memory", path);
    trace_reader_close(reader);
    return -1;
  }
  reader->file = fopen(path, "rbe");
  if (!reader->file) {
    snprintf(message, TRACE_MESSAGE, "%.200s: %s", path, strerror(errno));
    trace_reader_close(reader);
    return -1;
  }
  if (check_head(reader, message) != 0) {
    trace_reader_close(reader);
    return -1;
  }
  reader->offset = sizeof reader->head;
  *result = reader;
  return 0;
}

const struct trace_info *trace_reader_info(const struct trace_reader *reader) {
  return &reader->head.info;
}

void trace_rewind(struct trace_reader *reader) {
  fseek(reader->file, (long)sizeof reader->head, SEEK_SET);
  reader->offset = sizeof reader->head;
  reader->frames = 0;
  reader->left = 0;
}

/* 1: a frame; 0: that was the last one. */
static int next_frame(struct trace_reader *reader, char *message) {
  const char *path = reader->path;
  if (reader->offset == reader->head.file_size) {
    if (reader->frames != reader->head.frames)
      return damaged(path, reader->offset, message, "%" PRIu64 " frames, not %" PRIu64,
                     reader->frames, reader->head.frames);
    return 0;
  }
  reader->frame_start = reader->offset;
  struct frame_head head;
  if (fread(&head, sizeof head, 1, reader->file) != 1)
    return damaged(path, reader->offset, message, "the file ends inside a frame's head");
  if (head.magic != TRACE_FRAME_MAGIC || head.packed_size > reader->packed_room ||
      head.plain_size > sizeof reader->plain || head.operations > head.plain_size)
    return damaged(path, reader->offset, message, "no frame begins here");
  if (fread(reader->packed, 1, head.packed_size, reader->file) != head.packed_size)
    return damaged(path, reader->offset, message, "the file ends inside this frame");
  if (head.hash != trace_hash(trace_hash(0, &head, offsetof(struct frame_head, hash)),
                              reader->packed, head.packed_size))
    return damaged(path, reader->offset, message, "this frame is damaged: its hash does not match");
  size_t plain = ZSTD_decompressDCtx(reader->unpacker, reader->plain, sizeof reader->plain,
                                     reader->packed, head.packed_size);
  if (ZSTD_isError(plain) || plain != head.plain_size)
    return damaged(path, reader->offset, message, "this frame does not unpack");
  reader->offset += sizeof head + head.packed_size;
  reader->frames++;
  reader->left = head.operations;
  reader->at = reader->plain;
  reader->end = reader->plain + plain;
  reader->thread = UINT32_MAX;
  return 1;
}

static bool get_byte(struct trace_reader *reader, unsigned *value) {
  if (reader->at == reader->end)
    return false;
  *value = *reader->at++;
  return true;
}

static bool get_number(struct trace_reader *reader, uint64_t limit, uint64_t *value) {
  return varint_get(&reader->at, reader->end, value) && *value <= limit;
}

static bool decode(struct trace_reader *reader, struct trace_operation *operation) {
  const struct trace_info *info = &reader->head.info;
  unsigned tag;
  if (!get_byte(reader, &tag) || !get_byte(reader, &operation->gap) ||
      operation->gap >= 1u << GAP_NS_BITS)
    return false;
  operation->op = (enum trace_op)(tag & TRACE_OP_MASK);
  uint64_t value;
  if (tag & TRACE_OTHER_THREAD) {
    if (!get_number(reader, TRACE_THREAD_MAX, &value) || value >= info->threads)
      return false;
    reader->thread = (uint32_t)value;
  }
  operation->thread = reader->thread;
  if (operation->thread == UINT32_MAX)
    return false;
  switch (operation->op) {
  case TRACE_ALIGNED:
    if (!get_byte(reader, &operation->alignment_log2) || operation->alignment_log2 > 40)
      return false;
    /* fall through */
  case TRACE_MALLOC:
  case TRACE_CALLOC:
  case TRACE_REALLOC:
    if (!get_number(reader, info->peak_blocks, &value) || value == 0)
      return false;
    operation->slot = (uint32_t)value;
    return get_number(reader, TRACE_SIZE_MAX, &operation->size);
  case TRACE_FREE:
    if (!get_number(reader, info->peak_blocks, &value))
      return false;
    operation->slot = (uint32_t)value;
    return true;
  case TRACE_BLOCK:
    return get_byte(reader, &operation->wait) && get_byte(reader, &operation->duration) &&
           operation->wait < RAW_WAIT_KINDS && operation->duration < 1u << GAP_NS_BITS;
  case TRACE_END:
    return true;
  default:
    return false;
  }
}

int trace_read(struct trace_reader *reader, struct trace_operation *operation,
               char message[TRACE_MESSAGE]) {
  while (reader->left == 0) {
    int frame = next_frame(reader, message);
    if (frame <= 0)
      return frame;
  }
  reader->left--;
  if (!decode(reader, operation))
    return damaged(reader->path, reader->frame_start, message,
                   "this frame holds an operation that cannot be");
  return 1;
}

void trace_reader_close(struct trace_reader *reader) {
  if (!reader)
    return;
  if (reader->file)
    fclose(reader->file);
  ZSTD_freeDCtx(reader->unpacker);
  free(reader->packed);
  free(reader->path);
  free(reader);
}
