/* orders.c - a program that uses malloc's names and the library's own crosswise, in a process that has
 * both libraries in one order or another. However they are found, there is one heap.
 *
 * orders_third.c is linked with it, or in a library, or (with -DLATE) in one that it loads by the name
 * in THIRD. Prints the files in which the program's arn_malloc and the third's are.
 */
#define _GNU_SOURCE
#include <arenite.h>
#include <arenite/malloc.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "orders_third.h"

#define REQUIRE(condition)                                                                         \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "orders.c:%d: expected %s\n", __LINE__, #condition);                         \
      abort();                                                                                     \
    }                                                                                              \
  } while (0)

#define MIB ((size_t)1 << 20)

static third_exchange_t *exchange;
static third_attach_t *attach;
static third_file_t *file;
static arn_runtime *served; /* the runtime behind malloc */

static void find(void) {
#ifdef STATIC
  served = arn_malloc_runtime();
#else
  arn_runtime *(*get)(void) = (arn_runtime * (*)(void)) dlsym(RTLD_DEFAULT, "arn_malloc_runtime");
  REQUIRE(get);
  served = get();
#endif
#ifdef LATE
  void *third = dlopen(getenv("THIRD"), RTLD_NOW | RTLD_LOCAL);
  REQUIRE(third);
  exchange = (third_exchange_t *)dlsym(third, "third_exchange");
  attach = (third_attach_t *)dlsym(third, "third_attach");
  file = (third_file_t *)dlsym(third, "third_file");
  REQUIRE(exchange && attach && file);
#else
  exchange = third_exchange;
  attach = third_attach;
  file = third_file;
#endif
  REQUIRE(served);
}

static arn_stats stats(arn_runtime *runtime) {
  static arn_stats s; /* of the main thread */
  REQUIRE(arn_stats_get(runtime, &s) == 0);
  return s;
}

/* --- Blocks ---------------------------------------------------------------------------------- */

static const size_t sizes[] = {1, 16, 100, 513, 5000, 40000, 300001, 1100000, 40 * MIB};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void everywhere(void) {
  for (unsigned i = 0; i < SIZES; i++)
    for (unsigned family = 0; family < 7; family++) {
      char *block = exchange(arn_zalloc(sizes[i]), sizes[i], family);
      REQUIRE(block);
      memset(block, 1, sizes[i]);
      block = arn_reallocarray(realloc(block, sizes[i] + 5), 1, sizes[i] + 9);
      REQUIRE(block && block[sizes[i] - 1] == 1);
      block = exchange(block, sizes[i], family + 1);
      REQUIRE(block);
      if (family % 2)
        free(block);
      else
        arn_free(block);
    }
  arn_free(malloc(10));
  free(arn_malloc(0));
  arn_free(NULL);
  char *zeros = arn_calloc(3, 100000);
  REQUIRE(zeros && zeros[0] == 0 && zeros[299999] == 0 && arn_usable_size(zeros) >= 300000);
  free(zeros);
  volatile size_t all = (size_t)-1;
  errno = 0;
  REQUIRE(!arn_malloc(all) && errno == ENOMEM);
  REQUIRE(!arn_calloc(all, 2) && errno == ENOMEM);
  REQUIRE(!arn_aligned_alloc(3, 1) && errno == EINVAL);
  void *page = arn_aligned_alloc(1 << 16, 10);
  REQUIRE(page && (uintptr_t)page % (1 << 16) == 0);
  free(page);
}

enum { THREADS = 5, SLOTS = 64, ROUNDS = 20000 };
static _Atomic(void *) slots[SLOTS]; /* blocks of at least 24 bytes */

static void *swap_blocks(void *context) {
  uint64_t random = (uintptr_t)context * 0x9e3779b97f4a7c15u + 1;
  for (unsigned i = 0; i < ROUNDS; i++) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    size_t size = 24 + (random >> 33) % (i % 64 ? 600 : 60000);
    void *fresh = exchange(NULL, size, (unsigned)(random >> 40));
    REQUIRE(fresh);
    memset(fresh, 2, size);
    void *old = atomic_exchange(&slots[(random >> 50) % SLOTS], fresh);
    if (i % 2)
      free(old);
    else
      arn_free(old);
  }
  return NULL;
}

static void threads(void) {
  pthread_t thread[THREADS];
  for (uintptr_t i = 0; i < THREADS; i++)
    REQUIRE(pthread_create(&thread[i], NULL, swap_blocks, (void *)i) == 0);
  for (unsigned i = 0; i < THREADS; i++)
    REQUIRE(pthread_join(thread[i], NULL) == 0);
  for (unsigned i = 0; i < SLOTS; i++)
    arn_free(atomic_exchange(&slots[i], NULL));
}

/* --- Looking --------------------------------------------------------------------------------- */

static int look(const arn_visit *what, void *context) {
  const void *block = context;
  return (what->kind == ARN_VISIT_LARGE || what->kind == ARN_VISIT_BLOCK) &&
         what->address == block && what->in_use;
}

static bool sees(arn_runtime *runtime, arn_heap *only, void *block) {
  return arn_heap_visit(runtime, only, true, look, block) == 1;
}

static void no_defect(arn_runtime *runtime) {
  char message[300] = "";
  if (arn_check(runtime, message, sizeof message)) {
    fprintf(stderr, "orders.c: arn_check: %s\n", message);
    abort();
  }
}

/* What either user allocates is where malloc's blocks are. */
static void one_account(void) {
  REQUIRE(!arn_runtime_current());
  bool gil = strcmp(getenv("ARENITE_MODE"), "gil") == 0;
  arn_config config;
  REQUIRE(arn_config_init(&config) == 0);
  REQUIRE(config.mode == (gil ? ARN_MODE_GIL : ARN_MODE_FREE_THREADED));
  REQUIRE(arn_runtime_mode(served) == config.mode);
  arn_trim(served, 0); /* what lies in a heap's bins may count as live, and leave them meanwhile */
  uint64_t before = stats(served).live_bytes;
  void *mine = arn_malloc(MIB), *theirs = exchange(NULL, MIB, 1), *libcs = malloc(MIB);
  REQUIRE(stats(served).live_bytes == before + 3 * MIB);
  REQUIRE(sees(served, NULL, mine) && sees(served, NULL, theirs) && sees(served, NULL, libcs));
  uint64_t purges = stats(served).purges;
  arn_free(libcs);
  free(theirs);
  free(mine);
  REQUIRE(stats(served).live_bytes == before);
  void *small = arn_malloc(48);
  REQUIRE(sees(served, NULL, small));
  arn_free(small);
  arn_trim(served, 0); /* what is left of it: an idle thread's malloc gives back as well */
  REQUIRE(stats(served).purges > purges);
  arn_idle(served);
  no_defect(served);

  FILE *out = fopen("/dev/null", "w");
  REQUIRE(out && arn_stats_text(served, out) == 0 && arn_stats_json(served, out) == 0);
  fclose(out);
  REQUIRE(arn_class_size(0) == arn_geometry_get().step && arn_class_size(arn_class_count()) == 0);
}

/* Only one reservation is as large as that: half of ARENITE_RESERVE=64G. */
static void one_space(void) {
  FILE *maps = fopen("/proc/self/maps", "r");
  REQUIRE(maps);
  char line[512];
  unsigned found = 0;
  while (fgets(line, sizeof line, maps)) {
    unsigned long from, to;
    char rights[8];
    if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3 && strcmp(rights, "---p") == 0)
      found += to - from >= 32 * 1024 * MIB;
  }
  fclose(maps);
  REQUIRE(found == 1);
}

/* --- Runtimes of the program's own ----------------------------------------------------------- */

static void *third_session(void *context) {
  static _Atomic int at_once = 1;
  REQUIRE(attach(context, &at_once));
  return NULL;
}

/* Spins until somebody else has had its turn: with a GIL, a safepoint has to let him. */
static _Atomic int had_a_turn;
static void *take_a_turn(void *context) {
  REQUIRE(arn_thread_attach(context) == 0);
  had_a_turn = 1;
  return NULL; /* the end of the thread detaches it */
}

static void session(arn_runtime *runtime) {
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, third_session, runtime) == 0);
  REQUIRE(pthread_join(thread, NULL) == 0);
  had_a_turn = 0;
  REQUIRE(pthread_create(&thread, NULL, take_a_turn, runtime) == 0);
  REQUIRE(attach(runtime, &had_a_turn));
  REQUIRE(pthread_join(thread, NULL) == 0);

  REQUIRE(arn_thread_attach(runtime) == 0 && arn_thread_attach(runtime) == EBUSY);
  void *block = arn_malloc(MIB), *small = arn_malloc(100);
  REQUIRE(block && sees(runtime, NULL, block) && !sees(served, NULL, block));
  REQUIRE(sees(runtime, NULL, small));
  arn_thread *away = arn_save_thread();
  REQUIRE(!arn_runtime_current());
  void *meanwhile = arn_malloc(MIB);
  REQUIRE(sees(served, NULL, meanwhile) && !sees(runtime, NULL, meanwhile));
  free(block);
  arn_free(small);
  arn_restore_thread(away);
  REQUIRE(arn_runtime_current() == runtime);
  arn_free(meanwhile);
  arn_free(memset(arn_malloc(MIB), 1, MIB));
  size_t bytes = 0;
  for (unsigned i = 0; i < 1000 && bytes == 0; i++, usleep(1000))
    bytes = arn_idle(runtime);
  REQUIRE(bytes > 0);
  no_defect(runtime);
  pid_t child = fork();
  if (child == 0) {
    arn_free(arn_malloc(1000));
    free(malloc(1000));
    arn_thread_detach();
    arn_free(arn_malloc(1000));
    _exit(0);
  }
  int status;
  REQUIRE(child > 0 && waitpid(child, &status, 0) == child && status == 0);
  arn_thread_detach();
}

static void heaps(arn_runtime *runtime) {
  arn_heap *heap;
  REQUIRE(arn_heap_create(runtime, &heap) == 0);
  char *block = arn_heap_malloc(heap, 100), *other = arn_heap_calloc(heap, 10, 1000);
  void *third = arn_heap_aligned_alloc(heap, 4096, 5000);
  REQUIRE(block && other && third && sees(runtime, heap, block) && sees(runtime, heap, third));
  block = arn_heap_realloc(heap, block, 3000);
  REQUIRE(block && sees(runtime, heap, block) && !sees(runtime, heap, other + 1));
  arn_heap_free(heap, block);
  free(other);
  arn_free(third);
  REQUIRE(arn_heap_malloc(heap, MIB));
  arn_heap_destroy(heap);
}

static void runtimes(void) {
  for (int mode = 0; mode < 2; mode++) {
    arn_config config;
    arn_config_init(&config);
    config.mode = mode ? ARN_MODE_GIL : ARN_MODE_FREE_THREADED;
    config.purge_delay_ms = 1;
    arn_runtime *runtime;
    REQUIRE(arn_runtime_create(&runtime, &config) == 0);
    REQUIRE(arn_runtime_mode(runtime) == config.mode && stats(runtime).mode == config.mode);
    session(runtime);
    heaps(runtime);
    arn_runtime_destroy(runtime);
  }
  heaps(served);
}

/* --- Domains --------------------------------------------------------------------------------- */

static unsigned counted;

static void *counting_realloc(void *context, void *block, size_t size) {
  counted++;
  arn_allocator *original = context;
  return original->realloc(original->context, block, size);
}

/* The table is one for all users, whoever set it. */
static void domains(void) {
  free(arn_raw_malloc(100));
  arn_raw_free(arn_raw_realloc(malloc(10), 1000));
  arn_allocator original, mine;
  REQUIRE(arn_allocator_get(ARN_DOMAIN_OBJ, &original) == 0);
  mine = original;
  mine.context = &original;
  mine.realloc = counting_realloc;
  REQUIRE(arn_allocator_set(ARN_DOMAIN_OBJ, &mine) == 0);
  arn_free(exchange(NULL, 100, 5));
  arn_free(arn_obj_realloc(NULL, 100));
  REQUIRE(counted == 2);
  REQUIRE(arn_allocator_set(ARN_DOMAIN_OBJ, NULL) == 0);
  arn_obj_free(exchange(NULL, 100, 5));
  REQUIRE(counted == 2);
  arn_mem_free(arn_mem_calloc(2, 50));
  REQUIRE(arn_allocator_set((arn_domain)3, NULL) == EINVAL);
}

/* Without their folders. */
static void print_files(void) {
  const char *mine = "/static";
#ifndef STATIC
  Dl_info info;
  REQUIRE(dladdr((void *)(uintptr_t)arn_malloc, &info));
  mine = info.dli_fname;
#endif
  printf("%s %s\n", strrchr(mine, '/') + 1, strrchr(file(), '/') + 1);
}

int main(void) {
  arn_free(arn_malloc(1)); /* before anything else */
  find();
  everywhere();
  one_account();
  domains();
  runtimes();
  threads();
  one_account();
  one_space();
  print_files();
}
