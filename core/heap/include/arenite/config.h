/* config.h - what a runtime can be told when it is created.
 *
 * arn_config_init fills in the defaults and then what the environment asks for; what the program
 * sets after that wins. Settings from the environment are ignored in a process that runs with
 * raised privileges (AT_SECURE, see getauxval(3)).
 *
 *   variable                  field               default   unit
 *   ARENITE_MODE              mode                free-threaded   "gil" or "free-threaded"
 *   ARENITE_LIMIT             limit_bytes         0 (none)  bytes; K, M, G, T may follow; or "cgroup":
 *                                                 the limit of the process's control group, less a part
 *   ARENITE_PURGE_DELAY_MS    purge_delay_ms      200       milliseconds; -1 never, 0 at once
 *   ARENITE_SWITCH_INTERVAL   switch_interval_us  5000      microseconds
 *   ARENITE_DEFERRED_BUDGET   deferred_budget     64M       bytes; K, M, G, T may follow
 *   ARENITE_RESERVE           (the process)       1T        bytes of address space, read once
 *   ARENITE_ARENAS            private_arenas      shared    "shared" or "private"
 *   ARENITE_HUGE_PAGES        (the process)       off       "off" or "on", read once
 */
#ifndef ARENITE_CONFIG_H
#define ARENITE_CONFIG_H

#include <arenite/api.h>
#include <stdbool.h>

ARN_BEGIN_DECLS

/* Who owns the heap (docs/modes.md). */
typedef enum arn_mode {
  ARN_MODE_FREE_THREADED = 0, /* every attached thread owns a heap */
  ARN_MODE_GIL = 1,           /* one heap, owned by the thread that holds the lock */
} arn_mode;

/* Where the memory behind arenas comes from; the counterpart of CPython's
 * PyObject_SetArenaAllocator. Arenite chooses the addresses, inside the range that it reserved (a
 * block's address says which pool it is in), and asks the source to put memory there:
 *
 *   commit    makes [at, at + size) readable, writable and zero; 0, or an errno value (ENOMEM)
 *   decommit  gives the memory back: nothing is read or written there before the next commit
 *   purge     gives the pages back but keeps the range usable: it reads as zero afterwards
 *
 * size is a multiple of the system's page size. Any attached thread may call them, several at
 * once; they must not allocate from Arenite. All three, or none: then mmap(2) and madvise(2). */
typedef struct arn_arena_source {
  void *context;
  int (*commit)(void *context, void *at, size_t size);
  void (*decommit)(void *context, void *at, size_t size);
  void (*purge)(void *context, void *at, size_t size);
} arn_arena_source;

typedef struct arn_config {
  arn_mode mode;
  size_t limit_bytes;          /* arenas and huge blocks together; 0: no limit */
  int32_t purge_delay_ms;      /* free pages go back after this; 0: at once; -1: never by itself */
  uint32_t switch_interval_us; /* a thread that waits this long asks for the GIL */
  size_t deferred_budget;      /* blocks freed by other threads that may wait for their owner */
  bool private_arenas;         /* each thread's heap takes whole arenas for itself */
  arn_arena_source source;
} arn_config;

/* Fills *config with the defaults, then with the environment. Returns 0; or EINVAL when a variable
 * does not parse: one sentence on standard error names it, and its default stays. Any thread. */
ARN_API int arn_config_init(arn_config *config);

ARN_END_DECLS
#endif
