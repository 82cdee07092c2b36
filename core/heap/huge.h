/* huge.h - blocks with a mapping of their own, outside the address space of the arenas.
 *
 * They grow with mremap(2), which moves pages and copies nothing, and go back to the system at
 * once. A table by address says what they are. It is fixed in size, as the number of mappings that
 * Linux lets a process have is (vm.max_map_count, 65,530), and lock-free: a slot's key goes
 *
 *   EMPTY or GONE --CAS--> BUSY --release--> address --CAS--> GONE
 *
 * Who frees removes the key first and unmaps then, because the system may give the address to
 * somebody else at once.
 */
#ifndef ARN_HEAP_HUGE_H
#define ARN_HEAP_HUGE_H

#include "heap.h"

/* size bytes at a multiple of align, zero; NULL with errno when out of memory. */
void *arn_huge_alloc(arn_arenas *set, size_t size, size_t align);

/* Frees block if it is a huge one. */
bool arn_huge_free(void *block);

/* Its size in bytes, or 0. */
size_t arn_huge_size(const void *block);

/* Resizes a huge block; NULL when the system cannot (the block is as it was). */
void *arn_huge_resize(void *block, size_t size);

/* Calls visitor for each huge block of the group until it returns other than 0, which is returned.
 */
int arn_huge_each(const arn_group *group, int (*visitor)(void *block, size_t size, void *context),
                  void *context);

/* Counts the bytes of the group's huge blocks anew, in the child of a fork. */
size_t arn_huge_count(const arn_group *group);

/* Frees all huge blocks that heaps with this set of arenas allocated. */
void arn_huge_free_all(const arn_arenas *set);

#endif
