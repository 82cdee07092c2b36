/* hardened.h - whether this is the hardened build (-DARENITE_HARDENED=ON).
 *
 * It finds misuse that the normal build cannot afford to look for, and ends the process:
 *
 *   link.h      links of free blocks are encoded: one that was overwritten is noticed when it is read
 *   marks.h     a mark beside the pool table for each allocated block: every double free is noticed
 *   shuffle.h   which of a pool's free blocks comes next is random
 *   guard.h     a page that nobody may touch behind large blocks
 *
 * In the normal build each of them is nothing, or a plain load or store.
 */
#ifndef ARN_HEAP_HARDENED_H
#define ARN_HEAP_HARDENED_H

#ifdef ARENITE_HARDENED
#define ARN_HARDENED 1
#else
#define ARN_HARDENED 0
#endif

#endif
