/* information.c - what glibc lets a program ask and tell its malloc: mallinfo(3), mallopt(3),
 * malloc_info(3), malloc_stats(3), malloc_trim(3).
 *
 * Any thread. The numbers are those of arenite/stats.h: exact when no other thread runs.
 */
#include <arenite/heap.h>
#include <arenite/stats.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "host.h"

#define EXPORT __attribute__((visibility("default")))

ARN_BRING_HOST

/* arn_stats is too large for a small thread's stack to take twice. */
static bool look(arn_stats *stats) {
  arn_runtime *runtime = arn_malloc_runtime_made();
  if (runtime && arn_stats_get(runtime, stats) == 0)
    return true;
  memset(stats, 0, sizeof *stats);
  return false;
}

EXPORT struct mallinfo2 mallinfo2(void) {
  arn_stats s;
  look(&s);
  return (struct mallinfo2){
      .arena = s.arena_bytes,
      .ordblks = s.pools_free,
      .hblks = s.huge_blocks,
      .hblkhd = s.huge_bytes,
      .usmblks = s.arenas_highwater,
      .uordblks = s.live_bytes,
      .fordblks = s.arena_bytes - s.live_bytes,
      .keepcost = s.free_bytes,
  };
}

static int clip(size_t n) {
  return n > INT_MAX ? INT_MAX : (int)n;
}

EXPORT struct mallinfo mallinfo(void) {
  struct mallinfo2 m = mallinfo2();
  return (struct mallinfo){
      .arena = clip(m.arena),
      .ordblks = clip(m.ordblks),
      .hblks = clip(m.hblks),
      .hblkhd = clip(m.hblkhd),
      .usmblks = clip(m.usmblks),
      .uordblks = clip(m.uordblks),
      .fordblks = clip(m.fordblks),
      .keepcost = clip(m.keepcost),
  };
}

/* glibc's parameters are about glibc's malloc. Those that it knows are accepted, so that programs
 * which insist go on, and change nothing. */
EXPORT int mallopt(int parameter, int value) {
  (void)value;
  switch (parameter) {
  case M_MXFAST:
  case M_TRIM_THRESHOLD:
  case M_TOP_PAD:
  case M_MMAP_THRESHOLD:
  case M_MMAP_MAX:
  case M_CHECK_ACTION:
  case M_PERTURB:
  case M_ARENA_TEST:
  case M_ARENA_MAX:
    return 1;
  default:
    return 0;
  }
}

EXPORT int malloc_trim(size_t pad) {
  arn_runtime *runtime = arn_malloc_runtime_made();
  return runtime && arn_trim(runtime, pad) > 0;
}

EXPORT void malloc_stats(void) {
  arn_runtime *runtime = arn_malloc_runtime();
  if (runtime)
    arn_stats_text(runtime, stderr);
}

EXPORT int malloc_info(int options, FILE *stream) {
  if (options != 0) {
    errno = EINVAL;
    return -1;
  }
  arn_stats s;
  look(&s);
  fprintf(stream, "<malloc version=\"arenite-1\">\n");
  for (uint32_t i = 0; i < s.class_count; i++) {
    const arn_class_stats *c = &s.classes[i];
    if (c->pools)
      fprintf(stream,
              "<class size=\"%zu\" pools=\"%" PRIu64 "\" used=\"%" PRIu64 "\" free=\"%" PRIu64
              "\" untouched=\"%" PRIu64 "\" purged=\"%" PRIu64 "\"/>\n",
              c->block_size, c->pools, c->blocks_used, c->blocks_free, c->blocks_untouched,
              c->blocks_purged);
  }
  fprintf(stream,
          "<total type=\"live\" size=\"%" PRIu64 "\"/>\n<total type=\"free\" size=\"%" PRIu64
          "\"/>\n<total type=\"untouched\" size=\"%" PRIu64
          "\"/>\n<total type=\"purged\" size=\"%" PRIu64
          "\"/>\n<total type=\"deferred\" size=\"%" PRIu64
          "\"/>\n<total type=\"overhead\" size=\"%" PRIu64 "\"/>\n",
          s.live_bytes, s.free_bytes, s.untouched_bytes, s.purged_bytes, s.deferred_bytes,
          s.overhead_bytes);
  fprintf(stream,
          "<total type=\"mmap\" count=\"%" PRIu64 "\" size=\"%" PRIu64
          "\"/>\n<system type=\"current\" size=\"%" PRIu64 "\"/>\n</malloc>\n",
          s.huge_blocks, s.huge_bytes, s.arena_bytes + s.huge_bytes);
  return ferror(stream) ? -1 : 0;
}
