/* operators.c - C++'s operators new and delete, by their mangled names (Itanium C++ ABI, 5.1.5).
 *
 * Beside malloc, so that a C++ program does not pay for a call of operator new and then one of
 * malloc through the linkage table. In C, because the library needs no C++ runtime: what of it is
 * needed when memory has run out (the new handler, std::bad_alloc) is looked up then, in the
 * runtime that the program has. Compiled with -fexceptions: bad_alloc passes through these frames.
 */
#include <dlfcn.h>
#include <errno.h>

#include "journeys.h"
#include "panic.h"

#define EXPORT __attribute__((visibility("default")))

/* --- Out of memory --------------------------------------------------------------------------- */

/* A function of the C++ runtime, libstdc++ or libc++; NULL when the process has none. */
static void *of_runtime(const char *name, const char *other_name) {
  static const char *const runtimes[] = {NULL, "libstdc++.so.6", "libc++.so.1", "libc++abi.so.1"};
  for (size_t i = 0; i < sizeof runtimes / sizeof *runtimes; i++) {
    void *runtime = dlopen(runtimes[i], RTLD_LAZY | RTLD_NOLOAD);
    if (!runtime)
      continue;
    void *found = dlsym(runtime, name);
    if (!found)
      found = dlsym(runtime, other_name);
    dlclose(runtime);
    if (found)
      return found;
  }
  return NULL;
}

/* What std::get_new_handler returns, or NULL. */
static void (*new_handler(void))(void) {
  void (*(*get)(void))(void) =
      (void (*(*)(void))(void))of_runtime("_ZSt15get_new_handlerv", "_ZSt15get_new_handlerv");
  return get ? get() : NULL;
}

static _Noreturn void throw_bad_alloc(size_t size) {
  void (*throw)(void) =
      (void (*)(void))of_runtime("_ZSt17__throw_bad_allocv", "_ZNSt3__117__throw_bad_allocEv");
  if (throw)
    throw();
  arn_panic("operator new: no memory for %zu bytes, and no C++ runtime to throw bad_alloc", size);
}

/* As [new.delete.single] says: the new handler may find memory, throw, or end the process. */
static __attribute__((noinline, cold)) void *again(size_t size, size_t align, bool nothrow) {
  for (;;) {
    void (*handler)(void) = new_handler();
    if (!handler) {
      if (nothrow)
        return NULL;
      throw_bad_alloc(size);
    }
    handler();
    void *block = arn_aligned_from(arn_self, align, size);
    if (block)
      return block;
  }
}

/* --- The operators --------------------------------------------------------------------------- */

static inline __attribute__((always_inline)) void *make(size_t size, bool nothrow) {
  void *block = arn_journey_out(arn_self, size);
  return likely(block != NULL) ? block : again(size, ARN_STEP, nothrow);
}

static inline void *make_aligned(size_t size, size_t align, bool nothrow) {
  void *block = arn_aligned_from(arn_self, align, size);
  return likely(block != NULL) ? block : again(size, align, nothrow);
}

/* operator new(size_t), operator new[](size_t), and their nothrow forms */
EXPORT void *_Znwm(size_t size) {
  return make(size, false);
}
EXPORT void *_Znam(size_t size) {
  return make(size, false);
}
EXPORT void *_ZnwmRKSt9nothrow_t(size_t size, const void *nothrow) {
  (void)nothrow;
  return make(size, true);
}
EXPORT void *_ZnamRKSt9nothrow_t(size_t size, const void *nothrow) {
  (void)nothrow;
  return make(size, true);
}

/* with std::align_val_t */
EXPORT void *_ZnwmSt11align_val_t(size_t size, size_t align) {
  return make_aligned(size, align, false);
}
EXPORT void *_ZnamSt11align_val_t(size_t size, size_t align) {
  return make_aligned(size, align, false);
}
EXPORT void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, size_t align, const void *nothrow) {
  (void)nothrow;
  return make_aligned(size, align, true);
}
EXPORT void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size, size_t align, const void *nothrow) {
  (void)nothrow;
  return make_aligned(size, align, true);
}

/* operator delete and operator delete[]: what a caller knows beyond the address is not needed. */
#define DELETE(name, function, ...)                                                                \
  EXPORT void name(void *block, ##__VA_ARGS__) {                                                   \
    arn_journey_back(arn_self, block, function);                                                   \
  }
#pragma GCC diagnostic ignored "-Wunused-parameter"
DELETE(_ZdlPv, "operator delete")
DELETE(_ZdaPv, "operator delete[]")
DELETE(_ZdlPvm, "operator delete", size_t size)
DELETE(_ZdaPvm, "operator delete[]", size_t size)
DELETE(_ZdlPvRKSt9nothrow_t, "operator delete", const void *nothrow)
DELETE(_ZdaPvRKSt9nothrow_t, "operator delete[]", const void *nothrow)
DELETE(_ZdlPvSt11align_val_t, "operator delete", size_t align)
DELETE(_ZdaPvSt11align_val_t, "operator delete[]", size_t align)
DELETE(_ZdlPvmSt11align_val_t, "operator delete", size_t size, size_t align)
DELETE(_ZdaPvmSt11align_val_t, "operator delete[]", size_t size, size_t align)
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, "operator delete", size_t align, const void *nothrow)
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, "operator delete[]", size_t align, const void *nothrow)
