// timeout: 300
/* stress_parked.c - malloc and free are lock-free: a thread that stands still stops nobody.
 *
 * One thread allocates and frees without end. A signal parks it wherever it happens to be, inside
 * malloc or free more often than not. While it stands, the other threads must finish a fixed amount
 * of work, freeing its blocks too; then it goes on. Were there a lock on the way that it could
 * hold, the others would wait for ever sooner or later. (Under the thread sanitizer signals are
 * delivered late, at calls that the sanitizer knows: this test is for the other builds.)
 */
#include "support.h"

#include "slots.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 3, WORK = 100, PATIENCE_S = 30 };

static arn_runtime *runtime;
static size_t largest;
static uint64_t seed;
static atomic_bool end;
static atomic_size_t parks_inside; /* parked between entering and leaving an operation */
static volatile sig_atomic_t operating;
static int parked[2], released[2]; /* pipes: read and write may be called in a handler */
static sem_t begin_work, work_done, attached; /* attaching takes locks */

static void wait_for(sem_t *semaphore) {
  while (sem_wait(semaphore) != 0)
    REQUIRE(errno == EINTR);
}

static void park(int signal) {
  (void)signal;
  int kept = errno;
  char byte = (char)operating;
  REQUIRE(write(parked[1], &byte, 1) == 1);
  while (read(released[0], &byte, 1) != 1)
    ;
  errno = kept;
}

static void *stands_still(void *context) {
  (void)context;
  uint64_t random = seed;
  REQUIRE(arn_thread_attach(runtime) == 0);
  sem_post(&attached);
  while (!atomic_load_explicit(&end, memory_order_relaxed)) {
    operating = 1;
    /* Mostly small ones: the less it writes, the more of its time it is inside malloc and free. */
    slots_exchange(&random, support_below(&random, 16) ? 64 : largest);
    if (support_below(&random, 2000) == 0)
      arn_trim(runtime, 0);
    operating = 0;
  }
  arn_thread_detach();
  return NULL;
}

static void *works(void *context) {
  uint64_t random = seed + 1 + (uint64_t)(uintptr_t)context;
  REQUIRE(arn_thread_attach(runtime) == 0);
  sem_post(&attached);
  for (;;) {
    wait_for(&begin_work);
    if (atomic_load(&end))
      break;
    for (int i = 0; i < WORK; i++) {
      slots_exchange(&random, largest);
      arn_safepoint();
      if (support_below(&random, 500) == 0)
        arn_trim(runtime, 0);
    }
    sem_post(&work_done);
  }
  arn_thread_detach();
  return NULL;
}

static void wait_for_workers(size_t round) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += PATIENCE_S;
  for (int i = 0; i < WORKERS; i++)
    while (sem_timedwait(&work_done, &until) != 0)
      if (errno != EINTR) {
        fprintf(stderr, "round %zu: %d of %d threads wait for the parked one\n", round, WORKERS - i,
                WORKERS);
        support_fail(__FILE__, __LINE__, "the others to finish");
      }
}

static void run(size_t rounds, bool private_arenas, int purge_delay) {
  arn_config config = support_config(ARN_MODE_FREE_THREADED);
  config.private_arenas = private_arenas;
  config.purge_delay_ms = purge_delay;
  config.deferred_budget = 256 * 1024;
  atomic_store(&end, false);
  REQUIRE(arn_runtime_create(&runtime, &config) == 0);
  pthread_t still, workers[WORKERS];
  REQUIRE(pthread_create(&still, NULL, stands_still, NULL) == 0);
  for (int i = 0; i < WORKERS; i++)
    REQUIRE(pthread_create(&workers[i], NULL, works, (void *)(uintptr_t)i) == 0);
  for (int i = 0; i < 1 + WORKERS; i++)
    wait_for(&attached);
  uint64_t random = seed;
  char byte = 0;
  for (size_t round = 0; round < rounds; round++) {
    /* A random moment, with a resolution that scheduling gives. */
    for (size_t i = support_below(&random, 20000); i > 0; i--)
      atomic_signal_fence(memory_order_seq_cst);
    REQUIRE(pthread_kill(still, SIGUSR1) == 0);
    REQUIRE(read(parked[0], &byte, 1) == 1);
    atomic_fetch_add(&parks_inside, (size_t)byte);
    for (int i = 0; i < WORKERS; i++)
      sem_post(&begin_work);
    wait_for_workers(round);
    REQUIRE(write(released[1], &byte, 1) == 1);
  }
  atomic_store(&end, true);
  for (int i = 0; i < WORKERS; i++)
    sem_post(&begin_work);
  pthread_join(still, NULL);
  for (int i = 0; i < WORKERS; i++)
    pthread_join(workers[i], NULL);
  support_check(runtime);
  REQUIRE(arn_thread_attach(runtime) == 0);
  slots_drain(0, 1);
  arn_trim(runtime, 0);
  REQUIRE(support_stats(runtime).live_bytes == 0);
  support_end(runtime);
}

int main(void) {
  if (SUPPORT_THREAD_SANITIZER)
    return 77; /* skipped */
  seed = support_seed();
  /* classic passes what is larger to libc, whose malloc has locks of its own. */
  largest = support_is_classic() ? arn_geometry_get().small_limit / 2 : 1024 * 1024;
  REQUIRE(pipe(parked) == 0 && pipe(released) == 0);
  sem_init(&begin_work, 0, 0);
  sem_init(&work_done, 0, 0);
  sem_init(&attached, 0, 0);
  struct sigaction action = {.sa_handler = park, .sa_flags = SA_RESTART};
  REQUIRE(sigaction(SIGUSR1, &action, NULL) == 0);
  size_t rounds = support_scaled(3000);
  run(rounds, false, 0);
  run(rounds, false, 1);
  run(rounds, true, 1);
  printf("parked %zu times, %zu of them inside an operation\n", 3 * rounds,
         atomic_load(&parks_inside));
  REQUIRE(atomic_load(&parks_inside) > rounds / 2);
  return 0;
}
