/* cgroup.h - how much memory the control group of this process lets a heap have.
 *
 * A container that passes its limit is killed; a malloc that knows the limit returns NULL. This is
 * for ARENITE_LIMIT=cgroup.
 */
#ifndef ARN_HEAP_CGROUP_H
#define ARN_HEAP_CGROUP_H

#include <stddef.h>

/* The smallest limit among the process's group and those above it, in version 2 or 1 of control
 * groups, less what is not the heap's; 0 when there is none, or none can be read. Only reads files,
 * below root ("" but in tests), and takes some KiB of stack: the process's first malloc may be
 * running. Keeps errno. */
size_t arn_cgroup_limit(const char *root);

/* What of a limit is the heap's. */
size_t arn_cgroup_heap_part(size_t limit);

#endif
