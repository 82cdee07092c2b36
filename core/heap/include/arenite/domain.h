/* domain.h - CPython's three allocation domains, each behind a table that can be replaced.
 *
 * raw  may be used without the GIL and before any runtime exists: the system heap by default
 * mem  for buffers: the attached thread's heap by default
 * obj  for objects: the attached thread's heap by default
 *
 * The tables are for hooks and debugging, as CPython's PyMem_SetAllocator and PyMem_GetAllocator
 * are (PEP 445). A program that wants the shortest path calls arn_malloc, which no table stands
 * before.
 */
#ifndef ARENITE_DOMAIN_H
#define ARENITE_DOMAIN_H

#include <arenite/api.h>

ARN_BEGIN_DECLS

typedef enum arn_domain { ARN_DOMAIN_RAW = 0, ARN_DOMAIN_MEM = 1, ARN_DOMAIN_OBJ = 2 } arn_domain;

/* PyMemAllocatorEx. The functions follow malloc, calloc, realloc and free; the two that resize or
 * allocate return NULL with errno = ENOMEM. */
typedef struct arn_allocator {
  void *context;
  void *(*malloc)(void *context, size_t size);
  void *(*calloc)(void *context, size_t count, size_t size);
  void *(*realloc)(void *context, void *block, size_t size);
  void (*free)(void *context, void *block);
} arn_allocator;

/* Copies the domain's table to *allocator. Any thread. 0, or EINVAL for an unknown domain. */
ARN_API int arn_allocator_get(arn_domain domain, arn_allocator *allocator);

/* Replaces the domain's table by a copy of *allocator (NULL: the default one). To be called while
 * no other thread allocates from the domain, best before the first runtime; blocks from the old
 * table must not reach the new one unless it passes them on. 0; EINVAL for an unknown domain or a
 * table with a NULL function. */
ARN_API int arn_allocator_set(arn_domain domain, const arn_allocator *allocator);

ARN_API void *arn_raw_malloc(size_t size) ARN_ATTR_MALLOC ARN_ATTR_SIZE(1);
ARN_API void *arn_raw_calloc(size_t count, size_t size) ARN_ATTR_MALLOC ARN_ATTR_SIZE2(1, 2);
ARN_API void *arn_raw_realloc(void *block, size_t size) __attribute__((warn_unused_result));
ARN_API void arn_raw_free(void *block);

ARN_API void *arn_mem_malloc(size_t size) ARN_ATTR_MALLOC ARN_ATTR_SIZE(1);
ARN_API void *arn_mem_calloc(size_t count, size_t size) ARN_ATTR_MALLOC ARN_ATTR_SIZE2(1, 2);
ARN_API void *arn_mem_realloc(void *block, size_t size) __attribute__((warn_unused_result));
ARN_API void arn_mem_free(void *block);

ARN_API void *arn_obj_malloc(size_t size) ARN_ATTR_MALLOC ARN_ATTR_SIZE(1);
ARN_API void *arn_obj_calloc(size_t count, size_t size) ARN_ATTR_MALLOC ARN_ATTR_SIZE2(1, 2);
ARN_API void *arn_obj_realloc(void *block, size_t size) __attribute__((warn_unused_result));
ARN_API void arn_obj_free(void *block);

ARN_END_DECLS
#endif
