/* geometry.h - the sizes that everything else is derived from.
 *
 * An arena is 64 pools in every profile, so that one 64-bit word says which of them are taken and
 * one compare-and-swap takes a run of them. The profile is chosen when the library is configured:
 *
 *   classic  the textbook's: 8-byte step, 4 KiB pools, 256 KiB arenas, CPython's order of blocks
 *   modern   today's CPython's sizes, the faster order (the default)
 *   wide     for large servers
 */
#ifndef ARN_HEAP_GEOMETRY_H
#define ARN_HEAP_GEOMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(ARENITE_GEOMETRY_CLASSIC)
#define ARN_GEOMETRY_NAME "classic"
#define ARN_TEXTBOOK 1
#define ARN_STEP_SHIFT 3
#define ARN_POOL_SHIFT 12
#define ARN_SMALL_DEFAULT 512
#elif defined(ARENITE_GEOMETRY_WIDE)
#define ARN_GEOMETRY_NAME "wide"
#define ARN_TEXTBOOK 0
#define ARN_STEP_SHIFT 4
#define ARN_POOL_SHIFT 16
#define ARN_SMALL_DEFAULT 1024
#else
#define ARN_GEOMETRY_NAME "modern"
#define ARN_TEXTBOOK 0
#define ARN_STEP_SHIFT 4
#define ARN_POOL_SHIFT 14
#define ARN_SMALL_DEFAULT 512
#endif

#ifdef ARENITE_SMALL_LIMIT
#define ARN_SMALL_LIMIT ((size_t)ARENITE_SMALL_LIMIT)
#else
#define ARN_SMALL_LIMIT ((size_t)ARN_SMALL_DEFAULT)
#endif

#define ARN_STEP ((size_t)1 << ARN_STEP_SHIFT)
#define ARN_POOL_SIZE ((size_t)1 << ARN_POOL_SHIFT)
#define ARN_POOLS_PER_ARENA 64
#define ARN_ARENA_SHIFT (ARN_POOL_SHIFT + 6)
#define ARN_ARENA_SIZE ((size_t)1 << ARN_ARENA_SHIFT)

#define ARN_LOG2(n) ((uint32_t)(63 - __builtin_clzll((unsigned long long)(n))))

/* Classes 1 .. ARN_SMALL_CLASSES are the multiples of the step; class 0 is malloc(0)'s alias of
 * class 1 and has no pools. Above the small limit there are 8 classes per doubling up to 1 KiB,
 * then 16 up to the medium limit: sizes just above a power of two (a page and its header) are
 * common, and with 8 a tenth of their memory was rounding. Classic has none of these, as CPython.
 */
#define ARN_SMALL_CLASSES ((uint32_t)(ARN_SMALL_LIMIT >> ARN_STEP_SHIFT))
#define ARN_COARSE_SHIFT 3
#define ARN_FINE_SHIFT 4
#if ARN_TEXTBOOK
#define ARN_FINE_LIMIT ARN_SMALL_LIMIT
#define ARN_MEDIUM_LIMIT ARN_SMALL_LIMIT
#else
#define ARN_FINE_LIMIT ((size_t)1 << 10)
#define ARN_MEDIUM_LIMIT ((size_t)32 << 10)
#endif
#define ARN_COARSE_CLASSES                                                                         \
  ((ARN_LOG2(ARN_FINE_LIMIT) - ARN_LOG2(ARN_SMALL_LIMIT)) << ARN_COARSE_SHIFT)
#define ARN_FINE_CLASSES ((ARN_LOG2(ARN_MEDIUM_LIMIT) - ARN_LOG2(ARN_FINE_LIMIT)) << ARN_FINE_SHIFT)
#define ARN_CLASSES (1 + ARN_SMALL_CLASSES + ARN_COARSE_CLASSES + ARN_FINE_CLASSES)

/* A heap's bin of a class holds at most so many bytes, and blocks (bin.h). With 64 KiB, random sizes
 * up to 16 KiB take 1.2 times as long. Bins of blocks above ARN_BIN_LARGE begin with less: they are what
 * a thread that waits keeps to itself (docs/results.md, bins). Those that are often too long and empty
 * in turns get more. */
#define ARN_BIN_BYTES ((uint32_t)128 << 10)
#define ARN_BIN_TURNING_BYTES ((uint32_t)512 << 10)
#define ARN_BIN_LARGE 4096
#define ARN_BIN_LARGE_BYTES ((uint32_t)32 << 10)
#define ARN_BIN_BLOCKS 1024

/* Blocks of other heaps from this size on go into a heap's own bins when they are freed. Two lines of
 * the cache, because processors fetch them in pairs: smaller ones would share theirs with blocks that
 * the other thread writes. Chosen; 16, 128 and 512 were told apart by no row on a busy machine. */
#define ARN_FOREIGN_LEAST 128

/* A pool of a medium class spans as many slots as hold two blocks; a power of two. With 4 blocks, threads
 * that wait (the row `blocked`) keep a fifth more memory to themselves. Of blocks of a page and a header, or
 * of some pages and a header, programs have many, so in pools of these no more than an eighth may be over
 * at the end: without that, sqlite3 takes 8 % more and redis 6 %; for all medium classes, `blocked` a tenth
 * more. */
#define ARN_POOL_MIN_BLOCKS 2
#define ARN_POOL_DENSE_LIMIT 5120
#define ARN_POOL_DENSE_WASTE 8
#define ARN_POOL_MAX_SLOTS                                                                         \
  (ARN_MEDIUM_LIMIT * ARN_POOL_MIN_BLOCKS <= ARN_POOL_SIZE                                         \
       ? 2                                                                                         \
       : 2 * ARN_MEDIUM_LIMIT * ARN_POOL_MIN_BLOCKS / ARN_POOL_SIZE)

/* Spans of whole slots up to a whole arena; then runs of arenas; above this, mappings of their own,
 * which grow with mremap and go back at once: 32 MiB is where glibc's dynamic threshold ends too.
 */
#define ARN_SPAN_LIMIT ARN_ARENA_SIZE
#define ARN_RUN_LIMIT ((size_t)32 << 20)

/* Purged pages of a pool are marked in one 64-bit word, for system pages of 4 KiB and more. */
_Static_assert(ARN_POOL_MAX_SLOTS *ARN_POOL_SIZE <= 64 * 4096, "a pool has at most 64 pages");
_Static_assert((ARN_SMALL_LIMIT & (ARN_SMALL_LIMIT - 1)) == 0, "the small limit is a power of two");
_Static_assert(ARN_SMALL_LIMIT >= 128 && ARN_SMALL_LIMIT * 8 <= ARN_POOL_SIZE, "small limit");
_Static_assert(ARN_CLASSES - 1 <= 160, "class numbers fit the statistics");

/* How full an arena is, in steps; hints are kept per step (arena.c). The textbook's order is exact:
 * one step per number of free pools. Otherwise seven steps share a cache line with the dirty bits.
 */
#if ARN_TEXTBOOK
#define ARN_FULLNESS_STEPS 64
#else
#define ARN_FULLNESS_STEPS 7
#endif

#endif
