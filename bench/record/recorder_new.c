/* recorder_new.c - stands before C++'s operator new and delete.
 *
 * The ones of libstdc++ call malloc and would be seen without this; but an allocator that brings
 * its own calls its own inside, past the recorder. The names are those of the Itanium C++ ABI on
 * machines where size_t is unsigned long. A failed new is left to the next definition, which
 * throws. */
#include "record/recorder.h"

#include <stdlib.h>

typedef void *new_fn(size_t size);
typedef void *new_aligned_fn(size_t size, size_t alignment);

static void *new_block(size_t size, const char *name) {
  void *block = malloc(size ? size : 1);
  if (block)
    return block;
  new_fn *next = (new_fn *)recorder_next(name, NULL);
  return next ? next(size) : NULL;
}

static void *new_aligned(size_t size, size_t alignment, const char *name) {
  void *block;
  if (posix_memalign(&block, alignment, size ? size : 1) == 0)
    return block;
  new_aligned_fn *next = (new_aligned_fn *)recorder_next(name, NULL);
  return next ? next(size, alignment) : NULL;
}

#define NEW(name) /* operator new(size), operator new[](size) */                                   \
  RECORDER_EXPORT void *name(size_t size);                                                         \
  void *name(size_t size) {                                                                        \
    return new_block(size, #name);                                                                 \
  }
#define NEW_NOTHROW(name)                                                                          \
  RECORDER_EXPORT void *name(size_t size, const void *nothrow);                                    \
  void *name(size_t size, const void *nothrow) {                                                   \
    (void)nothrow;                                                                                 \
    return malloc(size ? size : 1);                                                                \
  }
#define NEW_ALIGNED(name)                                                                          \
  RECORDER_EXPORT void *name(size_t size, size_t alignment);                                       \
  void *name(size_t size, size_t alignment) {                                                      \
    return new_aligned(size, alignment, #name);                                                    \
  }
#define NEW_ALIGNED_NOTHROW(name)                                                                  \
  RECORDER_EXPORT void *name(size_t size, size_t alignment, const void *nothrow);                  \
  void *name(size_t size, size_t alignment, const void *nothrow) {                                 \
    (void)nothrow;                                                                                 \
    void *block;                                                                                   \
    return posix_memalign(&block, alignment, size ? size : 1) == 0 ? block : NULL;                 \
  }
/* What follows the block (its size, its alignment, nothrow) says nothing that the recorder needs.
 */
#define DELETE(name)                                                                               \
  RECORDER_EXPORT void name(void *block);                                                          \
  void name(void *block) {                                                                         \
    free(block);                                                                                   \
  }

NEW(_Znwm)
NEW(_Znam)
NEW_NOTHROW(_ZnwmRKSt9nothrow_t)
NEW_NOTHROW(_ZnamRKSt9nothrow_t)
NEW_ALIGNED(_ZnwmSt11align_val_t)
NEW_ALIGNED(_ZnamSt11align_val_t)
NEW_ALIGNED_NOTHROW(_ZnwmSt11align_val_tRKSt9nothrow_t)
NEW_ALIGNED_NOTHROW(_ZnamSt11align_val_tRKSt9nothrow_t)
DELETE(_ZdlPv)
DELETE(_ZdaPv)
DELETE(_ZdlPvm)
DELETE(_ZdaPvm)
DELETE(_ZdlPvRKSt9nothrow_t)
DELETE(_ZdaPvRKSt9nothrow_t)
DELETE(_ZdlPvSt11align_val_t)
DELETE(_ZdaPvSt11align_val_t)
DELETE(_ZdlPvmSt11align_val_t)
DELETE(_ZdaPvmSt11align_val_t)
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t)
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t)
