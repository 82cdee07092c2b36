/* host.c - see host.h. */
#include "host.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "background.h"
#include "exit_report.h"
#include "runtime.h"
#include "stranger.h"

static _Atomic(arn_runtime *) process_runtime;

static __attribute__((noinline, cold)) arn_runtime *make_runtime(void) {
  /* Files are read for the settings, which is a cancellation point; malloc is none. */
  int cancel;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
  arn_config config;
  arn_config_init(&config);
  arn_runtime *fresh;
  int error = arn_runtime_create(&fresh, &config);
  pthread_setcancelstate(cancel, NULL);
  if (error) {
    errno = error;
    return NULL;
  }
  /* Two threads may be here; so may one, twice, when making it allocates. */
  arn_runtime *have = NULL;
  if (cas_acq_rel(&process_runtime, &have, fresh)) /* with arn_malloc_runtime's acquire */
    return fresh;
  arn_runtime_destroy(fresh);
  return have;
}

arn_runtime *arn_malloc_runtime(void) {
  arn_runtime *have = load_acquire(&process_runtime);
  return likely(have != NULL) ? have : make_runtime();
}

arn_runtime *arn_malloc_runtime_made(void) {
  return load_acquire(&process_runtime);
}

/* With the GIL: a fork has it already. */
static arn_heap *enter_gil(arn_runtime *runtime) {
  if (!arn_fork_has_gils())
    arn_gil_take(&runtime->gil, arn_here());
  return runtime->shared_heap;
}

static arn_heap *enter(bool to_free) {
  int before = errno;
  arn_runtime *runtime = arn_malloc_runtime();
  if (!runtime)
    return NULL;
  errno = before;
  if (runtime->mode == ARN_MODE_GIL) {
    arn_background_look();
    return enter_gil(runtime);
  }
  if (arn_self == &arn_ended_heap) {
    arn_heap *borrowed = to_free ? NULL : arn_heap_for_thread(&runtime->group);
    if (!borrowed && !to_free)
      errno = ENOMEM;
    return borrowed;
  }
  if (arn_thread_attach_guest(runtime)) {
    if (!to_free)
      errno = ENOMEM;
    return NULL;
  }
  arn_background_look(); /* it may allocate, so the thread must have its heap */
  return arn_self;
}

static void leave(arn_heap *heap) {
  if (heap == arn_self)
    return;
  arn_runtime *runtime = load_relaxed(&process_runtime);
  if (runtime->mode == ARN_MODE_FREE_THREADED)
    arn_heap_orphan(heap);
  else if (!arn_fork_has_gils())
    arn_gil_drop(&runtime->gil, arn_here());
}

const arn_host arn_process_host = {enter, leave};
const arn_host *arn_host_of_strangers = &arn_process_host;

/* Before the program's own constructors where we have a say (the shared library is linked with
 * -z initfirst), so that the program's fork handlers run outside of ours. Before libc's too: getenv
 * finds nothing yet, unless we do what libc is going to do. */
__attribute__((constructor(101))) static void process_starts(int argc, char **argv, char **env) {
  (void)argc, (void)argv;
  if (!environ)
    environ = env;
  arn_thread_start();
  arn_fork_register();
  arn_exit_report_start();
  arn_background_start();
}

__attribute__((destructor(101))) static void process_ends(void) {
  arn_exit_report();
}
