/* number.c - see number.h. Limbs have 32 bits, so that two of them multiply in one word. */
#include "number.h"

uint64_t number_calls;

static struct number *fresh(uint32_t count) {
  struct number *number = malloc(sizeof *number + count * sizeof number->limbs[0]);
  if (number == NULL)
    row_fail("malloc returned NULL");
  number_calls += 2; /* its free as well */
  number->count = count;
  return number;
}

static struct number *trim(struct number *number) {
  while (number->count > 0 && number->limbs[number->count - 1] == 0)
    number->count--;
  return number;
}

void number_drop(struct number *number) {
  free(number);
}

/* The old value goes when the new one has been made of it. */
void number_set(struct number **variable, struct number *value) {
  number_drop(*variable);
  *variable = value;
}

struct number *number_of(uint64_t value) {
  struct number *number = fresh(2);
  number->limbs[0] = (uint32_t)value;
  number->limbs[1] = (uint32_t)(value >> 32);
  return trim(number);
}

struct number *number_copy(const struct number *a) {
  struct number *number = fresh(a->count);
  memcpy(number->limbs, a->limbs, a->count * sizeof a->limbs[0]);
  return number;
}

bool number_is_zero(const struct number *a) {
  return a->count == 0;
}

bool number_is_one(const struct number *a) {
  return a->count == 1 && a->limbs[0] == 1;
}

int number_compare(const struct number *a, const struct number *b) {
  if (a->count != b->count)
    return a->count < b->count ? -1 : 1;
  for (uint32_t i = a->count; i-- > 0;)
    if (a->limbs[i] != b->limbs[i])
      return a->limbs[i] < b->limbs[i] ? -1 : 1;
  return 0;
}

struct number *number_add(const struct number *a, const struct number *b) {
  if (a->count < b->count)
    return number_add(b, a);
  struct number *sum = fresh(a->count + 1);
  uint64_t carry = 0;
  for (uint32_t i = 0; i < a->count; i++) {
    carry += (uint64_t)a->limbs[i] + (i < b->count ? b->limbs[i] : 0);
    sum->limbs[i] = (uint32_t)carry;
    carry >>= 32;
  }
  sum->limbs[a->count] = (uint32_t)carry;
  return trim(sum);
}

/* a >= b */
struct number *number_subtract(const struct number *a, const struct number *b) {
  struct number *difference = fresh(a->count);
  uint64_t borrow = 0;
  for (uint32_t i = 0; i < a->count; i++) {
    uint64_t limb = (uint64_t)a->limbs[i] - (i < b->count ? b->limbs[i] : 0) - borrow;
    difference->limbs[i] = (uint32_t)limb;
    borrow = limb >> 63;
  }
  return trim(difference);
}

struct number *number_multiply(const struct number *a, const struct number *b) {
  struct number *product = fresh(a->count + b->count);
  memset(product->limbs, 0, product->count * sizeof product->limbs[0]);
  for (uint32_t i = 0; i < a->count; i++) {
    uint64_t carry = 0;
    for (uint32_t j = 0; j < b->count; j++) {
      carry += (uint64_t)a->limbs[i] * b->limbs[j] + product->limbs[i + j];
      product->limbs[i + j] = (uint32_t)carry;
      carry >>= 32;
    }
    product->limbs[i + b->count] = (uint32_t)carry;
  }
  return trim(product);
}

static struct number *divide_by_limb(const struct number *a, uint32_t b,
                                     struct number **remainder) {
  struct number *quotient = fresh(a->count);
  uint64_t rest = 0;
  for (uint32_t i = a->count; i-- > 0;) {
    rest = rest << 32 | a->limbs[i];
    quotient->limbs[i] = (uint32_t)(rest / b);
    rest %= b;
  }
  *remainder = number_of(rest);
  return trim(quotient);
}

/* a * 2^bits, in a->count + 1 limbs, the highest perhaps 0; 0 <= bits < 32. */
static struct number *shift_left(const struct number *a, unsigned bits) {
  struct number *shifted = fresh(a->count + 1);
  uint64_t carry = 0;
  for (uint32_t i = 0; i < a->count; i++) {
    carry |= (uint64_t)a->limbs[i] << bits;
    shifted->limbs[i] = (uint32_t)carry;
    carry >>= 32;
  }
  shifted->limbs[a->count] = (uint32_t)carry;
  return shifted;
}

static void shift_right(struct number *a, unsigned bits) {
  for (uint32_t i = 0; i < a->count; i++) {
    uint64_t two = (uint64_t)(i + 1 < a->count ? a->limbs[i + 1] : 0) << 32 | a->limbs[i];
    a->limbs[i] = (uint32_t)(two >> bits);
  }
}

/* rest[0 .. count] -= digit * b; true if that fell below zero. */
static bool take_away(uint32_t *rest, const struct number *b, uint32_t count, uint64_t digit) {
  uint64_t carry = 0, borrow = 0;
  for (uint32_t i = 0; i <= count; i++) {
    carry += i < count ? digit * b->limbs[i] : 0;
    uint64_t limb = (uint64_t)rest[i] - (uint32_t)carry - borrow;
    rest[i] = (uint32_t)limb;
    borrow = limb >> 63;
    carry >>= 32;
  }
  return borrow != 0;
}

static void give_back(uint32_t *rest, const struct number *b, uint32_t count) {
  uint64_t carry = 0;
  for (uint32_t i = 0; i <= count; i++) {
    carry += (uint64_t)rest[i] + (i < count ? b->limbs[i] : 0);
    rest[i] = (uint32_t)carry;
    carry >>= 32;
  }
}

/* Schoolbook division (Knuth's algorithm D): each digit of the quotient is estimated from the
 * highest limbs, and is then right or at most two too large. */
struct number *number_divide(const struct number *a, const struct number *b,
                             struct number **remainder) {
  if (b->count == 1)
    return divide_by_limb(a, b->limbs[0], remainder);
  if (number_compare(a, b) < 0) {
    *remainder = number_copy(a);
    return number_of(0);
  }
  uint32_t count = b->count;
  unsigned bits = (unsigned)__builtin_clz(b->limbs[count - 1]);
  struct number *divisor = shift_left(b, bits), *rest = shift_left(a, bits);
  struct number *quotient = fresh(a->count - count + 1);
  for (uint32_t i = quotient->count; i-- > 0;) {
    uint64_t high = (uint64_t)rest->limbs[i + count] << 32 | rest->limbs[i + count - 1];
    uint64_t digit = high / divisor->limbs[count - 1];
    if (digit > UINT32_MAX)
      digit = UINT32_MAX;
    if (take_away(rest->limbs + i, divisor, count, digit))
      do {
        digit--;
        give_back(rest->limbs + i, divisor, count);
      } while (rest->limbs[i + count] != 0);
    quotient->limbs[i] = (uint32_t)digit;
  }
  number_drop(divisor);
  shift_right(rest, bits);
  *remainder = trim(rest);
  return trim(quotient);
}

struct number *number_quotient(const struct number *a, const struct number *b) {
  struct number *remainder, *quotient = number_divide(a, b, &remainder);
  number_drop(remainder);
  return quotient;
}

struct number *number_remainder(const struct number *a, const struct number *b) {
  struct number *remainder;
  number_drop(number_divide(a, b, &remainder));
  return remainder;
}

/* a * b modulo n. */
struct number *number_multiply_modulo(const struct number *a, const struct number *b,
                                      const struct number *n) {
  struct number *product = number_multiply(a, b);
  number_set(&product, number_remainder(product, n));
  return product;
}

struct number *number_greatest_divisor(const struct number *a, const struct number *b) {
  struct number *x = number_copy(a), *y = number_copy(b);
  while (!number_is_zero(y)) {
    struct number *rest = number_remainder(x, y);
    number_drop(x);
    x = y;
    y = rest;
  }
  number_drop(y);
  return x;
}

/* The whole part of the square root, by Newton's method from above. */
struct number *number_root(const struct number *a) {
  struct number *two = number_of(2), *root = number_copy(a);
  for (;;) {
    struct number *next = number_quotient(a, root);
    number_set(&next, number_add(next, root));
    number_set(&next, number_quotient(next, two));
    if (number_compare(next, root) >= 0) {
      number_drop(next);
      number_drop(two);
      return root;
    }
    number_set(&root, next);
  }
}
