/* runtime.c - creating and destroying runtimes; see runtime.h. */
#include "runtime.h"

#include <arenite/stats.h>
#include <errno.h>
#include <string.h>

#include "elsewhere.h"
#include "meta.h"
#include "orphan.h"
#include "panic.h"
#include "stranger.h"

arn_group *arn_runtime_group(arn_runtime *runtime) {
  return &runtime->group;
}

arn_mode arn_runtime_mode(const arn_runtime *runtime) {
  ARN_ELSEWHERE(runtime_mode, runtime);
  return runtime->mode;
}

static bool makes_sense(const arn_config *config) {
  const arn_arena_source *source = &config->source;
  return (config->mode == ARN_MODE_GIL || config->mode == ARN_MODE_FREE_THREADED) &&
         config->purge_delay_ms >= -1 && config->switch_interval_us > 0 &&
         !source->commit == !source->decommit && !source->commit == !source->purge;
}

int arn_runtime_create(arn_runtime **out, const arn_config *config) {
  ARN_ELSEWHERE(runtime_create, out, config);
  arn_config defaults;
  if (!out)
    return EINVAL;
  if (!config) {
    arn_config_init(&defaults);
    config = &defaults;
  }
  if (!makes_sense(config))
    return EINVAL;

  arn_runtime *runtime = arn_meta_take(ARN_META_RUNTIME, sizeof *runtime);
  if (!runtime)
    return ENOMEM;
  memset(runtime, 0, sizeof *runtime);
  int error = arn_group_start(&runtime->group, config);
  if (error) {
    arn_meta_give(ARN_META_RUNTIME, runtime);
    return error;
  }
  runtime->mode = config->mode;
  runtime->lock = (arn_lock)ARN_LOCK_INIT(ARN_RANK_RUNTIME);
  if (runtime->mode == ARN_MODE_GIL) {
    runtime->shared_heap = arn_heap_open(&runtime->group, false, config->private_arenas);
    if (!runtime->shared_heap) {
      arn_group_end(&runtime->group);
      arn_meta_give(ARN_META_RUNTIME, runtime);
      return ENOMEM;
    }
    arn_gil_start(&runtime->gil, config->switch_interval_us, &runtime->shared_heap->request);
  }
  arn_fork_watch(runtime);
  *out = runtime;
  return 0;
}

/* Whether a runtime that nobody is attached to has allocated blocks. */
static bool is_in_use(arn_runtime *runtime) {
  arn_group *group = &runtime->group;
  if (runtime->shared_heap)
    arn_heap_settle(runtime->shared_heap);
  arn_orphans_tidy(group);
  arn_stats stats;
  arn_group_stats(group, &stats);
  return stats.live_bytes || stats.huge_bytes;
}

void arn_runtime_destroy(arn_runtime *runtime) {
  ARN_ELSEWHERE(runtime_destroy, runtime);
  if (!runtime)
    return;
  arn_lock_take(&runtime->lock);
  uint32_t threads = runtime->thread_count;
  arn_lock_drop(&runtime->lock);
  if (threads)
    arn_panic("arn_runtime_destroy: %u thread(s) still attached to this runtime", threads);
  arn_fork_unwatch(runtime);
  if (runtime->mode == ARN_MODE_GIL)
    arn_gil_end(&runtime->gil);
  if (arn_host_of_strangers && is_in_use(runtime))
    return; /* see arenite/runtime.h */
  arn_group_end(&runtime->group);
  arn_meta_give(ARN_META_RUNTIME, runtime);
}

int arn_stats_get(arn_runtime *runtime, arn_stats *stats) {
  ARN_ELSEWHERE(stats_get, runtime, stats);
  if (!runtime || !stats)
    return EINVAL;
  arn_group_stats(&runtime->group, stats);
  arn_gil *gil = &runtime->gil;
  stats->gil_takes = load_relaxed(&gil->takes);
  stats->gil_waits = load_relaxed(&gil->waits);
  stats->gil_switches = load_relaxed(&gil->switches);
  stats->gil_wait_ns = load_relaxed(&gil->wait_ns);
  return 0;
}
