/* plan_write.c - from a trace to a plan's file.
 *
 * As recorded, the trace is read twice: first to see which threads there are, when each begins and
 * ends, and which blocks are touched by more than one; then to write. */
#include "replay/plan_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A table of free slots, last in first out. */
struct slots {
  uint32_t *free;
  size_t count, room;
  uint32_t used; /* ever, without slot 0 */
};

struct lane {
  struct plan_block *block;
  uint64_t at; /* of the block in the file */
  struct plan_lane out;
  struct slots slots;
  uint32_t thread; /* the recorded thread that it is now; UINT32_MAX: none yet */
  uint64_t last;   /* of that thread: its last operation's place in the trace */
};

/* What is known of a block that is alive, by its slot in the trace. */
struct alive {
  bool now, shared;
  uint32_t slot;   /* in the plan */
  uint32_t thread; /* first reading: where it was born */
  uint64_t birth;  /* first reading */
};

struct span {
  uint64_t first, last; /* operations of a thread; first UINT64_MAX: none */
  uint32_t lane;
};

struct writing {
  int fd;
  bool own;
  struct trace_reader *reader;
  const struct trace_info *info;
  char *message;
  int status;
  struct alive *alive;
  unsigned char *shared; /* a bit for each birth */
  struct span *spans;
  struct lane *lanes;
  size_t lane_count;
  struct slots shared_slots;
  uint32_t *turns; /* of each shared slot: given out */
  size_t turns_room;
  uint64_t end; /* of the file */
  struct plan_head head;
};

static int fail(struct writing *w, int status, const char *what) {
  if (!w->status) {
    w->status = status;
    snprintf(w->message, TRACE_MESSAGE, "%s", what);
  }
  return w->status;
}

static int no_memory(struct writing *w) {
  return fail(w, 1, "out of memory for the plan");
}

static uint32_t take_slot(struct slots *slots) {
  return slots->count ? slots->free[--slots->count] : ++slots->used;
}

static bool give_slot(struct slots *slots, uint32_t slot) {
  if (slots->count == slots->room) {
    size_t room = slots->room ? 2 * slots->room : 256;
    uint32_t *more = realloc(slots->free, room * sizeof *more);
    if (!more)
      return false;
    slots->free = more;
    slots->room = room;
  }
  slots->free[slots->count++] = slot;
  return true;
}

static bool write_all(struct writing *w, const void *data, size_t size, uint64_t at) {
  const char *from = data;
  while (size) {
    ssize_t written = pwrite(w->fd, from, size, (off_t)at);
    if (written < 0) {
      if (errno == EINTR)
        continue;
      snprintf(w->message, TRACE_MESSAGE, "writing the plan: %s", strerror(errno));
      w->status = 1;
      return false;
    }
    from += written;
    at += (uint64_t)written;
    size -= (size_t)written;
  }
  return true;
}

/* Room for `words` in the lane's block; a full one is written, chained to where the next will be.
 */
static uint64_t *room_for(struct writing *w, struct lane *lane, uint32_t words) {
  struct plan_block *block = lane->block;
  if (!block) {
    block = lane->block = calloc(1, sizeof *block);
    if (!block) {
      no_memory(w);
      return NULL;
    }
    lane->at = lane->out.first = w->end;
    w->end += sizeof *block;
  } else if (block->words + words > PLAN_BLOCK_WORDS - 2) {
    block->next = w->end;
    w->end += sizeof *block;
    if (!write_all(w, block, sizeof *block, lane->at))
      return NULL;
    lane->at = block->next;
    block->next = 0;
    block->words = block->operations = 0;
  }
  uint64_t *at = block->word + block->words;
  block->words += words;
  block->operations++;
  return at;
}

static void put_own_block(struct writing *w, struct lane *lane, const struct trace_operation *o,
                          uint32_t slot) {
  static const enum plan_op plain[] = {PLAN_MALLOC, PLAN_CALLOC, PLAN_REALLOC, PLAN_ALIGNED,
                                       PLAN_FREE};
  static const enum plan_op big[] = {PLAN_MALLOC_BIG, PLAN_CALLOC_BIG, PLAN_REALLOC_BIG};
  bool aligned = o->op == TRACE_ALIGNED;
  bool two = aligned || (o->op != TRACE_FREE && o->size > PLAN_SIZE_MAX);
  uint64_t *at = room_for(w, lane, two ? 2 : 1);
  if (!at)
    return;
  uint64_t size = aligned ? o->alignment_log2 : o->op == TRACE_FREE || two ? 0 : o->size;
  at[0] = plan_word(two && !aligned ? big[o->op] : plain[o->op], o->gap, slot, size);
  if (two)
    at[1] = o->size;
}

static void put_shared_block(struct writing *w, struct lane *lane, const struct trace_operation *o,
                             uint32_t slot) {
  static const enum plan_op plain[] = {PLAN_MALLOC, PLAN_CALLOC, PLAN_REALLOC, PLAN_ALIGNED,
                                       PLAN_FREE};
  if (slot >= w->turns_room) {
    size_t room = 2 * (size_t)slot + 64;
    uint32_t *turns = realloc(w->turns, room * sizeof *turns);
    if (!turns) {
      no_memory(w);
      return;
    }
    memset(turns + w->turns_room, 0, (room - w->turns_room) * sizeof *turns);
    w->turns = turns;
    w->turns_room = room;
  }
  uint64_t *at = room_for(w, lane, 3);
  if (!at)
    return;
  unsigned alignment = o->op == TRACE_ALIGNED ? o->alignment_log2 : 0;
  at[0] = plan_word(PLAN_SHARED, o->gap, slot, (uint64_t)plain[o->op] << 8 | alignment);
  at[1] = o->op == TRACE_FREE ? 0 : o->size;
  at[2] = w->turns[slot]++;
}

static bool is_birth(enum trace_op op) {
  return op == TRACE_MALLOC || op == TRACE_CALLOC || op == TRACE_ALIGNED;
}

/* Is the operation possible with what is alive? */
static bool fits(const struct alive *block, const struct trace_operation *o) {
  return is_birth(o->op) ? !block->now : block->now || o->slot == 0;
}

static void put(struct writing *w, struct lane *lane, const struct trace_operation *o,
                uint64_t birth) {
  if (o->op == TRACE_BLOCK) {
    uint64_t *at = room_for(w, lane, 1);
    if (at)
      *at = plan_word(PLAN_BLOCK, o->gap, o->wait, o->duration);
    return;
  }
  struct alive *block = &w->alive[o->slot];
  lane->out.calls++;
  w->head.calls++;
  if (is_birth(o->op)) {
    block->now = true;
    block->shared = w->own && (w->shared[birth / 8] >> (birth % 8) & 1);
    block->slot = take_slot(block->shared ? &w->shared_slots : &lane->slots);
  }
  if (block->shared)
    put_shared_block(w, lane, o, block->slot);
  else
    put_own_block(w, lane, o, o->slot ? block->slot : 0);
  if (o->op == TRACE_FREE && o->slot) {
    block->now = false;
    if (!give_slot(block->shared ? &w->shared_slots : &lane->slots, block->slot))
      no_memory(w);
  }
}

/* Reads the trace and gives each operation to `take`, with its place and the number of births so
 * far. */
static int read_all(struct writing *w,
                    void (*take)(struct writing *, const struct trace_operation *, uint64_t place,
                                 uint64_t birth)) {
  struct trace_operation operation = {0};
  uint64_t place = 0, births = 0;
  int more;
  memset(w->alive, 0, (w->info->peak_blocks + 1) * sizeof *w->alive);
  while ((more = trace_read(w->reader, &operation, w->message)) > 0 && !w->status) {
    if (operation.op <= TRACE_FREE && !fits(&w->alive[operation.slot], &operation))
      return fail(w, 2, "the trace uses a block that is not alive, or one twice");
    bool birth = is_birth(operation.op);
    if (birth && births == w->info->births)
      return fail(w, 2, "the trace has more blocks than its head says");
    take(w, &operation, place++, births);
    births += birth;
  }
  if (more < 0 && !w->status)
    w->status = 2;
  return w->status;
}

static void survey(struct writing *w, const struct trace_operation *o, uint64_t place,
                   uint64_t birth) {
  struct span *span = &w->spans[o->thread];
  if (o->op == TRACE_END)
    return;
  if (span->first == UINT64_MAX)
    span->first = place;
  span->last = place;
  if (o->op == TRACE_BLOCK || o->slot == 0)
    return;
  struct alive *block = &w->alive[o->slot];
  if (is_birth(o->op))
    *block = (struct alive){.now = true, .thread = o->thread, .birth = birth};
  else if (block->thread != o->thread)
    w->shared[block->birth / 8] |= (unsigned char)(1 << (block->birth % 8));
  if (o->op == TRACE_FREE)
    block->now = false;
}

static void write_merged(struct writing *w, const struct trace_operation *o, uint64_t place,
                         uint64_t birth) {
  (void)place;
  if (o->op != TRACE_END)
    put(w, &w->lanes[0], o, birth);
}

/* The lane of a thread: for its first operation, one whose thread has ended, or a new one. */
static struct lane *lane_of(struct writing *w, uint32_t thread, uint64_t place) {
  struct span *span = &w->spans[thread];
  if (place != span->first)
    return &w->lanes[span->lane];
  size_t at = 0;
  while (at < w->lane_count && w->lanes[at].last >= place)
    at++;
  struct lane *lane = &w->lanes[at];
  if (at == w->lane_count) {
    w->lane_count++;
  } else {
    uint64_t *word = room_for(w, lane, 1);
    if (word)
      *word = plan_word(PLAN_NEXT, 0, 0, 0);
  }
  lane->thread = thread;
  lane->last = span->last;
  span->lane = (uint32_t)at;
  return lane;
}

static void write_own(struct writing *w, const struct trace_operation *o, uint64_t place,
                      uint64_t birth) {
  if (o->op != TRACE_END)
    put(w, lane_of(w, o->thread, place), o, birth);
}

static int finish(struct writing *w) {
  struct plan_lane *table = calloc(w->lane_count, sizeof *table);
  if (!table)
    return no_memory(w);
  for (size_t i = 0; i < w->lane_count; i++) {
    struct lane *lane = &w->lanes[i];
    lane->out.slots = lane->slots.used + 1;
    table[i] = lane->out;
    if (lane->block)
      write_all(w, lane->block, sizeof *lane->block, lane->at);
  }
  w->head.lanes = w->lane_count;
  w->head.lane_table = w->end;
  w->head.shared_slots = w->shared_slots.used + 1;
  w->head.magic = PLAN_MAGIC;
  if (!w->status && write_all(w, table, w->lane_count * sizeof *table, w->end))
    write_all(w, &w->head, sizeof w->head, 0);
  free(table);
  return w->status;
}

int plan_write(int fd, struct trace_reader *reader, bool own, char message[TRACE_MESSAGE]) {
  const struct trace_info *info = trace_reader_info(reader);
  struct writing w = {.fd = fd,
                      .own = own,
                      .reader = reader,
                      .info = info,
                      .message = message,
                      .end = PLAN_BLOCK_BYTES,
                      .lane_count = own ? 0 : 1};
  w.alive = calloc(info->peak_blocks + 1, sizeof *w.alive);
  w.lanes = calloc(own ? info->threads + 1 : 1, sizeof *w.lanes);
  w.shared = calloc(own ? info->births / 8 + 1 : 1, 1);
  w.spans = calloc(info->threads + 1, sizeof *w.spans);
  if (!w.alive || !w.lanes || !w.shared || !w.spans) {
    no_memory(&w);
  } else if (own) {
    for (uint64_t i = 0; i < info->threads; i++)
      w.spans[i].first = UINT64_MAX;
    if (read_all(&w, survey) == 0) {
      trace_rewind(reader);
      read_all(&w, write_own);
    }
  } else {
    read_all(&w, write_merged);
  }
  if (!w.status && w.head.calls == 0)
    fail(&w, 2, "the trace holds no operation");
  if (!w.status)
    finish(&w);
  /* The rest goes with the process that made the plan. */
  return w.status;
}
