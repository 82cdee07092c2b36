/* elsewhere.h - one heap in a process that has both libraries.
 *
 * libarenite.so and libarenite-malloc.so hold the same functions. When libarenite-malloc comes first
 * in the order of symbols, all calls reach its own; when libarenite does, they come here, and there
 * would be two heaps. So the copy in libarenite hands over: libarenite-malloc exports a table of its
 * functions (core/malloc/interface.c), which is found by a weak reference, when the libraries are
 * loaded.
 *
 * Functions that are called all the time ask nothing. In such a process this copy's heaps are never
 * made, so all its threads are strangers for ever, whose slow paths hand over (stranger.c); its
 * safepoint always has a request; its domains' tables lead to the other library (elsewhere.c,
 * domain.c). All other public functions begin with ARN_ELSEWHERE.
 */
#ifndef ARN_HEAP_ELSEWHERE_H
#define ARN_HEAP_ELSEWHERE_H

#include <arenite/config.h>
#include <arenite/domain.h>
#include <arenite/heap.h>
#include <arenite/inspect.h>
#include <arenite/stats.h>

#include "atomics.h"
#include "space.h"

struct arn_thread;

/* To be raised whenever the table or a structure of the public headers changes. */
#define ARN_INTERFACE_VERSION 1

/* Every public function. const */
typedef struct arn_interface {
  /* These two stay where they are in every version. */
  uint32_t version;
  const void *space; /* &arn_space of the library that it is in */

  /* arenite/heap.h */
  void *(*malloc)(size_t size);
  void *(*calloc)(size_t count, size_t size);
  void *(*zalloc)(size_t size);
  void *(*realloc)(void *block, size_t size);
  void *(*reallocarray)(void *block, size_t count, size_t size);
  void *(*aligned_alloc)(size_t alignment, size_t size);
  void (*free)(void *block);
  void (*free_sized)(void *block, size_t size);
  size_t (*usable_size)(const void *block);
  int (*heap_create)(arn_runtime *runtime, arn_heap **heap);
  void (*heap_destroy)(arn_heap *heap);
  void *(*heap_malloc)(arn_heap *heap, size_t size);
  void *(*heap_calloc)(arn_heap *heap, size_t count, size_t size);
  void *(*heap_realloc)(arn_heap *heap, void *block, size_t size);
  void *(*heap_aligned_alloc)(arn_heap *heap, size_t alignment, size_t size);
  void (*heap_free)(arn_heap *heap, void *block);
  size_t (*trim)(arn_runtime *runtime, size_t keep_bytes);
  size_t (*idle)(arn_runtime *runtime);

  /* arenite/config.h, arenite/runtime.h */
  int (*config_init)(arn_config *config);
  int (*runtime_create)(arn_runtime **runtime, const arn_config *config);
  void (*runtime_destroy)(arn_runtime *runtime);
  arn_mode (*runtime_mode)(const arn_runtime *runtime);
  int (*thread_attach)(arn_runtime *runtime);
  void (*thread_detach)(void);
  arn_runtime *(*runtime_current)(void);
  struct arn_thread *(*save_thread)(void);
  void (*restore_thread)(struct arn_thread *thread);
  void (*safepoint)(void);

  /* arenite/stats.h, arenite/inspect.h */
  int (*stats_get)(arn_runtime *runtime, arn_stats *stats);
  int (*stats_text)(arn_runtime *runtime, FILE *out);
  int (*stats_json)(arn_runtime *runtime, FILE *out);
  int (*heap_visit)(arn_runtime *runtime, arn_heap *heap, bool blocks,
                    int (*visitor)(const arn_visit *what, void *context), void *context);
  int (*check)(arn_runtime *runtime, char *message, size_t size);
  uint32_t (*class_count)(void);
  size_t (*class_size)(uint32_t size_class);
  arn_geometry (*geometry_get)(void);

  /* arenite/domain.h */
  int (*allocator_get)(arn_domain domain, arn_allocator *allocator);
  int (*allocator_set)(arn_domain domain, const arn_allocator *allocator);
  void *(*raw_malloc)(size_t size);
  void *(*raw_calloc)(size_t count, size_t size);
  void *(*raw_realloc)(void *block, size_t size);
  void (*raw_free)(void *block);
  void *(*mem_malloc)(size_t size);
  void *(*mem_calloc)(size_t count, size_t size);
  void *(*mem_realloc)(void *block, size_t size);
  void (*mem_free)(void *block);
  void *(*obj_malloc)(size_t size);
  void *(*obj_calloc)(size_t count, size_t size);
  void *(*obj_realloc)(void *block, size_t size);
  void (*obj_free)(void *block);
} arn_interface;

/* libarenite-malloc's, if the process has it; otherwise its address is NULL. const */
extern ARN_API const arn_interface arn_override_interface __attribute__((weak));

/* The table is of another version: ends the process; elsewhere.c. */
_Noreturn void arn_elsewhere_differs(const arn_interface *there) __attribute__((cold));

/* The functions to use instead of this library's; NULL: this library's own. */
static inline const arn_interface *arn_elsewhere(void) {
  const arn_interface *there = &arn_override_interface;
  if (likely(!there) || there->space == &arn_space)
    return NULL;
  if (unlikely(there->version != ARN_INTERFACE_VERSION))
    arn_elsewhere_differs(there);
  return there;
}

/* In a public function: returns what the other library's returns, if that is the one to use. */
#define ARN_ELSEWHERE(function, ...)                                                               \
  do {                                                                                             \
    const arn_interface *there = arn_elsewhere();                                                  \
    if (unlikely(there != NULL))                                                                   \
      return there->function(__VA_ARGS__);                                                         \
  } while (0)

/* Makes the domains' tables lead to the other library; domain.c. */
void arn_domains_hand_over(const arn_interface *there);

#endif
