/* meta.h - memory for heaps and other structures that other threads may reach late.
 *
 * It is never unmapped while the process lives, and what comes from one list only ever holds that
 * kind of structure again; so a push to the inbox of a heap that has a new owner, or none, is
 * harmless. Taken at attach and create, never by malloc or free; a lock guards it.
 */
#ifndef ARN_HEAP_META_H
#define ARN_HEAP_META_H

#include <stdbool.h>
#include <stddef.h>

typedef enum arn_meta_kind {
  ARN_META_HEAP,
  ARN_META_ARENAS,
  ARN_META_RUNTIME,
  ARN_META_THREAD,
  ARN_META_KINDS,
} arn_meta_kind;

/* size bytes, a cache line's alignment: fresh ones are zero, others are as they were given back
 * (their first word aside). NULL when out of memory. The same size for the same kind, always. */
void *arn_meta_take(arn_meta_kind kind, size_t size);
void arn_meta_give(arn_meta_kind kind, void *structure);

/* Bytes taken from the system. */
size_t arn_meta_bytes(void);

/* Around fork: the lock is taken before, and free after in both processes. */
void arn_meta_before_fork(void);
void arn_meta_after_fork(bool in_child);

#endif
