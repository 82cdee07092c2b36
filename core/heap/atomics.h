/* atomics.h - C11 atomics with the memory order in the name.
 *
 * Plain assignment to an _Atomic object is sequentially consistent and does not show; these names
 * do. Where an acquire or a release is used, the comment beside it names its partner.
 */
#ifndef ARN_HEAP_ATOMICS_H
#define ARN_HEAP_ATOMICS_H

#include <stdatomic.h>

#define load_relaxed(p) atomic_load_explicit((p), memory_order_relaxed)
#define load_acquire(p) atomic_load_explicit((p), memory_order_acquire)
#define load_seq_cst(p) atomic_load_explicit((p), memory_order_seq_cst)
#define store_relaxed(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define store_release(p, v) atomic_store_explicit((p), (v), memory_order_release)
#define store_seq_cst(p, v) atomic_store_explicit((p), (v), memory_order_seq_cst)
#define add_relaxed(p, v) atomic_fetch_add_explicit((p), (v), memory_order_relaxed)
#define sub_relaxed(p, v) atomic_fetch_sub_explicit((p), (v), memory_order_relaxed)
#define sub_release(p, v) atomic_fetch_sub_explicit((p), (v), memory_order_release)
#define add_seq_cst(p, v) atomic_fetch_add_explicit((p), (v), memory_order_seq_cst)
#define or_seq_cst(p, v) atomic_fetch_or_explicit((p), (v), memory_order_seq_cst)
#define and_seq_cst(p, v) atomic_fetch_and_explicit((p), (v), memory_order_seq_cst)
#define or_relaxed(p, v) atomic_fetch_or_explicit((p), (v), memory_order_relaxed)
#define and_relaxed(p, v) atomic_fetch_and_explicit((p), (v), memory_order_relaxed)
#define exchange_acquire(p, v) atomic_exchange_explicit((p), (v), memory_order_acquire)
#define exchange_acq_rel(p, v) atomic_exchange_explicit((p), (v), memory_order_acq_rel)
#define cas_seq_cst(p, expected, v)                                                                \
  atomic_compare_exchange_strong_explicit((p), (expected), (v), memory_order_seq_cst,              \
                                          memory_order_relaxed)
#define cas_acq_rel(p, expected, v)                                                                \
  atomic_compare_exchange_strong_explicit((p), (expected), (v), memory_order_acq_rel,              \
                                          memory_order_relaxed)
#define cas_relaxed(p, expected, v)                                                                \
  atomic_compare_exchange_weak_explicit((p), (expected), (v), memory_order_relaxed,                \
                                        memory_order_relaxed)
#define cas_release(p, expected, v)                                                                \
  atomic_compare_exchange_weak_explicit((p), (expected), (v), memory_order_release,                \
                                        memory_order_relaxed)

/* A counter with one writer that others may read: no locked instruction. */
#define bump(p, v) store_relaxed((p), load_relaxed(p) + (v))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#endif
