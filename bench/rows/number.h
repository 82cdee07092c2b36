/* number.h - whole numbers of any length, each a block of its own.
 *
 * The arithmetic is of the kind that allocates: a number is as long as it needs to be, and is never
 * changed, so that each sum, product, quotient and remainder is a fresh block of a few words. Who
 * asks for one drops it. There are no negative numbers. */
#ifndef NUMBER_H
#define NUMBER_H

#include "row.h"

struct number {
  uint32_t count;   /* of limbs; the last is not 0, and zero has none */
  uint32_t limbs[]; /* the lowest first */
};

extern uint64_t number_calls; /* of the allocator */

struct number *number_of(uint64_t value);
struct number *number_copy(const struct number *a);
void number_drop(struct number *number);

/* Drops the variable's old value, of which the new one was perhaps made. */
void number_set(struct number **variable, struct number *value);

bool number_is_zero(const struct number *a);
bool number_is_one(const struct number *a);
int number_compare(const struct number *a, const struct number *b);

struct number *number_add(const struct number *a, const struct number *b);
struct number *number_subtract(const struct number *a, const struct number *b); /* a >= b */
struct number *number_multiply(const struct number *a, const struct number *b);
struct number *number_divide(const struct number *a, const struct number *b,
                             struct number **remainder);
struct number *number_quotient(const struct number *a, const struct number *b);
struct number *number_remainder(const struct number *a, const struct number *b);

struct number *number_multiply_modulo(const struct number *a, const struct number *b,
                                      const struct number *n);
struct number *number_greatest_divisor(const struct number *a, const struct number *b);
struct number *number_root(const struct number *a); /* its whole part */

#endif
