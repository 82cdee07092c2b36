/* orders_third.h - a user of the library apart from the program: in a library of its own, or not. */
#ifndef ORDERS_THIRD_H
#define ORDERS_THIRD_H

#include <arenite.h>

#define THIRD __attribute__((visibility("default")))

/* Verifies a block of `size` bytes, resizes it, frees it with arn_free, and returns another of that
 * size, from the family of functions with that number; NULL when anything was wrong. */
THIRD void *third_exchange(void *block, size_t size, unsigned family);
/* Attached to runtime: allocates, offers the GIL until *stop, and detaches. Whether all was well. */
THIRD int third_attach(arn_runtime *runtime, const _Atomic int *stop);
/* The file that its arn_malloc is in. */
THIRD const char *third_file(void);

typedef void *third_exchange_t(void *block, size_t size, unsigned family);
typedef int third_attach_t(arn_runtime *runtime, const _Atomic int *stop);
typedef const char *third_file_t(void);

#endif
