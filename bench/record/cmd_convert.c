/* cmd_convert.c - makes one trace of what the processes of a tree wrote.
 *
 * Inside a process, operations go by their sequence numbers: each thread's are in order, so the
 * thread whose next number is the smallest goes on. Between processes they go by time: the process
 * that is behind goes on, until another one is. Addresses become slots on the way (trace.h). */
#include "record/cmd_convert.h"
#include "trace/gap.h"
#include "trace/live.h"
#include "trace/raw_read.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One process being merged. */
struct source {
  struct raw_process raw;
  char name[64]; /* of its file */
  struct live_table live;
  uint32_t first_thread; /* its threads' numbers in the trace begin here */
  uint32_t last_thread;  /* the one that did its last operation */
  uint64_t time;         /* of its next operation */
  uint64_t calls;
  uint32_t threads_left;
  struct moving { /* by thread: a block between the two halves of a realloc that moves it */
    bool now, known;
    struct live_block block;
  } * moving;
};

struct merge {
  struct source *sources;
  size_t count, room;
  size_t *heap, heap_count; /* sources with operations left, the smallest time first */
  struct trace_writer *writer;
  struct trace_info *info;
  uint32_t *free_slots;
  size_t free_count, free_room;
  uint32_t slots; /* ever used, without slot 0 */
  uint64_t live_bytes, first_ns, last_ns;
  int error;
};

static void emit(struct merge *merge, const struct trace_operation *operation) {
  int error = trace_write(merge->writer, operation);
  if (error && !merge->error)
    merge->error = error;
  if (operation->op == TRACE_BLOCK)
    merge->info->waits++;
  else if (operation->op != TRACE_END)
    merge->info->calls++;
}

static uint32_t take_slot(struct merge *merge) {
  if (merge->free_count)
    return merge->free_slots[--merge->free_count];
  if (merge->slots == TRACE_SLOT_MAX) {
    merge->error = EOVERFLOW;
    return 1;
  }
  return ++merge->slots;
}

static void give_slot(struct merge *merge, uint32_t slot) {
  if (merge->free_count == merge->free_room) {
    size_t room = merge->free_room ? 2 * merge->free_room : 1024;
    uint32_t *slots = realloc(merge->free_slots, room * sizeof *slots);
    if (!slots) {
      merge->error = ENOMEM;
      return;
    }
    merge->free_slots = slots;
    merge->free_room = room;
  }
  merge->free_slots[merge->free_count++] = slot;
}

/* A block is alive at an address. One that was there before must have gone unseen. */
static void settle(struct merge *merge, struct source *source, struct live_block block,
                   uint32_t thread) {
  struct live_block old;
  if (live_take(&source->live, block.address, &old)) {
    emit(merge, &(struct trace_operation){.op = TRACE_FREE, .thread = thread, .slot = old.slot});
    give_slot(merge, old.slot);
    merge->live_bytes -= old.size;
    merge->info->implied_frees++;
  }
  merge->live_bytes += block.size;
  if (merge->live_bytes > merge->info->peak_bytes)
    merge->info->peak_bytes = merge->live_bytes;
  if (!live_add(&source->live, block))
    merge->error = ENOMEM;
}

static void be_born(struct merge *merge, struct source *source, struct trace_operation *operation,
                    uint64_t address) {
  operation->slot = take_slot(merge);
  merge->info->births++;
  struct live_block block = {.address = address, .size = operation->size, .slot = operation->slot};
  settle(merge, source, block, operation->thread);
  emit(merge, operation);
}

/* Sizes as a replay needs them: a realloc to 0 that gave a block would be a free elsewhere. */
static uint64_t sane_size(const struct raw_operation *raw) {
  uint64_t size = raw->size < TRACE_SIZE_MAX ? raw->size : TRACE_SIZE_MAX;
  return size == 0 && (raw->op == RAW_REALLOC || raw->op == RAW_MOVE) ? 1 : size;
}

/* The second half of a realloc that moved the block, and all of one that did not. */
static void resized(struct merge *merge, struct source *source, struct trace_operation *operation,
                    bool known, const struct live_block *old, uint64_t address) {
  merge->info->reallocs++;
  if (!known) { /* realloc(NULL, size), or of a block that the recorder never saw */
    operation->op = TRACE_MALLOC;
    be_born(merge, source, operation, address);
    return;
  }
  operation->op = TRACE_REALLOC;
  operation->slot = old->slot;
  struct live_block block = {.address = address, .size = operation->size, .slot = old->slot};
  settle(merge, source, block, operation->thread);
  emit(merge, operation);
}

static void freed(struct merge *merge, struct source *source, struct trace_operation *operation,
                  uint64_t address) {
  struct live_block block = {0};
  operation->op = TRACE_FREE;
  if (address == 0) {
    merge->info->null_frees++;
  } else if (live_take(&source->live, address, &block)) {
    merge->info->frees++;
    merge->live_bytes -= block.size;
    give_slot(merge, block.slot);
  } else {
    merge->info->unknown_frees++;
    return;
  }
  operation->slot = block.slot;
  emit(merge, operation);
}

/* Does the thread's next operation, or the first half of it. */
static void step(struct merge *merge, struct source *source, uint32_t number) {
  struct raw_thread *thread = &source->raw.threads[number];
  struct raw_operation *raw = &thread->next;
  struct moving *moving = &source->moving[number];
  struct trace_operation operation = {.thread = source->first_thread + number,
                                      .gap = gap_from_ns(raw_ns(&source->raw, raw->gap)),
                                      .size = sane_size(raw)};
  struct live_block old = {0};
  source->last_thread = number;
  source->calls += raw->op != RAW_BLOCK;
  source->time = raw_time(&source->raw, raw->tick);
  if (source->time > merge->last_ns)
    merge->last_ns = source->time;
  switch (raw->op) {
  case RAW_MALLOC:
    operation.op = TRACE_MALLOC;
    merge->info->mallocs++;
    be_born(merge, source, &operation, raw->address);
    break;
  case RAW_CALLOC:
    operation.op = TRACE_CALLOC;
    merge->info->callocs++;
    be_born(merge, source, &operation, raw->address);
    break;
  case RAW_ALIGNED:
    operation.op = TRACE_ALIGNED;
    operation.alignment_log2 = raw->alignment_log2;
    merge->info->aligneds++;
    be_born(merge, source, &operation, raw->address);
    break;
  case RAW_FREE:
    freed(merge, source, &operation, raw->address);
    break;
  case RAW_REALLOC: {
    bool known = live_take(&source->live, raw->address, &old);
    merge->live_bytes -= old.size;
    resized(merge, source, &operation, known, &old, raw->address);
    break;
  }
  case RAW_MOVE:
    if (!moving->now) {
      moving->block = old;
      moving->known = live_take(&source->live, raw->address, &moving->block);
      merge->live_bytes -= moving->block.size;
      moving->now = true;
      source->calls--;
      return; /* comes back at its second number */
    }
    moving->now = false;
    resized(merge, source, &operation, moving->known, &moving->block, raw->new_address);
    break;
  case RAW_BLOCK:
    operation.op = TRACE_BLOCK;
    operation.wait = raw->wait;
    operation.duration = gap_from_ns(raw_ns(&source->raw, raw->duration));
    emit(merge, &operation);
    break;
  }
  raw_advance(&source->raw, thread);
}

/* What is alive when a process ends goes with it; in the order of the slots. */
static int by_slot(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static void end_process(struct merge *merge, struct source *source) {
  uint32_t thread = source->first_thread + source->last_thread;
  size_t count = 0;
  uint32_t *slots = malloc((source->live.count + 1) * sizeof *slots);
  if (!slots) {
    merge->error = ENOMEM;
    return;
  }
  for (size_t i = 0; i < source->live.room; i++)
    if (source->live.places[i].address) {
      slots[count++] = source->live.places[i].slot;
      merge->live_bytes -= source->live.places[i].size;
    }
  qsort(slots, count, sizeof *slots, by_slot);
  for (size_t i = count; i-- > 0;) {
    emit(merge, &(struct trace_operation){.op = TRACE_FREE, .thread = thread, .slot = slots[i]});
    give_slot(merge, slots[i]);
  }
  merge->info->exit_frees += count;
  free(slots);
  live_free(&source->live);
  emit(merge, &(struct trace_operation){.op = TRACE_END, .thread = thread});
}

static uint64_t next_number(const struct source *source, uint32_t thread) {
  const struct raw_thread *t = &source->raw.threads[thread];
  if (!t->has_next)
    return UINT64_MAX;
  return source->moving[thread].now ? t->next.second : t->next.sequence;
}

/* Runs a source until its time passes `until` or it has ended; true when something is left. */
static bool run_source(struct merge *merge, struct source *source, uint64_t until) {
  while (!merge->error) {
    uint32_t first = 0;
    uint64_t smallest = UINT64_MAX, second = UINT64_MAX;
    for (uint32_t i = 0; i < source->raw.thread_count; i++) {
      uint64_t number = next_number(source, i);
      if (number < smallest) {
        second = smallest;
        smallest = number;
        first = i;
      } else if (number < second) {
        second = number;
      }
    }
    if (smallest == UINT64_MAX) {
      end_process(merge, source);
      return false;
    }
    do {
      if (source->time > until)
        return true;
      step(merge, source, first);
    } while (!merge->error && next_number(source, first) < second);
    /* A thread that ended before its process: so that its place can be taken by another. */
    if (!source->raw.threads[first].has_next && second != UINT64_MAX)
      emit(merge,
           &(struct trace_operation){.op = TRACE_END, .thread = source->first_thread + first});
  }
  return false;
}

static bool earlier(const struct merge *merge, size_t a, size_t b) {
  const struct source *x = &merge->sources[merge->heap[a]], *y = &merge->sources[merge->heap[b]];
  return x->time < y->time || (x->time == y->time && merge->heap[a] < merge->heap[b]);
}

static void sink(struct merge *merge, size_t at) {
  for (;;) {
    size_t least = at;
    for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < merge->heap_count; child++)
      if (earlier(merge, child, least))
        least = child;
    if (least == at)
      return;
    size_t swap = merge->heap[at];
    merge->heap[at] = merge->heap[least];
    merge->heap[least] = swap;
    at = least;
  }
}

static void run_all(struct merge *merge) {
  for (size_t i = merge->heap_count; i-- > 0;)
    sink(merge, i);
  while (merge->heap_count && !merge->error) {
    uint64_t until = UINT64_MAX;
    for (size_t child = 1; child <= 2 && child < merge->heap_count; child++)
      if (merge->sources[merge->heap[child]].time < until)
        until = merge->sources[merge->heap[child]].time;
    struct source *source = &merge->sources[merge->heap[0]];
    if (!run_source(merge, source, until))
      merge->heap[0] = merge->heap[--merge->heap_count];
    sink(merge, 0);
  }
}

static int by_start(const void *a, const void *b) {
  const struct source *x = a, *y = b;
  if (x->raw.start_ns != y->raw.start_ns)
    return x->raw.start_ns < y->raw.start_ns ? -1 : 1;
  return strcmp(x->name, y->name);
}

static int open_sources(struct merge *merge, const char *directory) {
  DIR *dir = opendir(directory);
  if (!dir)
    return errno;
  int error = 0;
  for (struct dirent *entry; !error && (entry = readdir(dir));) {
    size_t length = strlen(entry->d_name);
    if (length < 5 || length >= 64 || strcmp(entry->d_name + length - 4, ".raw") != 0)
      continue;
    if (merge->count == merge->room) {
      size_t room = merge->room ? 2 * merge->room : 16;
      struct source *sources = realloc(merge->sources, room * sizeof *sources);
      if (!sources) {
        error = ENOMEM;
        break;
      }
      merge->sources = sources;
      merge->room = room;
    }
    struct source *source = &merge->sources[merge->count];
    memset(source, 0, sizeof *source);
    strcpy(source->name, entry->d_name);
    char path[4096 + 64];
    snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
    error = raw_open(&source->raw, path);
    if (error == EBADMSG)
      error = 0; /* killed before its first byte */
    else if (!error)
      merge->count++;
  }
  closedir(dir);
  return error;
}

/* Numbers the threads, and finds how long a tick is: the longest recording knows best. */
static int prepare(struct merge *merge) {
  qsort(merge->sources, merge->count, sizeof *merge->sources, by_start);
  merge->heap = calloc(merge->count + 1, sizeof *merge->heap);
  if (!merge->heap)
    return ENOMEM;
  double ns_per_tick = 1;
  uint64_t longest = 0;
  for (size_t i = 0; i < merge->count; i++) {
    const struct raw_process *raw = &merge->sources[i].raw;
    if (raw->ns_per_tick > 0 && raw->end_ns - raw->start_ns > longest) {
      longest = raw->end_ns - raw->start_ns;
      ns_per_tick = raw->ns_per_tick;
    }
  }
  if (longest == 0 && merge->count > 1) {
    const struct raw_head *a = &merge->sources[0].raw.head,
                          *b = &merge->sources[merge->count - 1].raw.head;
    if (b->tick > a->tick && b->ns > a->ns)
      ns_per_tick = (double)(b->ns - a->ns) / (double)(b->tick - a->tick);
  }
  for (size_t i = 0; i < merge->count; i++) {
    struct source *source = &merge->sources[i];
    source->raw.ns_per_tick = ns_per_tick;
    source->time = source->raw.start_ns;
    source->first_thread = (uint32_t)merge->info->threads;
    source->moving = calloc(source->raw.thread_count + 1, sizeof *source->moving);
    if (!source->moving)
      return ENOMEM;
    for (uint32_t t = 0; t < source->raw.thread_count; t++)
      raw_advance(&source->raw, &source->raw.threads[t]);
    merge->info->threads += source->raw.thread_count;
    merge->info->processes++;
    merge->info->cut += source->raw.head.lost != 0;
    if (source->raw.thread_count)
      merge->heap[merge->heap_count++] = i;
  }
  if (merge->count)
    merge->first_ns = merge->last_ns = merge->sources[0].raw.start_ns;
  return merge->info->threads > TRACE_THREAD_MAX ? EOVERFLOW : 0;
}

static int write_manifest(const struct merge *merge, const char *path) {
  FILE *out = fopen(path, "we");
  if (!out)
    return errno;
  fprintf(out, "{\"processes\": [\n");
  for (size_t i = 0; i < merge->count; i++) {
    const struct source *source = &merge->sources[i];
    const struct raw_head *head = &source->raw.head;
    char program[sizeof head->program];
    for (size_t c = 0; c < sizeof program; c++) {
      program[c] = head->program[c];
      if (program[c] == '"' || program[c] == '\\' || (program[c] > 0 && program[c] < ' '))
        program[c] = '?';
    }
    fprintf(out,
            "  {\"file\": \"%s\", \"program\": \"%s\", \"pid\": %" PRIu32 ", \"parent\": %" PRIu32
            ", \"image\": %" PRIu32 ", \"threads\": %" PRIu32 ", \"calls\": %" PRIu64 "}%s\n",
            source->name, program, head->pid, head->parent, head->image, source->raw.thread_count,
            source->calls, i + 1 < merge->count ? "," : "");
  }
  fprintf(out, "]}\n");
  return fclose(out) == 0 ? 0 : errno;
}

int convert(const char *directory, const char *path, const char *manifest, struct trace_info *info,
            char message[TRACE_MESSAGE]) {
  memset(info, 0, sizeof *info);
  struct merge merge = {.info = info};
  const char *what = directory;
  int error = open_sources(&merge, directory);
  if (!error)
    error = prepare(&merge);
  if (!error) {
    what = path;
    error = trace_writer_open(&merge.writer, path);
  }
  if (!error) {
    run_all(&merge);
    error = merge.error;
    info->peak_blocks = merge.slots;
    info->duration_ns = merge.last_ns - merge.first_ns;
    if (error)
      trace_writer_drop(merge.writer);
    else
      error = trace_writer_close(merge.writer, info);
  }
  if (!error && manifest) {
    what = manifest;
    error = write_manifest(&merge, manifest);
  }
  for (size_t i = 0; i < merge.count; i++) {
    live_free(&merge.sources[i].live);
    free(merge.sources[i].moving);
    raw_close(&merge.sources[i].raw);
  }
  free(merge.sources);
  free(merge.heap);
  free(merge.free_slots);
  if (error)
    snprintf(message, TRACE_MESSAGE, "%.300s: %s", what, strerror(error));
  return error;
}
