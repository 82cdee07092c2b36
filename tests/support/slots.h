/* slots.h - a table through which threads pass blocks to each other.
 *
 * A slot holds one block or nothing; putting a block in takes out what was there, with one atomic
 * exchange. A block carries its size and seed in its first bytes, so that whoever takes it out can
 * verify it and free it, whichever thread allocated it.
 */
#ifndef ARENITE_TESTS_SLOTS_H
#define ARENITE_TESTS_SLOTS_H

#include <stddef.h>
#include <stdint.h>

enum { SLOTS = 2048 };

/* A block of a random size up to largest, filled. Aborts when there is no memory. */
void *slots_block(uint64_t *random, size_t largest);
/* Verifies and frees; NULL does nothing. */
void slots_free(void *block);
/* One operation: a new block goes into a random slot, what was there is verified and freed (or now
 * and then resized and put into another slot). */
void slots_exchange(uint64_t *random, size_t largest);
/* Verifies and frees the blocks of slots first, first + step, ... */
void slots_drain(size_t first, size_t step);

#endif
