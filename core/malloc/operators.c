/* operators.c - C++'s operators new and delete, by their mangled names (Itanium C++ ABI, 5.1.5).
 *
 * Beside malloc, so that a C++ program does not pay for a call of operator new and then one of
 * malloc through the linkage table. In C, because the library needs no C++ runtime: what of it is
 * needed when memory has run out (the new handler, std::bad_alloc) is looked up then, in the
 * runtime that the program has. Compiled with -fexceptions: bad_alloc passes through these frames.
 *
 * A program may replace some of them ([replacement.functions]); the others then call those, as
 * [new.delete] says: operator delete(p, size) calls operator delete(p), and so on down to the four
 * that stand at the end (here: the basic ones). Whether a basic one is still ours is one comparison.
 * All are weak, so that a program that is linked with the static library can define its own.
 */
#include <dlfcn.h>
#include <errno.h>

#include "host.h"
#include "journeys.h"
#include "panic.h"

#define EXPORT __attribute__((visibility("default"), weak))

ARN_BRING_HOST

/* --- Out of memory --------------------------------------------------------------------------- */

/* What the C++ runtime has, when it was there at link or load time. */
extern void _ZSt17__throw_bad_allocv(void) __attribute__((weak));
extern void (*_ZSt15get_new_handlerv(void))(void) __attribute__((weak));
/* Not there in a static program that does not use them itself. */
extern void *dlopen(const char *, int) __attribute__((weak));
extern void *dlsym(void *, const char *) __attribute__((weak));
extern int dlclose(void *) __attribute__((weak));

/* A function of a C++ runtime that was loaded later, libstdc++ or libc++; NULL when there is none. */
static void *of_runtime(const char *name, const char *other_name) {
  static const char *const runtimes[] = {"libstdc++.so.6", "libc++.so.1", "libc++abi.so.1"};
  void *found = NULL;
  for (size_t i = 0; i < sizeof runtimes / sizeof *runtimes && dlopen && dlsym && !found; i++) {
    void *runtime = dlopen(runtimes[i], RTLD_LAZY | RTLD_NOLOAD);
    if (!runtime)
      continue;
    found = dlsym(runtime, name);
    if (!found)
      found = dlsym(runtime, other_name);
    if (dlclose)
      dlclose(runtime);
  }
  return found;
}

/* What std::get_new_handler returns, or NULL. */
static void (*new_handler(void))(void) {
  void (*(*get)(void))(void) = _ZSt15get_new_handlerv;
  if (!get)
    get = (void (*(*)(void))(void))of_runtime("_ZSt15get_new_handlerv", "_ZSt15get_new_handlerv");
  return get ? get() : NULL;
}

static _Noreturn void throw_bad_alloc(size_t size) {
  void (*throw)(void) = _ZSt17__throw_bad_allocv;
  if (!throw)
    throw =
        (void (*)(void))of_runtime("_ZSt17__throw_bad_allocv", "_ZNSt3__117__throw_bad_allocEv");
  if (throw)
    throw();
  arn_panic("operator new: no memory for %zu bytes, and no C++ runtime to throw bad_alloc", size);
}

/* As [new.delete.single] says: the new handler may find memory, throw, or end the process. */
static __attribute__((noinline, cold)) void *again(size_t size, size_t align) {
  for (;;) {
    void (*handler)(void) = new_handler();
    if (!handler)
      throw_bad_alloc(size);
    handler();
    void *block = arn_aligned_from(arn_self, align, size);
    if (block)
      return block;
  }
}

/* The nothrow forms return NULL where the others throw. To catch is for the C++ runtime to do: its
 * own nothrow form calls ours that throws. Without it nothing can be thrown. */
static __attribute__((noinline, cold)) void *
nothrow_again(const char *name, size_t size, size_t align, bool aligned, const void *nothrow) {
  void *next = of_runtime(name, name);
  if (!next && dlsym)
    next = dlsym(RTLD_NEXT, name);
  if (!next) {
    errno = ENOMEM;
    return NULL;
  }
  return aligned ? ((void *(*)(size_t, size_t, const void *))next)(size, align, nothrow)
                 : ((void *(*)(size_t, const void *))next)(size, nothrow);
}

/* --- The basic ones -------------------------------------------------------------------------- */

#define OWN(function) static __typeof__(function) own_##function __attribute__((alias(#function)))

static inline __attribute__((always_inline)) void *make(size_t size) {
  void *block = arn_journey_out(arn_self, size);
  return likely(block != NULL) ? block : again(size, ARN_STEP);
}

static inline void *make_aligned(size_t size, size_t align) {
  void *block = arn_aligned_from(arn_self, align, size);
  return likely(block != NULL) ? block : again(size, align);
}

/* operator new(size_t), operator new(size_t, std::align_val_t) */
EXPORT void *_Znwm(size_t size) {
  return make(size);
}
EXPORT void *_ZnwmSt11align_val_t(size_t size, size_t align) {
  return make_aligned(size, align);
}
/* operator delete(void *), operator delete(void *, std::align_val_t) */
EXPORT void _ZdlPv(void *block) {
  arn_journey_back(arn_self, block, "operator delete");
}
EXPORT void _ZdlPvSt11align_val_t(void *block, size_t align) {
  (void)align;
  arn_journey_back(arn_self, block, "operator delete");
}

/* The same functions by names that nobody replaces. */
OWN(_Znwm);
OWN(_ZnwmSt11align_val_t);
OWN(_ZdlPv);
OWN(_ZdlPvSt11align_val_t);

/* Whether the program's operator of that name is ours. */
#define OURS(function) likely(function == own_##function)

/* --- The others ------------------------------------------------------------------------------ */

/* operator new[](size_t), with std::align_val_t too */
EXPORT void *_Znam(size_t size) {
  return OURS(_Znwm) ? make(size) : _Znwm(size);
}
EXPORT void *_ZnamSt11align_val_t(size_t size, size_t align) {
  return OURS(_ZnwmSt11align_val_t) ? make_aligned(size, align) : _ZnwmSt11align_val_t(size, align);
}
OWN(_Znam);
OWN(_ZnamSt11align_val_t);

/* The nothrow forms of the four */
#define NOTHROW(name, throwing, basic)                                                             \
  EXPORT void *name(size_t size, const void *nothrow) {                                            \
    void *block = NULL;                                                                            \
    if (OURS(throwing) && OURS(basic))                                                             \
      block = arn_journey_out(arn_self, size);                                                     \
    return likely(block != NULL) ? block : nothrow_again(#name, size, 0, false, nothrow);          \
  }
#define NOTHROW_ALIGNED(name, throwing, basic)                                                     \
  EXPORT void *name(size_t size, size_t align, const void *nothrow) {                              \
    void *block = NULL;                                                                            \
    if (OURS(throwing) && OURS(basic))                                                             \
      block = arn_aligned_from(arn_self, align, size);                                             \
    return likely(block != NULL) ? block : nothrow_again(#name, size, align, true, nothrow);       \
  }
NOTHROW(_ZnwmRKSt9nothrow_t, _Znwm, _Znwm)
NOTHROW(_ZnamRKSt9nothrow_t, _Znam, _Znwm)
NOTHROW_ALIGNED(_ZnwmSt11align_val_tRKSt9nothrow_t, _ZnwmSt11align_val_t, _ZnwmSt11align_val_t)
NOTHROW_ALIGNED(_ZnamSt11align_val_tRKSt9nothrow_t, _ZnamSt11align_val_t, _ZnwmSt11align_val_t)

/* operator delete[](void *), with std::align_val_t too */
EXPORT void _ZdaPv(void *block) {
  if (OURS(_ZdlPv))
    arn_journey_back(arn_self, block, "operator delete[]");
  else
    _ZdlPv(block);
}
EXPORT void _ZdaPvSt11align_val_t(void *block, size_t align) {
  if (OURS(_ZdlPvSt11align_val_t))
    arn_journey_back(arn_self, block, "operator delete[]");
  else
    _ZdlPvSt11align_val_t(block, align);
}
OWN(_ZdaPv);
OWN(_ZdaPvSt11align_val_t);

/* With a size, or after a constructor that threw: what the caller knows beyond the address (and the
 * alignment) is not needed. */
#define DELETE(name, simpler, basic, extra)                                                        \
  EXPORT void name(void *block, extra) {                                                           \
    if (OURS(simpler) && OURS(basic))                                                              \
      arn_journey_back(arn_self, block, "operator delete");                                        \
    else                                                                                           \
      simpler(block);                                                                              \
  }
#define DELETE_ALIGNED(name, simpler, basic, ...)                                                  \
  EXPORT void name(void *block, __VA_ARGS__) {                                                     \
    if (OURS(simpler) && OURS(basic))                                                              \
      arn_journey_back(arn_self, block, "operator delete");                                        \
    else                                                                                           \
      simpler(block, align);                                                                       \
  }
#pragma GCC diagnostic ignored "-Wunused-parameter"
DELETE(_ZdlPvm, _ZdlPv, _ZdlPv, size_t size)
DELETE(_ZdaPvm, _ZdaPv, _ZdlPv, size_t size)
DELETE(_ZdlPvRKSt9nothrow_t, _ZdlPv, _ZdlPv, const void *nothrow)
DELETE(_ZdaPvRKSt9nothrow_t, _ZdaPv, _ZdlPv, const void *nothrow)
DELETE_ALIGNED(_ZdlPvmSt11align_val_t, _ZdlPvSt11align_val_t, _ZdlPvSt11align_val_t, size_t size,
               size_t align)
DELETE_ALIGNED(_ZdaPvmSt11align_val_t, _ZdaPvSt11align_val_t, _ZdlPvSt11align_val_t, size_t size,
               size_t align)
DELETE_ALIGNED(_ZdlPvSt11align_val_tRKSt9nothrow_t, _ZdlPvSt11align_val_t, _ZdlPvSt11align_val_t,
               size_t align, const void *nothrow)
DELETE_ALIGNED(_ZdaPvSt11align_val_tRKSt9nothrow_t, _ZdaPvSt11align_val_t, _ZdlPvSt11align_val_t,
               size_t align, const void *nothrow)
