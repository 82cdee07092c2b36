/* trace_write.c - writes a trace: operations are collected into frames, frames are packed and
 * hashed, and the head, which says how much there is, comes last. The file appears under its name
 * only when it is complete. */
#include "trace/trace.h"
#include "trace/varint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

struct trace_writer {
  FILE *file;
  char *path, *unfinished;
  uint64_t written; /* bytes */
  uint64_t frames;
  uint32_t thread; /* of the last operation in the frame */
  uint32_t operations;
  size_t used, packed_room;
  unsigned char *packed;
  ZSTD_CCtx *packer;
  unsigned char plain[TRACE_FRAME_PLAIN];
};
#define OPERATION_MAX 40 /* bytes */

/* Eight bytes at a time: hashing costs less than unpacking. Any flipped byte changes it. */
uint64_t trace_hash(uint64_t seed, const void *data, size_t size) {
  const unsigned char *at = data;
  uint64_t hash = seed ^ UINT64_C(0x9e3779b97f4a7c15) ^ size;
  while (size >= 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
    hash ^= hash >> 32;
    at += 8;
    size -= 8;
  }
  uint64_t rest = 0;
  memcpy(&rest, at, size);
  hash = (hash ^ rest) * UINT64_C(0xc4ceb9fe1a85ec53);
  return hash ^ (hash >> 29);
}

int trace_writer_open(struct trace_writer **result, const char *path) {
  struct trace_writer *writer = calloc(1, sizeof *writer);
  if (!writer)
    return ENOMEM;
  writer->path = strdup(path);
  if (!writer->path || asprintf(&writer->unfinished, "%s.unfinished", path) < 0) {
    free(writer->path);
    free(writer);
    return ENOMEM;
  }
  writer->packed_room = ZSTD_compressBound(TRACE_FRAME_PLAIN);
  writer->packed = malloc(writer->packed_room);
  writer->packer = ZSTD_createCCtx();
  int error = !writer->packed || !writer->packer ? ENOMEM : 0;
  if (!error) {
    writer->file = fopen(writer->unfinished, "wbe");
    struct trace_head head = {0};
    if (!writer->file || fwrite(&head, sizeof head, 1, writer->file) != 1)
      error = errno;
  }
  if (error) {
    trace_writer_drop(writer);
    return error;
  }
  writer->written = sizeof(struct trace_head);
  *result = writer;
  return 0;
}

static int write_frame(struct trace_writer *writer) {
  if (writer->used == 0)
    return 0;
  size_t packed = ZSTD_compressCCtx(writer->packer, writer->packed, writer->packed_room,
                                    writer->plain, writer->used, 1);
  if (ZSTD_isError(packed))
    return ENOMEM;
  struct frame_head head = {.magic = TRACE_FRAME_MAGIC,
                            .plain_size = (uint32_t)writer->used,
                            .packed_size = (uint32_t)packed,
                            .operations = writer->operations};
  head.hash =
      trace_hash(trace_hash(0, &head, offsetof(struct frame_head, hash)), writer->packed, packed);
  if (fwrite(&head, sizeof head, 1, writer->file) != 1 ||
      fwrite(writer->packed, 1, packed, writer->file) != packed)
    return errno;
  writer->written += sizeof head + packed;
  writer->frames++;
  writer->used = 0;
  writer->operations = 0;
  return 0;
}

int trace_write(struct trace_writer *writer, const struct trace_operation *operation) {
  if (writer->used + OPERATION_MAX > sizeof writer->plain) {
    int error = write_frame(writer);
    if (error)
      return error;
  }
  unsigned char *at = writer->plain + writer->used;
  bool other = writer->used == 0 || operation->thread != writer->thread;
  *at++ = (unsigned char)(other ? operation->op | TRACE_OTHER_THREAD : operation->op);
  *at++ = (unsigned char)operation->gap;
  if (other)
    at = varint_put(at, operation->thread);
  writer->thread = operation->thread;
  switch (operation->op) {
  case TRACE_ALIGNED:
    *at++ = (unsigned char)operation->alignment_log2;
    /* fall through */
  case TRACE_MALLOC:
  case TRACE_CALLOC:
  case TRACE_REALLOC:
    at = varint_put(at, operation->slot);
    at = varint_put(at, operation->size);
    break;
  case TRACE_FREE:
    at = varint_put(at, operation->slot);
    break;
  case TRACE_BLOCK:
    *at++ = (unsigned char)operation->wait;
    *at++ = (unsigned char)operation->duration;
    break;
  default:
    break;
  }
  writer->used = (size_t)(at - writer->plain);
  writer->operations++;
  return 0;
}

int trace_writer_close(struct trace_writer *writer, const struct trace_info *info) {
  int error = write_frame(writer);
  struct trace_head head = {.version = TRACE_VERSION, .head_size = sizeof head};
  memcpy(head.magic, TRACE_MAGIC, sizeof head.magic);
  head.file_size = writer->written;
  head.frames = writer->frames;
  head.info = *info;
  head.hash = trace_hash(0, &head, offsetof(struct trace_head, hash));
  if (!error && (fseek(writer->file, 0, SEEK_SET) != 0 ||
                 fwrite(&head, sizeof head, 1, writer->file) != 1 || fflush(writer->file) != 0))
    error = errno;
  if (!error && rename(writer->unfinished, writer->path) != 0)
    error = errno;
  if (!error) {
    fclose(writer->file);
    writer->file = NULL;
  }
  trace_writer_drop(writer);
  return error;
}

void trace_writer_drop(struct trace_writer *writer) {
  if (!writer)
    return;
  if (writer->file) {
    fclose(writer->file);
    unlink(writer->unfinished);
  }
  ZSTD_freeCCtx(writer->packer);
  free(writer->packed);
  free(writer->unfinished);
  free(writer->path);
  free(writer);
}
