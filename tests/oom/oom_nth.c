// timeout: 300
/* oom_nth.c - every call to the operating system fails once, and then for ever.
 *
 * A scenario that uses every way of getting memory runs in a child with the nth call failing, n =
 * 1, 2, 3 ... until it runs through without reaching the nth. What is promised: NULL with ENOMEM
 * (or ENOMEM from a function that returns it), every other block as it was, a heap that checks, and
 * work as usual afterwards. Calls that give memory back may fail unnoticed.
 */
#include "support.h"

#include "os.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct plan {
  size_t nth;   /* number of the call that fails */
  bool onwards; /* and all after it */
  size_t calls; /* seen */
  bool failed;
} plan;

static int fail_nth(void *context, const char *call) {
  (void)context;
  (void)call;
  plan.calls++;
  if (plan.calls < plan.nth || (plan.calls > plan.nth && !plan.onwards))
    return 0;
  plan.failed = true;
  return ENOMEM;
}

/* Small, medium, spans, a run of arenas, and one with a mapping of its own. */
static const size_t sizes[] = {10, 100, 500, 3000, 20000, 100000, 600000, 3000000, 40000000};
enum { SIZES = sizeof sizes / sizeof sizes[0], COUNT = 250 };

/* Contents beyond this are not looked at: every page takes its time, and there are many children.
 */
enum { FILLED = 64 * 1024 };

struct entry {
  void *at;
  size_t size, filled;
};

/* Accepts a block, or NULL with ENOMEM after a call has failed. */
static bool got(void *block) {
  if (block == NULL) {
    REQUIRE(errno == ENOMEM);
    REQUIRE(plan.failed);
  }
  errno = 0;
  return block != NULL;
}

static void fill(struct entry *entry, void *at, size_t size) {
  *entry = (struct entry){at, size, size < FILLED ? size : FILLED};
  support_fill(at, entry->filled, size);
}

static bool holds(const struct entry *entry, const void *at, size_t size) {
  return support_holds(at, entry->filled, size < entry->filled ? size : entry->filled, entry->size);
}

static void keep(struct entry *entry, void *block, size_t size) {
  entry->at = NULL;
  if (got(block))
    fill(entry, block, size);
}

static void resize(struct entry *entry, size_t size) {
  if (entry->at == NULL)
    return;
  void *moved = arn_realloc(entry->at, size);
  if (!got(moved)) {
    REQUIRE(holds(entry, entry->at, entry->size));
    return;
  }
  REQUIRE(holds(entry, moved, size));
  fill(entry, moved, size);
}

static void drop(struct entry *entry) {
  if (entry->at != NULL) {
    REQUIRE(holds(entry, entry->at, entry->size));
    arn_free(entry->at);
  }
  entry->at = NULL;
}

/* Every way to get memory and to give it back; tolerates every failure. */
static void scenario(arn_runtime *runtime) {
  static struct entry entries[COUNT];
  errno = 0;
  for (int i = 0; i < COUNT; i++) {
    size_t size = i < SIZES ? sizes[i] : sizes[i % (i < 40 ? 7 : 4)];
    keep(&entries[i], i % 4 == 0 ? arn_calloc(1, size) : arn_malloc(size), size);
  }
  drop(&entries[10]);
  keep(&entries[10], arn_aligned_alloc(1 << 21, 5000), 5000);
  drop(&entries[11]);
  keep(&entries[11], arn_aligned_alloc(4096, 100), 100);
  for (int i = 0; i < SIZES; i++) {
    resize(&entries[i], sizes[i] * 2);
    resize(&entries[SIZES - 1 - i], sizes[i] / 3 + 1);
  }
  arn_heap *heap;
  int error = arn_heap_create(runtime, &heap);
  if (error == 0) {
    for (int i = 0; i < 30; i++) {
      void *block = arn_heap_malloc(heap, sizes[i % 7]);
      if (got(block))
        support_fill(block, 10, 1);
    }
    arn_heap_destroy(heap);
  } else {
    REQUIRE(error == ENOMEM && plan.failed);
  }
  for (int i = 0; i < COUNT; i += 2)
    drop(&entries[i]);
  arn_trim(runtime, 0);
  support_check(runtime);
  for (int i = 0; i < COUNT; i += 2)
    keep(&entries[i], arn_malloc(sizes[i % 6]), sizes[i % 6]);
  for (int i = 0; i < COUNT; i++)
    drop(&entries[i]);
  arn_trim(runtime, 0);
  support_check(runtime);
  REQUIRE(support_stats(runtime).live_bytes == 0);
  REQUIRE(support_stats(runtime).huge_blocks == 0);
}

/* The child's life. Its status: 0 when the nth call was reached, 1 when it was not. */
static int live(arn_mode mode) {
  arn_config config = support_config(mode);
  config.purge_delay_ms = 0;
  arn_runtime *runtime = NULL;
  arn_os_hooks.before = fail_nth;
  int error = arn_runtime_create(&runtime, &config);
  REQUIRE(error == 0 || (error == ENOMEM && plan.failed));
  bool created = error == 0, attached = false;
  if (created) {
    error = arn_thread_attach(runtime);
    REQUIRE(error == 0 || (error == ENOMEM && plan.failed));
    attached = error == 0;
  }
  if (attached)
    scenario(runtime);
  bool failed = plan.failed;
  /* There is memory again: everything works. */
  arn_os_hooks.before = NULL;
  plan.failed = false;
  if (!created)
    REQUIRE(arn_runtime_create(&runtime, &config) == 0);
  if (!attached)
    REQUIRE(arn_thread_attach(runtime) == 0);
  scenario(runtime);
  /* Calls that fail at the end of a runtime hurt nobody either. */
  if (plan.onwards)
    arn_os_hooks.before = fail_nth;
  support_end(runtime);
  return failed ? 0 : 1;
}

static size_t run(arn_mode mode, bool onwards) {
  for (size_t n = 1;; n++) {
    /* Each of the first, then fewer: a failure far out is like the ones before it. */
    if (getenv("ARENITE_TEST_QUICK") != NULL && n > 40 && n % 3 != 0)
      continue;
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      alarm(60);
      plan = (struct plan){.nth = n, .onwards = onwards};
      _exit(live(mode));
    }
    int status;
    REQUIRE(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
      return n - 1;
    if (status != 0) {
      fprintf(stderr, "mode %d, call %zu fails%s: the child ended with %#x\n", (int)mode, n,
              onwards ? " and all after it" : "", (unsigned)status);
      exit(1);
    }
  }
}

int main(void) {
  for (int mode = 0; mode < 2; mode++)
    for (int onwards = 0; onwards < 2; onwards++) {
      size_t calls = run((arn_mode)mode, onwards);
      printf("mode %d: each of %zu calls failed%s\n", mode, calls, onwards ? " with the rest" : "");
      fflush(stdout);
      REQUIRE(calls > 5);
    }
  return 0;
}
