/* api.h - what every public header needs: linkage, visibility, attributes, the version. */
#ifndef ARENITE_API_H
#define ARENITE_API_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define ARN_BEGIN_DECLS extern "C" {
#define ARN_END_DECLS }
#else
#define ARN_BEGIN_DECLS
#define ARN_END_DECLS
#endif

#define ARN_API __attribute__((visibility("default")))
#define ARN_ATTR_MALLOC __attribute__((malloc, warn_unused_result))
#define ARN_ATTR_SIZE(n) __attribute__((alloc_size(n)))
#define ARN_ATTR_SIZE2(n, m) __attribute__((alloc_size(n, m)))

#define ARN_VERSION_MAJOR 0
#define ARN_VERSION_MINOR 1
#define ARN_VERSION_PATCH 0

/* One world: a mode, its heaps, its threads, its GIL. Opaque; see arenite/runtime.h. */
typedef struct arn_runtime arn_runtime;

/* A set of pools with one owner at a time. Opaque; see arenite/heap.h. */
typedef struct arn_heap arn_heap;

#endif
