/* malloc.h - the process's malloc, when libarenite-malloc serves it.
 *
 * malloc, free and their kin, operator new and delete are then Arenite's, and every thread is let in
 * at its first call. arn_malloc and malloc share one heap: either's blocks may be freed by the
 * other's functions. This header is for programs that link libarenite-malloc; a program that it is
 * preloaded into needs nothing.
 *
 *   variable             default   meaning
 *   ARENITE_MODE         free-threaded   "gil": one heap behind a GIL, taken for every call
 *   ARENITE_LIMIT        none      bytes; or "cgroup": the limit of the process's control group
 *   ARENITE_BACKGROUND   off       "on": a thread of ours calls arn_idle now and then
 *   ARENITE_STATS        none      "text" or "json", then perhaps ":FILE", %p being the process's
 *                                  number: written when the process ends through exit(3)
 *
 * and those of arenite/config.h.
 */
#ifndef ARENITE_MALLOC_H
#define ARENITE_MALLOC_H

#include <arenite/api.h>

ARN_BEGIN_DECLS

/* The runtime that serves malloc, for arn_stats_get, arn_idle, arn_trim, arn_check. NULL when it
 * could not be made (out of memory). It lives as long as the process. Any thread. */
ARN_API arn_runtime *arn_malloc_runtime(void);

ARN_END_DECLS
#endif
