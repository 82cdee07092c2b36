/* orders_third.c - see orders_third.h. */
#define _GNU_SOURCE
#include "orders_third.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

void *third_exchange(void *block, size_t size, unsigned family) {
  if (block && arn_usable_size(block) < size)
    return NULL;
  block = arn_realloc(block, size + 3000);
  if (!block || arn_usable_size(block) < size + 3000)
    return NULL;
  arn_free(block);
  switch (family % 7) {
  case 0:
    return malloc(size);
  case 1:
    return arn_malloc(size);
  case 2:
    return arn_calloc(1, size);
  case 3:
    return arn_aligned_alloc(64, size);
  case 4:
    return arn_mem_malloc(size);
  case 5:
    return arn_obj_realloc(NULL, size);
  default:
    return arn_reallocarray(NULL, 1, size);
  }
}

int third_attach(arn_runtime *runtime, const _Atomic int *stop) {
  if (arn_thread_attach(runtime) || arn_runtime_current() != runtime)
    return 0;
  void *block = arn_malloc(100);
  while (stop && !*stop)
    arn_safepoint();
  arn_free_sized(block, 100);
  arn_thread_detach();
  return block && !arn_runtime_current();
}

const char *third_file(void) {
#ifdef STATIC
  return "/static";
#else
  Dl_info info;
  void *(*function)(size_t) = arn_malloc;
  void *address;
  memcpy(&address, &function, sizeof address);
  return dladdr(address, &info) ? info.dli_fname : "/nothing";
#endif
}
