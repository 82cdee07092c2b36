/* raw_read.c - maps a recorder's file, finds each thread's extents, and decodes them in order. */
#include "trace/raw_read.h"
#include "trace/gap.h"
#include "trace/varint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct raw_extent *extent_at(const struct raw_process *process, uint64_t offset) {
  return (const struct raw_extent *)(const void *)(process->data + offset);
}

/* Adds an extent to its thread; 0 or ENOMEM. */
static int add_extent(struct raw_process *process, uint32_t number, uint64_t offset) {
  if (number >= process->thread_count) {
    uint32_t count = number + 1;
    struct raw_thread *threads = realloc(process->threads, count * sizeof *threads);
    if (!threads)
      return ENOMEM;
    memset(threads + process->thread_count, 0, (count - process->thread_count) * sizeof *threads);
    for (uint32_t i = process->thread_count; i < count; i++)
      threads[i].number = i;
    process->threads = threads;
    process->thread_count = count;
  }
  struct raw_thread *thread = &process->threads[number];
  if ((thread->extents & (thread->extents - 1)) == 0) {
    size_t room = thread->extents ? 2 * (size_t)thread->extents : 1;
    uint64_t *offsets = realloc(thread->offsets, room * sizeof *offsets);
    if (!offsets)
      return ENOMEM;
    thread->offsets = offsets;
  }
  thread->offsets[thread->extents++] = offset;
  return 0;
}

static int find_extents(struct raw_process *process) {
  const struct raw_head *head = &process->head;
  uint64_t last_tick = head->tick, last_ns = head->ns;
  for (uint64_t offset = RAW_PAGE; offset + RAW_PAGE <= process->size;) {
    const struct raw_extent *extent = extent_at(process, offset);
    if (extent->magic != RAW_EXTENT_MAGIC || extent->size < RAW_PAGE || extent->size % RAW_PAGE ||
        extent->size > process->size - offset || extent->thread > UINT32_C(1) << 20) {
      offset += RAW_PAGE; /* claimed, and its process was killed before it was used */
      continue;
    }
    int error = add_extent(process, extent->thread, offset);
    if (error)
      return error;
    if (extent->ns > last_ns) {
      last_tick = extent->tick;
      last_ns = extent->ns;
    }
    offset += extent->size;
  }
  process->start_ns = head->ns;
  process->end_ns = last_ns;
  /* Too short to tell: the caller sets what longer ones say. */
  process->ns_per_tick = 0;
  if (last_ns - head->ns > 1000000 && last_tick > head->tick)
    process->ns_per_tick = (double)(last_ns - head->ns) / (double)(last_tick - head->tick);
  return 0;
}

int raw_open(struct raw_process *process, const char *path) {
  memset(process, 0, sizeof *process);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return errno;
  struct stat status;
  int error = fstat(fd, &status) != 0 ? errno : 0;
  if (!error && status.st_size < (off_t)sizeof process->head)
    error = EBADMSG;
  if (!error) {
    process->size = (size_t)status.st_size;
    void *data = mmap(NULL, process->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
      error = errno;
    else
      process->data = data;
  }
  close(fd);
  if (!error) {
    memcpy(&process->head, process->data, sizeof process->head);
    process->head.program[sizeof process->head.program - 1] = '\0';
    error = process->head.magic != RAW_MAGIC ? EBADMSG : find_extents(process);
  }
  if (error)
    raw_close(process);
  return error;
}

void raw_close(struct raw_process *process) {
  for (uint32_t i = 0; i < process->thread_count; i++)
    free(process->threads[i].offsets);
  free(process->threads);
  if (process->data)
    munmap((void *)(uintptr_t)process->data, process->size);
  memset(process, 0, sizeof *process);
}

static bool open_extent(const struct raw_process *process, struct raw_thread *thread) {
  if (thread->extent == thread->extents)
    return false;
  const struct raw_extent *extent = extent_at(process, thread->offsets[thread->extent++]);
  uint32_t room = extent->size - (uint32_t)sizeof *extent;
  uint32_t used = atomic_load_explicit(&extent->used, memory_order_acquire);
  thread->at = (const unsigned char *)(extent + 1);
  thread->end = thread->at + (used < room ? used : room);
  thread->sequence = extent->sequence;
  thread->address = 0;
  thread->tick = extent->tick;
  return true;
}

static bool get_address(struct raw_thread *thread, uint64_t *address) {
  uint64_t folded;
  if (!varint_get(&thread->at, thread->end, &folded))
    return false;
  thread->address += (uint64_t)varint_unfold(folded);
  *address = thread->address;
  return true;
}

static bool get_byte(struct raw_thread *thread, unsigned *value) {
  if (thread->at == thread->end)
    return false;
  *value = *thread->at++;
  return true;
}

static bool decode(struct raw_thread *thread, struct raw_operation *o) {
  unsigned tag, gap, duration;
  if (!get_byte(thread, &tag) || !get_byte(thread, &gap))
    return false;
  o->op = (enum raw_op)(tag & RAW_OP_MASK);
  o->gap = gap_value(gap);
  thread->tick += o->gap;
  if (o->op == RAW_BLOCK) {
    if (!get_byte(thread, &o->wait) || !get_byte(thread, &duration) || o->wait >= RAW_WAIT_KINDS)
      return false;
    o->duration = gap_value(duration);
    o->sequence = thread->sequence;
    o->tick = thread->tick;
    thread->tick += o->duration;
    return true;
  }
  uint64_t step = 1;
  if (!(tag & RAW_NEXT) && !varint_get(&thread->at, thread->end, &step))
    return false;
  thread->sequence += step;
  o->sequence = thread->sequence;
  o->tick = thread->tick;
  switch (o->op) {
  case RAW_ALIGNED:
    if (!get_byte(thread, &o->alignment_log2))
      return false;
    /* fall through */
  case RAW_MALLOC:
  case RAW_CALLOC:
  case RAW_REALLOC:
    return varint_get(&thread->at, thread->end, &o->size) && get_address(thread, &o->address);
  case RAW_FREE:
    return get_address(thread, &o->address);
  case RAW_MOVE:
    if (!varint_get(&thread->at, thread->end, &o->size) || !get_address(thread, &o->address) ||
        !varint_get(&thread->at, thread->end, &step) || !get_address(thread, &o->new_address))
      return false;
    thread->sequence += step;
    o->second = thread->sequence;
    return true;
  default:
    return false;
  }
}

void raw_advance(const struct raw_process *process, struct raw_thread *thread) {
  thread->has_next = false;
  while (thread->at == thread->end)
    if (!open_extent(process, thread))
      return;
  if (decode(thread, &thread->next))
    thread->has_next = true;
  else
    thread->at = thread->end = NULL, thread->extent = thread->extents;
}
