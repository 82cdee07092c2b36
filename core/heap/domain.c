/* domain.c - the raw, mem and obj domains and their tables; see arenite/domain.h. */
#include <arenite/domain.h>
#include <arenite/heap.h>
#include <errno.h>
#include <stdlib.h>

#include "elsewhere.h"

static void *raw_malloc(void *context, size_t size) {
  (void)context;
  return malloc(size ? size : 1);
}
static void *raw_calloc(void *context, size_t count, size_t size) {
  (void)context;
  return count && size ? calloc(count, size) : calloc(1, 1);
}
static void *raw_realloc(void *context, void *block, size_t size) {
  (void)context;
  return realloc(block, size ? size : 1);
}
static void raw_free(void *context, void *block) {
  (void)context;
  free(block);
}
static void *heap_malloc(void *context, size_t size) {
  (void)context;
  return arn_malloc(size);
}
static void *heap_calloc(void *context, size_t count, size_t size) {
  (void)context;
  return arn_calloc(count, size);
}
static void *heap_realloc(void *context, void *block, size_t size) {
  (void)context;
  return arn_realloc(block, size);
}
static void heap_free(void *context, void *block) {
  (void)context;
  arn_free(block);
}

#define DOMAINS 3
static const arn_allocator defaults[DOMAINS] = {
    [ARN_DOMAIN_RAW] = {NULL, raw_malloc, raw_calloc, raw_realloc, raw_free},
    [ARN_DOMAIN_MEM] = {NULL, heap_malloc, heap_calloc, heap_realloc, heap_free},
    [ARN_DOMAIN_OBJ] = {NULL, heap_malloc, heap_calloc, heap_realloc, heap_free},
};

/* Replaced while nobody allocates from the domain: the caller of arn_allocator_set sees to it. */
static arn_allocator tables[DOMAINS] = {
    [ARN_DOMAIN_RAW] = {NULL, raw_malloc, raw_calloc, raw_realloc, raw_free},
    [ARN_DOMAIN_MEM] = {NULL, heap_malloc, heap_calloc, heap_realloc, heap_free},
    [ARN_DOMAIN_OBJ] = {NULL, heap_malloc, heap_calloc, heap_realloc, heap_free},
};

int arn_allocator_get(arn_domain domain, arn_allocator *allocator) {
  ARN_ELSEWHERE(allocator_get, domain, allocator);
  if ((unsigned)domain >= DOMAINS)
    return EINVAL;
  *allocator = tables[domain];
  return 0;
}

int arn_allocator_set(arn_domain domain, const arn_allocator *allocator) {
  ARN_ELSEWHERE(allocator_set, domain, allocator);
  if ((unsigned)domain >= DOMAINS)
    return EINVAL;
  if (!allocator)
    allocator = &defaults[domain];
  if (!allocator->malloc || !allocator->calloc || !allocator->realloc || !allocator->free)
    return EINVAL;
  tables[domain] = *allocator;
  return 0;
}

#define DEFINE_DOMAIN(name, number)                                                                \
  void *arn_##name##_malloc(size_t size) {                                                         \
    return tables[number].malloc(tables[number].context, size);                                    \
  }                                                                                                \
  void *arn_##name##_calloc(size_t count, size_t size) {                                           \
    return tables[number].calloc(tables[number].context, count, size);                             \
  }                                                                                                \
  void *arn_##name##_realloc(void *block, size_t size) {                                           \
    return tables[number].realloc(tables[number].context, block, size);                            \
  }                                                                                                \
  void arn_##name##_free(void *block) {                                                            \
    tables[number].free(tables[number].context, block);                                            \
  }

DEFINE_DOMAIN(raw, ARN_DOMAIN_RAW)
DEFINE_DOMAIN(mem, ARN_DOMAIN_MEM)
DEFINE_DOMAIN(obj, ARN_DOMAIN_OBJ)

/* --- Of the other library, when that one is to be used (elsewhere.h) ------------------------- */

#define DEFINE_THERE(name)                                                                         \
  static void *name##_malloc_there(void *there, size_t size) {                                     \
    return ((const arn_interface *)there)->name##_malloc(size);                                    \
  }                                                                                                \
  static void *name##_calloc_there(void *there, size_t count, size_t size) {                       \
    return ((const arn_interface *)there)->name##_calloc(count, size);                             \
  }                                                                                                \
  static void *name##_realloc_there(void *there, void *block, size_t size) {                       \
    return ((const arn_interface *)there)->name##_realloc(block, size);                            \
  }                                                                                                \
  static void name##_free_there(void *there, void *block) {                                        \
    ((const arn_interface *)there)->name##_free(block);                                            \
  }

DEFINE_THERE(raw)
DEFINE_THERE(mem)
DEFINE_THERE(obj)

#define TABLE_THERE(name)                                                                          \
  (arn_allocator) {                                                                                \
    (void *)there, name##_malloc_there, name##_calloc_there, name##_realloc_there,                 \
        name##_free_there                                                                          \
  }

void arn_domains_hand_over(const arn_interface *there) {
  tables[ARN_DOMAIN_RAW] = TABLE_THERE(raw);
  tables[ARN_DOMAIN_MEM] = TABLE_THERE(mem);
  tables[ARN_DOMAIN_OBJ] = TABLE_THERE(obj);
}
