/* host.h - the runtime behind the process's malloc, and how threads get into it.
 *
 * Made at the first call. Free-threaded, a thread becomes a guest at its first call (a heap of its
 * own until it ends: threading/thread.c). After its end it may still be called (other destructors,
 * libc's own cleaning up): then it borrows an orphaned heap for each malloc, and frees into the
 * owner's inbox. With a GIL nobody is attached: each call takes the GIL and uses the one heap.
 */
#ifndef ARN_MALLOC_HOST_H
#define ARN_MALLOC_HOST_H

#include <arenite/malloc.h>

/* The same runtime, or NULL when nothing has been allocated yet. */
arn_runtime *arn_malloc_runtime_made(void);

/* What arn_host_of_strangers is in this library. */
extern const struct arn_host arn_process_host;

/* In a file of the override: from a static library, its object brings this one along, and malloc. */
#define ARN_BRING_HOST                                                                             \
  static const void *const host_and_malloc[]                                                       \
      __attribute__((used)) = {&arn_process_host, (const void *)malloc};
void *malloc(size_t size);

#endif
