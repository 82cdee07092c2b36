/* os.h - every call to the operating system that concerns memory.
 *
 * One small interface, so that a test can make the nth of them fail. Functions that get memory
 * return 0 or an errno value and have changed nothing when they fail. Functions that give memory
 * back return whether the system took it; when it did not, the caller keeps counting it.
 */
#ifndef ARN_HEAP_OS_H
#define ARN_HEAP_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Test hook: called before each call with its name; a non-zero errno value makes it fail. const
 * while threads run. */
extern struct arn_os_hooks {
  int (*before)(void *context, const char *call);
  void *context;
} arn_os_hooks;

/* Reads the page size and the overcommit policy. Once, before the others. */
void arn_os_start(void);
extern size_t arn_os_page; /* bytes; const after start */
extern bool arn_os_strict; /* overcommit_memory is 2; const after start */

int arn_os_reserve(void **at, size_t size); /* PROT_NONE, counted by nobody */
int arn_os_commit(void *at, size_t size);   /* of a reservation: readable, writable */
bool arn_os_decommit(void *at, size_t size, bool huge_pages); /* back to reserved, pages gone */
bool arn_os_guard(void *at, size_t size);                     /* inaccessible, */
bool arn_os_unguard(void *at, size_t size); /* and as before; not to be refused by a test */
bool arn_os_purge(void *at, size_t size);   /* pages gone, still committed, reads as 0 */
int arn_os_map(void **at, size_t size);     /* fresh, readable, writable, zero */
bool arn_os_unmap(void *at, size_t size);
int arn_os_remap(void **at, size_t old_size, size_t new_size); /* mremap(2), may move */

/* Moves pages within a reservation, both ends committed; what was at to is gone, and from reads as 0
 * (mremap(2), MREMAP_DONTUNMAP: Linux 5.7). 0, or an error (EFAULT: from is several mappings; EINVAL: it is
 * locked) and then from is as before. The kernel then has one
 * mapping more on either side of to, until arn_os_decommit. */
int arn_os_move(void *from, void *to, size_t size);
void arn_os_huge_pages(void *at, size_t size, bool on); /* advice; failure does not matter */

/* Whether a thread of this process, by its number (gettid(2)), is on no processor at this moment: its clock
 * (pthread_getcpuclockid(3)) stands still. So it waits for something, or for a processor. Two system calls; not
 * a cancellation point. (proc(5) would say which of the two, but a process that opened a file of its own there
 * may take its parent, or whoever waits for it, seconds to reap: Linux 6.18 goes through what it keeps of the
 * names, again and again, while another processor does so too.) */
bool arn_os_off_cpu(int thread);

/* Milliseconds of a clock that only rises; a few nanoseconds a call, some milliseconds coarse. */
uint64_t arn_os_milliseconds(void);

/* The same clock, exact. */
uint64_t arn_os_nanoseconds(void);

#endif
