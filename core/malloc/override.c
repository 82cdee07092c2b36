/* override.c - malloc, free and their kin, as the process's own.
 *
 * The journeys are those of core/heap/journeys.h, compiled under libc's names. What differs from
 * arn_malloc and its kin is what malloc(3), posix_memalign(3) and malloc_usable_size(3) say:
 * realloc to 0 bytes frees, posix_memalign returns its error and leaves errno alone.
 *
 * Any thread calls any of them, in any state, also between fork and exec and past its own end.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"
#include "journeys.h"
#include "os.h"

#define EXPORT __attribute__((visibility("default")))
#define ALIAS(of) EXPORT __attribute__((alias(#of)))

/* Declared here, because libc's headers attach attributes to them that do not go with definitions. */
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void *reallocarray(void *block, size_t count, size_t size);
void free(void *block);
void *aligned_alloc(size_t alignment, size_t size);
void *valloc(size_t size);

ARN_BRING_HOST

EXPORT void *malloc(size_t size) {
  return arn_journey_out(arn_self, size);
}

EXPORT void free(void *block) {
  arn_journey_back(arn_self, block, "free");
}

EXPORT void *calloc(size_t count, size_t size) {
  return arn_calloc_from(arn_self, count, size);
}

static inline void *resize(void *block, size_t size, const char *function) {
  if (unlikely(size == 0 && block)) {
    arn_journey_back(arn_self, block, function);
    return NULL;
  }
  return arn_realloc_from(arn_self, block, size, function);
}

EXPORT void *realloc(void *block, size_t size) {
  return resize(block, size, "realloc");
}

EXPORT void *reallocarray(void *block, size_t count, size_t size) {
  size_t bytes;
  if (unlikely(__builtin_mul_overflow(count, size, &bytes))) {
    errno = ENOMEM;
    return NULL;
  }
  return resize(block, bytes, "reallocarray");
}

/* --- Aligned --------------------------------------------------------------------------------- */

EXPORT void *aligned_alloc(size_t alignment, size_t size) {
  return arn_aligned_from(arn_self, alignment, size);
}

void *memalign(size_t alignment, size_t size) ALIAS(aligned_alloc);

EXPORT int posix_memalign(void **block, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
    return EINVAL;
  int before = errno;
  void *got = arn_aligned_from(arn_self, alignment, size);
  errno = before;
  if (!got)
    return ENOMEM;
  *block = got;
  return 0;
}

EXPORT void *valloc(size_t size) {
  return arn_aligned_from(arn_self, arn_os_page, size);
}

EXPORT void *pvalloc(size_t size) {
  size_t pages;
  if (unlikely(__builtin_add_overflow(size, arn_os_page - 1, &pages))) {
    errno = ENOMEM;
    return NULL;
  }
  pages &= ~(arn_os_page - 1);
  return arn_aligned_from(arn_self, arn_os_page, pages ? pages : arn_os_page);
}

/* --- With sizes, and under older names ------------------------------------------------------- */

EXPORT void free_sized(void *block, size_t size) {
  (void)size; /* the descriptor is needed all the same */
  arn_journey_back(arn_self, block, "free_sized");
}

EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size) {
  (void)alignment, (void)size;
  arn_journey_back(arn_self, block, "free_aligned_sized");
}

void cfree(void *block) ALIAS(free);

EXPORT size_t malloc_usable_size(void *block) {
  return arn_usable_size_of(block, "malloc_usable_size");
}

/* glibc's own names for them, which some programs call to reach past an override. */
void *__libc_malloc(size_t size) ALIAS(malloc);
void *__libc_calloc(size_t count, size_t size) ALIAS(calloc);
void *__libc_realloc(void *block, size_t size) ALIAS(realloc);
void __libc_free(void *block) ALIAS(free);
void *__libc_memalign(size_t alignment, size_t size) ALIAS(aligned_alloc);
void *__libc_valloc(size_t size) ALIAS(valloc);
void *__libc_pvalloc(size_t size) ALIAS(pvalloc);
int __posix_memalign(void **block, size_t alignment, size_t size) ALIAS(posix_memalign);
