// timeout: 60
/* malloc_thread_ends.c - a thread's last moments: destructors of keys that allocate and free in every
 * round that there is, libc's own freeing after them, and threads whose very first malloc comes as
 * late as that. None of it may fail, lose a block, or leave a heap behind that nobody gets again.
 */
#include "served.h"

#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS, KEYS = 600, FEW = 16, SIZE = 1000 };

static pthread_key_t keys[KEYS], last_key;
static atomic_int destroyed;
static int threads_a_case;
/* The rounds to go; an address in here is the key's value, so that setting it allocates nothing. */
static char rounds[ROUNDS + 1];

static void run_threads(void *(*run)(void *), void *context, int count) {
  for (int i = 0; i < count; i++) {
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, run, context) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
  }
}

/* --- What was there before is there afterwards, and nothing else ----------------------------- */

static uint64_t live_before, heaps_before;
static bool failed;

static void begin(void) {
  malloc_trim(0);
  live_before = served_stats().live_bytes;
  heaps_before = served_stats().heaps;
}

/* slack: what libc may keep by itself. */
static void end(const char *what, uint64_t slack) {
  served_check();
  malloc_trim(0);
  arn_stats stats = served_stats();
  printf("%-36s live %+lld, heaps %llu\n", what, (long long)(stats.live_bytes - live_before),
         (unsigned long long)stats.heaps);
  fflush(stdout);
  if (stats.live_bytes > live_before + slack || stats.heaps > heaps_before + FEW) {
    fprintf(stderr, "%s: more live bytes than %llu, or more heaps than %llu\n", what,
            (unsigned long long)(live_before + slack), (unsigned long long)heaps_before + FEW);
    failed = true;
  }
}

/* --- All rounds ------------------------------------------------------------------------------ */

/* What the value of a key points to: a block whose size says in which round it was made. */
static size_t size_of(int round) {
  return (size_t)SIZE * (size_t)round * (size_t)round * (size_t)round;
}

struct value {
  pthread_key_t key;
  int round;
};

static void set(pthread_key_t key, int round) {
  struct value *value = round % 2 ? malloc(size_of(round)) : calloc(1, size_of(round));
  REQUIRE(value != NULL);
  support_fill(value, size_of(round), (uint64_t)round);
  *value = (struct value){key, round};
  REQUIRE(pthread_setspecific(key, value) == 0);
}

/* In every round, a block of the round before is resized and freed, and there is a new one. */
static void in_every_round(void *context) {
  struct value value = *(struct value *)context, *resized;
  /* Through what it was filled with, but for what stands in it. */
  struct value filled[1];
  support_fill(filled, sizeof filled, (uint64_t)value.round);
  memcpy(context, filled, sizeof filled);
  resized = realloc(context, size_of(value.round) + 100);
  REQUIRE(resized != NULL);
  REQUIRE(
      support_holds(resized, size_of(value.round), size_of(value.round), (uint64_t)value.round));
  free(resized);
  void *aligned = aligned_alloc(4096, 100000);
  REQUIRE(aligned != NULL && malloc_usable_size(aligned) >= 100000);
  free(aligned);
  atomic_fetch_add(&destroyed, 1);
  if (value.round < ROUNDS)
    set(value.key, value.round + 1);
}

static void *with_some_keys(void *context) {
  (void)context;
  for (int i = 0; i < 20; i++)
    set(keys[i], 1);
  return NULL;
}

/* Each block of 32 keys behind the first is memory that libc gets by calloc when the first of its
 * values is set, and frees behind all destructors. */
static void *with_all_keys(void *context) {
  (void)context;
  for (int i = KEYS; i > 0; i--)
    set(keys[i - 1], 1);
  return NULL;
}

/* The first call of malloc in the thread's life is that calloc, from inside of libc. */
static void *with_a_late_key(void *context) {
  (void)context;
  REQUIRE(pthread_setspecific(last_key, rounds) == 0);
  free(malloc(SIZE));
  return NULL;
}

/* --- First calls in late rounds -------------------------------------------------------------- */

static pthread_key_t late_key;

static void in_a_late_round(void *context) {
  char *left = context;
  if (left > rounds + 1) {
    REQUIRE(pthread_setspecific(late_key, left - 1) == 0);
    return;
  }
  void *block = malloc(SIZE);
  REQUIRE(block != NULL);
  free(block);
  atomic_fetch_add(&destroyed, 1);
}

static void *waits_for_a_late_round(void *context) {
  REQUIRE(pthread_setspecific(late_key, context) == 0);
  return NULL;
}

/* --- libc's own ------------------------------------------------------------------------------ */

/* Buffers that libc has for each thread, and frees when it ends. */
static void *uses_buffers_of_libc(void *context) {
  (void)context;
  REQUIRE(strlen(strerror(4711)) > 10);
  REQUIRE(dlsym(RTLD_DEFAULT, "no such function") == NULL && dlerror() != NULL);
  return NULL;
}

/* --- Blocks that come from and go to threads that are ending --------------------------------- */

static _Atomic(void *) handed_over;
static pthread_key_t hand_key;

static void hands_over(void *context) {
  char *left = context;
  void *block = malloc(SIZE);
  REQUIRE(block != NULL);
  support_fill(block, SIZE, 1);
  block = atomic_exchange(&handed_over, block);
  REQUIRE(!block || support_holds(block, SIZE, SIZE, 1));
  free(block);
  if (left > rounds + 1)
    REQUIRE(pthread_setspecific(hand_key, left - 1) == 0);
}

static void *hands_over_at_its_end(void *context) {
  free(malloc(SIZE));
  REQUIRE(pthread_setspecific(hand_key, context) == 0);
  return NULL;
}

static void all_at_once(void *(*run)(void *), void *context) {
  enum { CROWD = 8 };
  for (int round = 0; round < threads_a_case / CROWD; round++) {
    pthread_t threads[CROWD];
    for (int i = 0; i < CROWD; i++)
      REQUIRE(pthread_create(&threads[i], NULL, run, context) == 0);
    for (int i = 0; i < CROWD; i++)
      REQUIRE(pthread_join(threads[i], NULL) == 0);
  }
}

static void all_of_it(void) {
  enum { STACKS = 8192 }; /* libc keeps stacks of ended threads, and small blocks with them */
  begin();
  run_threads(with_some_keys, NULL, threads_a_case);
  REQUIRE(atomic_exchange(&destroyed, 0) == threads_a_case * 20 * ROUNDS);
  end("20 keys, every round", STACKS);

  begin();
  run_threads(with_all_keys, NULL, threads_a_case / 50);
  REQUIRE(atomic_exchange(&destroyed, 0) == threads_a_case / 50 * KEYS * ROUNDS);
  end("600 keys, every round", STACKS);

  begin();
  run_threads(with_a_late_key, NULL, threads_a_case);
  end("a key behind the first 32", STACKS);

  for (int round = 1; round < ROUNDS; round++) {
    char what[64];
    snprintf(what, sizeof what, "the first malloc in round %d", round);
    begin();
    run_threads(waits_for_a_late_round, rounds + round, threads_a_case);
    REQUIRE(atomic_exchange(&destroyed, 0) == threads_a_case);
    end(what, STACKS);
  }
  /* In the last round it works too, but nobody hears any more that such a thread has ended. */
  run_threads(waits_for_a_late_round, rounds + ROUNDS, 10);
  REQUIRE(atomic_exchange(&destroyed, 0) == 10);
  served_check();

  begin();
  run_threads(uses_buffers_of_libc, NULL, threads_a_case);
  end("libc's buffers", STACKS);

  for (int round = 1; round <= ROUNDS; round++) {
    begin();
    all_at_once(hands_over_at_its_end, rounds + round);
    free(atomic_exchange(&handed_over, NULL));
    end("blocks handed over at the end", STACKS);
  }
}

/* The two whose values are set before a thread's first malloc are among the first 32, for which every
 * thread has room; the last one is not. */
static void make_keys(void) {
  REQUIRE(pthread_key_create(&late_key, in_a_late_round) == 0);
  REQUIRE(pthread_key_create(&hand_key, hands_over) == 0);
  for (int i = 0; i < KEYS; i++)
    REQUIRE(pthread_key_create(&keys[i], in_every_round) == 0);
  REQUIRE(pthread_key_create(&last_key, NULL) == 0);
}

/* The library may have a key of its own, which is made before or behind those of the program. */
static bool in_a_process(bool malloc_first) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (malloc_first)
      free(malloc(SIZE));
    make_keys();
    printf("--- %s\n", malloc_first ? "malloc, then keys" : "keys, then malloc");
    all_of_it();
    exit(failed);
  }
  int status;
  REQUIRE(waitpid(child, &status, 0) == child);
  return status == 0;
}

int main(void) {
  threads_a_case = (int)support_scaled(1000);
  bool first = in_a_process(true), second = in_a_process(false);
  return first && second ? 0 : 1;
}
