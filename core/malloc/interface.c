/* interface.c - the table of this library's functions, for a copy of libarenite in the same process;
 * see core/heap/elsewhere.h. */
#include <arenite/runtime.h>

#include "elsewhere.h"

#define OURS(name) .name = arn_##name

const arn_interface arn_override_interface = {
    .version = ARN_INTERFACE_VERSION,
    .space = &arn_space,

    OURS(malloc),
    OURS(calloc),
    OURS(zalloc),
    OURS(realloc),
    OURS(reallocarray),
    OURS(aligned_alloc),
    OURS(free),
    OURS(free_sized),
    OURS(usable_size),
    OURS(heap_create),
    OURS(heap_destroy),
    OURS(heap_malloc),
    OURS(heap_calloc),
    OURS(heap_realloc),
    OURS(heap_aligned_alloc),
    OURS(heap_free),
    OURS(trim),
    OURS(idle),

    OURS(config_init),
    OURS(runtime_create),
    OURS(runtime_destroy),
    OURS(runtime_mode),
    OURS(thread_attach),
    OURS(thread_detach),
    OURS(runtime_current),
    OURS(save_thread),
    OURS(restore_thread),
    OURS(safepoint),

    OURS(stats_get),
    OURS(stats_text),
    OURS(stats_json),
    OURS(heap_visit),
    OURS(check),
    OURS(class_count),
    OURS(class_size),
    OURS(geometry_get),

    OURS(allocator_get),
    OURS(allocator_set),
    OURS(raw_malloc),
    OURS(raw_calloc),
    OURS(raw_realloc),
    OURS(raw_free),
    OURS(mem_malloc),
    OURS(mem_calloc),
    OURS(mem_realloc),
    OURS(mem_free),
    OURS(obj_malloc),
    OURS(obj_calloc),
    OURS(obj_realloc),
    OURS(obj_free),
};
