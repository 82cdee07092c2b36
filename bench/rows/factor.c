/* factor.c - factors large numbers by continued fractions, every number a block of its own.
 *
 * The method of Morrison and Brillhart. The continued fraction of the square root of N yields pairs
 * (A, Q) with A * A = Q or -Q modulo N and Q small. Those whose Q splits over a small base of
 * primes are kept; as soon as there are more of them than primes, some multiply to a square, and
 * x * x = y * y modulo N is a chance for gcd(x - y, N) to be a factor. Nearly all numbers on the
 * way are dropped at once, while those that are kept gather among them. The row factors products of
 * two primes, and multiplies what it found. */
#include "number.h"

#include <stdio.h>

static const uint64_t primes[][2] = {
    {62187499901, 705979998197}, {17090709599, 166247805517}, {25186497619, 722026593473},
    {88880033293, 792448538723}, {37949223673, 742644932291}, {18750977251, 168494888369},
    {67697068903, 742428765431}, {40364797859, 153243337271},
};
enum { NUMBERS = sizeof primes / sizeof primes[0], BASE = 100, SPARE = 12 };
enum { RELATIONS_MAX = BASE + SPARE, WORDS = RELATIONS_MAX / 64 + 1 };

/* A * A = (-1)^exponents[0] * product of base[i]^exponents[i] modulo N; base[0] stands for -1. */
struct relation {
  struct number *a;
  unsigned char exponents[];
};

struct factoring {
  struct number *n;
  struct number *base[BASE];
  int base_size;
  struct relation *relations[RELATIONS_MAX];
  int relation_count;
};

static uint64_t other_calls; /* for what is not a number */

static void *allocate(size_t size) {
  void *block = calloc(1, size);
  if (block == NULL)
    row_fail("calloc returned NULL");
  other_calls += 2; /* its free as well */
  return block;
}

/* --- The base: primes modulo which N is a square ---------------------------------------------- */

static uint64_t power_modulo(uint64_t base, uint64_t exponent, uint64_t modulus) {
  uint64_t power = 1;
  for (; exponent > 0; exponent /= 2, base = base * base % modulus)
    if (exponent % 2 == 1)
      power = power * base % modulus;
  return power;
}

static bool is_prime(uint64_t candidate) {
  for (uint64_t divisor = 2; divisor * divisor <= candidate; divisor++)
    if (candidate % divisor == 0)
      return false;
  return true;
}

static void choose_base(struct factoring *f) {
  f->base[f->base_size++] = number_of(1); /* the sign */
  for (uint64_t prime = 2; f->base_size < BASE; prime++) {
    if (!is_prime(prime))
      continue;
    struct number *p = number_of(prime), *rest = number_remainder(f->n, p);
    uint64_t value = number_is_zero(rest) ? 0 : rest->limbs[0];
    number_drop(rest);
    if (prime == 2 || power_modulo(value, (prime - 1) / 2, prime) == 1) /* Euler's criterion */
      f->base[f->base_size++] = p;
    else
      number_drop(p);
  }
}

/* --- Relations -------------------------------------------------------------------------------- */

/* Does q split over the base? Then the exponents are counted. */
static bool split(const struct factoring *f, const struct number *q, unsigned char *exponents) {
  struct number *left = number_copy(q);
  for (int i = 1; i < f->base_size; i++)
    for (;;) {
      struct number *rest, *quotient = number_divide(left, f->base[i], &rest);
      bool divides = number_is_zero(rest);
      number_drop(rest);
      if (!divides) {
        number_drop(quotient);
        break;
      }
      number_set(&left, quotient);
      exponents[i]++;
    }
  bool all = number_is_one(left);
  number_drop(left);
  return all;
}

static void try_relation(struct factoring *f, const struct number *a, const struct number *q,
                         bool negative) {
  struct relation *relation = allocate(sizeof *relation + (size_t)f->base_size);
  relation->exponents[0] = negative;
  if (split(f, q, relation->exponents)) {
    relation->a = number_copy(a);
    f->relations[f->relation_count++] = relation;
  } else {
    free(relation);
  }
}

/* The expansion: p' = step * q - p, q' = (n - p' * p') / q, a' = step' * a + the a before, with
 * step' = (root + p') / q'. Then a * a = q' or -q' modulo n, in turns. */
static void find_relations(struct factoring *f) {
  struct number *root = number_root(f->n);
  struct number *p = number_of(0), *q = number_of(1), *step = number_copy(root);
  struct number *a_before = number_of(1), *a = number_copy(root);
  for (bool negative = true; f->relation_count < f->base_size + SPARE; negative = !negative) {
    struct number *product = number_multiply(step, q);
    number_set(&p, number_subtract(product, p));
    number_set(&product, number_multiply(p, p));
    number_set(&product, number_subtract(f->n, product));
    number_set(&q, number_quotient(product, q));
    number_set(&product, number_add(root, p));
    number_set(&step, number_quotient(product, q));

    try_relation(f, a, q, negative);

    number_set(&product, number_multiply(step, a));
    number_set(&product, number_add(product, a_before));
    number_set(&product, number_remainder(product, f->n));
    number_drop(a_before);
    a_before = a;
    a = product;
  }
  struct number *all[] = {root, p, q, step, a_before, a};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    number_drop(all[i]);
}

/* --- Squares ---------------------------------------------------------------------------------- */

/* One row of the matrix over two elements: which primes occur an odd number of times in the product
 * of which relations. */
struct parity {
  uint64_t odd[WORDS], members[WORDS];
};

static bool bit(const uint64_t *words, int index) {
  return words[index / 64] >> index % 64 & 1;
}

static struct parity *parity_of(const struct factoring *f, int relation) {
  struct parity *parity = allocate(sizeof *parity);
  for (int i = 0; i < f->base_size; i++)
    if (f->relations[relation]->exponents[i] % 2 == 1)
      parity->odd[i / 64] |= (uint64_t)1 << i % 64;
  parity->members[relation / 64] |= (uint64_t)1 << relation % 64;
  return parity;
}

/* The members' product is a square on both sides: gcd(x - y, n), which may be 1 or n. */
static struct number *divisor_from(const struct factoring *f, const uint64_t *members) {
  struct number *x = number_of(1), *y = number_of(1);
  unsigned exponents[BASE] = {0};
  for (int i = 0; i < f->relation_count; i++)
    if (bit(members, i)) {
      number_set(&x, number_multiply_modulo(x, f->relations[i]->a, f->n));
      for (int j = 0; j < f->base_size; j++)
        exponents[j] += f->relations[i]->exponents[j];
    }
  for (int j = 1; j < f->base_size; j++)
    for (unsigned k = 0; k < exponents[j] / 2; k++)
      number_set(&y, number_multiply_modulo(y, f->base[j], f->n));
  if (number_compare(x, y) < 0) {
    struct number *larger = y;
    y = x;
    x = larger;
  }
  number_set(&x, number_subtract(x, y));
  number_set(&x, number_greatest_divisor(x, f->n));
  number_drop(y);
  return x;
}

/* Gauss: each row that has an odd prime left rids those below it of that prime; a row without any
 * is a square. Returns a factor, or NULL. */
static struct number *combine(const struct factoring *f) {
  struct parity *rows[RELATIONS_MAX];
  struct number *factor = NULL;
  for (int i = 0; i < f->relation_count; i++)
    rows[i] = parity_of(f, i);
  for (int i = 0; i < f->relation_count && factor == NULL; i++) {
    int pivot = 0;
    while (pivot < f->base_size && !bit(rows[i]->odd, pivot))
      pivot++;
    if (pivot == f->base_size) {
      factor = divisor_from(f, rows[i]->members);
      if (number_is_one(factor) || number_compare(factor, f->n) == 0)
        number_set(&factor, NULL);
      continue;
    }
    for (int j = i + 1; j < f->relation_count; j++)
      if (bit(rows[j]->odd, pivot))
        for (int word = 0; word < WORDS; word++) {
          rows[j]->odd[word] ^= rows[i]->odd[word];
          rows[j]->members[word] ^= rows[i]->members[word];
        }
  }
  for (int i = 0; i < f->relation_count; i++)
    free(rows[i]);
  return factor;
}

/* --- The row ---------------------------------------------------------------------------------- */

static struct number *factor_of(struct number *n) {
  struct factoring f = {.n = n};
  choose_base(&f);
  find_relations(&f);
  struct number *factor = combine(&f);
  for (int i = 0; i < f.relation_count; i++) {
    number_drop(f.relations[i]->a);
    free(f.relations[i]);
  }
  for (int i = 0; i < f.base_size; i++)
    number_drop(f.base[i]);
  return factor;
}

static uint64_t value_of(const struct number *a) {
  uint64_t value = 0;
  for (uint32_t i = a->count; i-- > 0;)
    value = value << 32 | a->limbs[i];
  return value;
}

/* Factors one of the numbers and checks that by multiplying. */
static void factor_one(const uint64_t *pair, uint64_t found[2]) {
  struct number *one = number_of(pair[0]), *other = number_of(pair[1]);
  struct number *n = number_multiply(one, other);
  struct number *factor = factor_of(n);
  if (factor == NULL)
    row_fail("no factor was found");
  struct number *cofactor = number_quotient(n, factor);
  struct number *product = number_multiply(factor, cofactor);
  if (number_compare(product, n) != 0)
    row_fail("a factor does not divide the number");
  found[0] = value_of(factor);
  found[1] = value_of(cofactor);
  struct number *all[] = {one, other, n, factor, cofactor, product};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    number_drop(all[i]);
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "factor", 1, NULL);
  uint64_t numbers = row_scaled(&row, NUMBERS);
  uint64_t found[NUMBERS][2];
  uint64_t start = row_now_ns();
  for (uint64_t i = 0; i < numbers; i++)
    factor_one(primes[i % NUMBERS], found[i % NUMBERS]);
  double seconds = row_seconds_since(start);
  char text[NUMBERS * 48] = "";
  size_t length = 0;
  for (uint64_t i = 0; i < numbers && i < NUMBERS; i++)
    length +=
        (size_t)snprintf(text + length, sizeof text - length, "%s\"%llu * %llu\"", i > 0 ? "," : "",
                         (unsigned long long)found[i][0], (unsigned long long)found[i][1]);
  return row_report(&row, seconds, number_calls + other_calls, "\"factors\":[%s]", text);
}
