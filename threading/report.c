/* report.c - the statistics as text and as JSON; what the numbers mean is in arenite/stats.h. */
#include <arenite/inspect.h>
#include <arenite/stats.h>
#include <errno.h>
#include <inttypes.h>

#include "elsewhere.h"
#include "runtime.h"

typedef struct field {
  const char *name;
  size_t offset;
} field;

#define FIELD(name)                                                                                \
  { #name, offsetof(arn_stats, name) }

static const field bytes[] = {
    FIELD(arena_bytes),  FIELD(live_bytes),     FIELD(free_bytes),     FIELD(untouched_bytes),
    FIELD(purged_bytes), FIELD(deferred_bytes), FIELD(overhead_bytes), FIELD(huge_bytes),
    FIELD(large_bytes),  FIELD(frozen_bytes),   FIELD(metadata_bytes),
};
static const field counts[] = {
    FIELD(arenas),       FIELD(arenas_allocated), FIELD(arenas_reclaimed), FIELD(arenas_highwater),
    FIELD(pools_free),   FIELD(huge_blocks),      FIELD(large_blocks),     FIELD(heaps),
    FIELD(orphans),      FIELD(adoptions),        FIELD(scavenged_pools),  FIELD(takeovers),
    FIELD(remote_frees), FIELD(inbox_pushes),     FIELD(inbox_drains),     FIELD(forwarded),
    FIELD(purges),       FIELD(gil_takes),        FIELD(gil_waits),        FIELD(gil_switches),
    FIELD(gil_wait_ns),
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static uint64_t value(const arn_stats *stats, const field *f) {
  return *(const uint64_t *)((const char *)stats + f->offset);
}

static const char *mode_name(arn_mode mode) {
  return mode == ARN_MODE_GIL ? "gil" : "free-threaded";
}

/* errno is still that of the first write that failed: stdio does not write again after it. */
static int finish(FILE *out) {
  return fflush(out) == 0 && !ferror(out) ? 0 : errno ? errno : EIO;
}

int arn_stats_text(arn_runtime *runtime, FILE *out) {
  ARN_ELSEWHERE(stats_text, runtime, out);
  arn_stats stats;
  int error = arn_stats_get(runtime, &stats);
  if (error)
    return error;
  fprintf(out, "arenite %s, %s geometry, huge pages %s\n", mode_name(stats.mode),
          arn_geometry_get().name, stats.huge_pages ? "on" : "off");
  fprintf(out, "%8s %10s %12s %12s %12s %12s\n", "class", "pools", "used", "free", "untouched",
          "purged");
  for (uint32_t i = 0; i < stats.class_count; i++) {
    const arn_class_stats *c = &stats.classes[i];
    if (c->pools)
      fprintf(out, "%8zu %10" PRIu64 " %12" PRIu64 " %12" PRIu64 " %12" PRIu64 " %12" PRIu64 "\n",
              c->block_size, c->pools, c->blocks_used, c->blocks_free, c->blocks_untouched,
              c->blocks_purged);
  }
  for (size_t i = 0; i < COUNT(bytes); i++)
    fprintf(out, "%-18s %16" PRIu64 " bytes\n", bytes[i].name, value(&stats, &bytes[i]));
  for (size_t i = 0; i < COUNT(counts); i++)
    fprintf(out, "%-18s %16" PRIu64 "\n", counts[i].name, value(&stats, &counts[i]));
  return finish(out);
}

int arn_stats_json(arn_runtime *runtime, FILE *out) {
  ARN_ELSEWHERE(stats_json, runtime, out);
  arn_stats stats;
  int error = arn_stats_get(runtime, &stats);
  if (error)
    return error;
  fprintf(out, "{\"mode\":\"%s\",\"geometry\":\"%s\",\"huge_pages\":%s", mode_name(stats.mode),
          arn_geometry_get().name, stats.huge_pages ? "true" : "false");
  for (size_t i = 0; i < COUNT(bytes); i++)
    fprintf(out, ",\"%s\":%" PRIu64, bytes[i].name, value(&stats, &bytes[i]));
  for (size_t i = 0; i < COUNT(counts); i++)
    fprintf(out, ",\"%s\":%" PRIu64, counts[i].name, value(&stats, &counts[i]));
  fputs(",\"classes\":[", out);
  const char *comma = "";
  for (uint32_t i = 0; i < stats.class_count; i++) {
    const arn_class_stats *c = &stats.classes[i];
    if (!c->pools)
      continue;
    fprintf(out,
            "%s{\"block_size\":%zu,\"pools\":%" PRIu64 ",\"used\":%" PRIu64 ",\"free\":%" PRIu64
            ",\"untouched\":%" PRIu64 ",\"purged\":%" PRIu64 "}",
            comma, c->block_size, c->pools, c->blocks_used, c->blocks_free, c->blocks_untouched,
            c->blocks_purged);
    comma = ",";
  }
  fputs("]}\n", out);
  return finish(out);
}
