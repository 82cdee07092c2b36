/* run.c - starts the threads, lets them run pass after pass, and takes the time.
 *
 * The first passes say how many more are needed for a run that is long enough; all count. Between
 * such batches, and as recorded between any two passes, the threads meet: what they share begins
 * again with the first turn. Tables are mapped, never allocated: the allocator that is measured
 * sees nothing but the recording. */
#include "replay/run.h"
#include "replay/thread.h"
#include "replay/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct replay_run {
  const struct replay_options *options;
  bool own;
  bool (*loop)(struct replay_thread *);
  pthread_barrier_t all;     /* the threads and the main one */
  pthread_barrier_t threads; /* as recorded: between two passes */
  uint64_t passes; /* of the batch that begins; 0: go home. Main writes it before `all`. */
  struct shared_slot *shared;
  uint64_t shared_slots;
};

static double now_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Zeroed memory that is not from any allocator. */
static void *map(uint64_t count, size_t size) {
  void *memory = mmap(NULL, (count ? count : 1) * size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

/* The peak of resident memory can be set back to what is resident now; the other figure that the
 * system gives is that of the program before exec, if that was larger. */
static bool reset_peak(void) {
  int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  bool done = write(fd, "5", 1) == 1;
  close(fd);
  return done;
}

static long peak_rss_kib(bool reset) {
  char text[4096];
  long peak = -1;
  int fd = reset ? open("/proc/self/status", O_RDONLY | O_CLOEXEC) : -1;
  if (fd >= 0) {
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    const char *line = strstr(text, "\nVmHWM:");
    if (line)
      peak = strtol(line + 7, NULL, 10);
  }
  struct rusage usage;
  if (peak <= 0 && getrusage(RUSAGE_SELF, &usage) == 0)
    peak = usage.ru_maxrss;
  return peak;
}

/* One thread that cannot go on ends all: others would wait for its turns for ever. */
__attribute__((noreturn)) static void give_up(const char *why) {
  fprintf(stderr, "arenite replay: %s\n", why);
  fflush(NULL);
  _exit(1);
}

/* Waits for the others without the GIL. */
static void meet(struct replay_thread *thread, pthread_barrier_t *barrier) {
  arn_thread *away = thread->runtime ? arn_save_thread() : NULL;
  pthread_barrier_wait(barrier);
  if (away)
    arn_restore_thread(away);
}

static void begin_turns_again(struct replay_run *run) {
  for (uint64_t i = 0; i < run->shared_slots; i++)
    atomic_store_explicit(&run->shared[i].turn, 0, memory_order_relaxed);
}

static void *thread_main(void *argument) {
  struct replay_thread *thread = argument;
  struct replay_run *run = thread->run;
  if (thread->runtime && arn_thread_attach(thread->runtime) != 0)
    give_up("a thread could not be attached to the runtime");
  for (;;) {
    meet(thread, &run->all);
    uint64_t passes = run->passes;
    if (passes == 0)
      break;
    thread->begin = now_seconds();
    for (uint64_t pass = 0; pass < passes; pass++) {
      if (!run->loop(thread))
        give_up(thread->failure);
      if (run->own && run->shared_slots > 1) {
        meet(thread, &run->threads);
        if (thread == thread->leader)
          begin_turns_again(run);
        meet(thread, &run->threads);
      }
    }
    thread->end = now_seconds();
    meet(thread, &run->all);
  }
  arn_thread_detach();
  return NULL;
}

/* Lets all threads run `passes` passes; returns the seconds from the first one's start to the last
 * one's end, by their own clocks: on a busy machine this thread may look at its own much later. */
static double run_batch(struct replay_run *run, struct replay_thread *threads, uint32_t count,
                        uint64_t passes) {
  run->passes = passes;
  pthread_barrier_wait(&run->all);
  pthread_barrier_wait(&run->all);
  double begin = threads[0].begin, end = threads[0].end;
  for (uint32_t i = 1; i < count; i++) {
    begin = threads[i].begin < begin ? threads[i].begin : begin;
    end = threads[i].end > end ? threads[i].end : end;
  }
  return end - begin;
}

/* How many passes are still needed after `done`, the last batch of which took `seconds_each` a
 * pass. */
static uint64_t more_passes(const struct replay_options *options, uint64_t done, double seconds,
                            double seconds_each) {
  if (options->passes)
    return options->passes - done;
  if (seconds >= 0.9 * options->min_seconds)
    return 0;
  double wanted = (options->min_seconds - seconds) / (seconds_each > 1e-6 ? seconds_each : 1e-6);
  uint64_t most = 8 * done + 8; /* one short measurement is not believed too far */
  return wanted < (double)most ? (uint64_t)wanted + 1 : most;
}

/* Maps what the threads need. */
static struct replay_thread *make_threads(struct replay_run *run, const struct plan *plan,
                                          uint32_t count, arn_runtime *runtime) {
  struct replay_thread *threads = map(count, sizeof *threads);
  run->shared_slots = plan->head.shared_slots;
  run->shared = map(run->shared_slots, sizeof *run->shared);
  if (!threads || !run->shared)
    return NULL;
  for (uint32_t i = 0; i < count; i++) {
    struct replay_thread *thread = &threads[i];
    thread->plan = plan;
    thread->leader = threads;
    thread->lane = &plan->lanes[run->own ? i : 0];
    thread->runtime = runtime;
    thread->safepoint = thread->until_safepoint = run->options->safepoint;
    thread->check = run->options->check;
    thread->think = run->options->think;
    thread->run = run;
    thread->shared = run->shared;
    thread->slots = map(thread->lane->slots, sizeof *thread->slots);
    thread->block = map(1, sizeof *thread->block);
    if (!thread->slots || !thread->block)
      return NULL;
  }
  return threads;
}

static int start_threads(struct replay_run *run, struct replay_thread *threads, uint32_t count) {
  if (pthread_barrier_init(&run->all, NULL, count + 1) != 0 ||
      pthread_barrier_init(&run->threads, NULL, count) != 0)
    return EAGAIN;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 512u << 10);
  int error = 0;
  for (uint32_t i = 0; i < count && !error; i++)
    error = pthread_create(&threads[i].id, &attributes, thread_main, &threads[i]);
  pthread_attr_destroy(&attributes);
  return error;
}

int replay_run(const struct plan *plan, const struct replay_options *options,
               struct replay_result *result) {
  memset(result, 0, sizeof *result);
  struct replay_run run = {.options = options, .own = options->threads == 0};
  uint32_t count = run.own ? (uint32_t)plan->head.lanes : options->threads;
  bool arenite = options->mode == REPLAY_GIL || options->mode == REPLAY_FREE_THREADED;
  run.loop = arenite                          ? replay_loop_arenite
             : options->mode == REPLAY_SYSTEM ? replay_loop_system
                                              : replay_loop_null;
  bool reset = reset_peak();
  arn_runtime *runtime = NULL;
  if (arenite) {
    arn_config config;
    arn_config_init(&config);
    config.mode = options->mode == REPLAY_GIL ? ARN_MODE_GIL : ARN_MODE_FREE_THREADED;
    int error = arn_runtime_create(&runtime, &config);
    if (error) {
      fprintf(stderr, "arenite replay: the runtime: %s\n", strerror(error));
      return 1;
    }
  }
  struct replay_thread *threads = make_threads(&run, plan, count, runtime);
  int error = threads ? start_threads(&run, threads, count) : ENOMEM;
  if (error)
    give_up("the threads could not be started");

  /* The first pass is the slowest (fresh memory), so its time alone does not say how many it takes.
   */
  uint64_t passes = 0;
  for (uint64_t batch = 1; batch;) {
    double seconds = run_batch(&run, threads, count, batch);
    passes += batch;
    result->seconds += seconds;
    batch = more_passes(options, passes, result->seconds, seconds / (double)batch);
  }
  run.passes = 0;
  pthread_barrier_wait(&run.all);
  for (uint32_t i = 0; i < count; i++) {
    pthread_join(threads[i].id, NULL);
    result->slow_waits += threads[i].slow_waits;
    result->operations += passes * threads[i].lane->calls;
  }
  result->threads = count;
  result->passes = passes;
  result->peak_rss_kib = peak_rss_kib(reset);
  if (!runtime)
    return 0;

  result->has_stats = arn_stats_get(runtime, &result->stats) == 0;
  char message[512];
  int broken = arn_check(runtime, message, sizeof message);
  if (broken) {
    fprintf(stderr, "arenite replay: the heap is broken in %d ways; the first: %s\n", broken,
            message);
    return 1;
  }
  arn_runtime_destroy(runtime);
  return 0;
}
