/* cover.c - see cover.h. The recursion is that of the unate paradigm (Brayton and others, 1984). */
#include "cover.h"

int cube_variables;
uint64_t cover_calls;

/* --- Cubes ------------------------------------------------------------------------------------ */

/* Counts the call that returned the block. */
static void *checked(void *block) {
  if (block == NULL)
    row_fail("malloc returned NULL");
  cover_calls++;
  return block;
}

cube *cube_everything(void) {
  cube *a = checked(malloc((size_t)cube_variables));
  memset(a, CUBE_EITHER, (size_t)cube_variables);
  return a;
}

cube *cube_copy(const cube *a) {
  cube *b = checked(malloc((size_t)cube_variables));
  memcpy(b, a, (size_t)cube_variables);
  return b;
}

void cube_drop(cube *a) {
  cover_calls++;
  free(a);
}

bool cube_disjoint(const cube *a, const cube *b) {
  for (int i = 0; i < cube_variables; i++)
    if ((a[i] & b[i]) == CUBE_NONE)
      return true;
  return false;
}

bool cube_contains(const cube *outer, const cube *inner) {
  for (int i = 0; i < cube_variables; i++)
    if ((inner[i] & ~outer[i]) != 0)
      return false;
  return true;
}

int cube_literals(const cube *a) {
  int literals = 0;
  for (int i = 0; i < cube_variables; i++)
    literals += a[i] != CUBE_EITHER;
  return literals;
}

/* --- Covers ----------------------------------------------------------------------------------- */

struct cover *cover_new(void) {
  struct cover *a = checked(malloc(sizeof *a));
  *a = (struct cover){NULL, 0, 0};
  return a;
}

void cover_drop(struct cover *a) {
  for (int i = 0; i < a->count; i++)
    cube_drop(a->cubes[i]);
  cover_calls += 2;
  free(a->cubes);
  free(a);
}

void cover_add(struct cover *a, cube *owned) {
  if (a->count == a->room) {
    a->room = a->room > 0 ? 2 * a->room : 4;
    a->cubes = checked(realloc(a->cubes, (size_t)a->room * sizeof *a->cubes));
  }
  a->cubes[a->count++] = owned;
}

void cover_remove(struct cover *a, int index) {
  cube_drop(a->cubes[index]);
  a->cubes[index] = a->cubes[--a->count];
}

struct cover *cover_copy(const struct cover *a) {
  struct cover *b = cover_new();
  for (int i = 0; i < a->count; i++)
    cover_add(b, cube_copy(a->cubes[i]));
  return b;
}

int cover_literals(const struct cover *a) {
  int literals = 0;
  for (int i = 0; i < a->count; i++)
    literals += cube_literals(a->cubes[i]);
  return literals;
}

struct cover *cover_within(const struct cover *a, const cube *place, int except) {
  struct cover *within = cover_new();
  for (int i = 0; i < a->count; i++) {
    if (i == except || cube_disjoint(a->cubes[i], place))
      continue;
    cube *b = cube_copy(a->cubes[i]);
    for (int j = 0; j < cube_variables; j++)
      b[j] |= CUBE_EITHER & ~place[j];
    cover_add(within, b);
  }
  return within;
}

/* Where the variable has the value. */
static struct cover *half(const struct cover *a, int variable, cube value) {
  cube *place = cube_everything();
  place[variable] = value;
  struct cover *within = cover_within(a, place, -1);
  cube_drop(place);
  return within;
}

/* --- The two questions ------------------------------------------------------------------------ */

static bool has_everything(const struct cover *a) {
  for (int i = 0; i < a->count; i++)
    if (cube_literals(a->cubes[i]) == 0)
      return true;
  return false;
}

/* The variable that splits the cover best: one that occurs often with both values, or at least
 * often. `unate` says that none occurs with both. */
static int choose_variable(const struct cover *a, bool *unate) {
  int best = 0, best_both = -1, best_sum = -1;
  for (int i = 0; i < cube_variables; i++) {
    int count[CUBE_EITHER + 1] = {0};
    for (int j = 0; j < a->count; j++)
      count[a->cubes[j][i]]++;
    int sum = count[CUBE_ZERO] + count[CUBE_ONE];
    int both = count[CUBE_ZERO] < count[CUBE_ONE] ? count[CUBE_ZERO] : count[CUBE_ONE];
    if (both > best_both || (both == best_both && sum > best_sum)) {
      best = i;
      best_both = both;
      best_sum = sum;
    }
  }
  *unate = best_both == 0;
  return best;
}

/* Points, those in several cubes counted several times. */
static uint64_t points_at_most(const struct cover *a) {
  uint64_t points = 0;
  for (int i = 0; i < a->count; i++)
    points += (uint64_t)1 << (cube_variables - cube_literals(a->cubes[i]));
  return points;
}

bool cover_is_everything(const struct cover *a) {
  if (has_everything(a))
    return true;
  bool unate;
  int variable = choose_variable(a, &unate);
  if (unate || points_at_most(a) < (uint64_t)1 << cube_variables)
    return false;
  bool all = true;
  for (cube value = CUBE_ZERO; value <= CUBE_ONE && all; value++) {
    struct cover *within = half(a, variable, value);
    all = cover_is_everything(within);
    cover_drop(within);
  }
  return all;
}

bool cover_holds(const struct cover *a, const cube *inner, int except) {
  struct cover *within = cover_within(a, inner, except);
  bool all = cover_is_everything(within);
  cover_drop(within);
  return all;
}

/* What one cube leaves out: a cube for each of its literals, with the other value. */
static struct cover *complement_of_cube(const cube *a) {
  struct cover *complement = cover_new();
  for (int i = 0; i < cube_variables; i++)
    if (a[i] != CUBE_EITHER) {
      cube *b = cube_everything();
      b[i] = CUBE_EITHER & ~a[i];
      cover_add(complement, b);
    }
  return complement;
}

/* Moves the cubes of both halves into one cover; a cube that both have needs no literal. */
static struct cover *join(struct cover *zero, struct cover *one, int variable) {
  struct cover *whole = cover_new();
  for (int i = 0; i < zero->count; i++) {
    cube *a = zero->cubes[i];
    int twin = 0;
    while (twin < one->count && memcmp(a, one->cubes[twin], (size_t)cube_variables) != 0)
      twin++;
    if (twin < one->count)
      cover_remove(one, twin);
    else
      a[variable] = CUBE_ZERO;
    cover_add(whole, a);
  }
  for (int i = 0; i < one->count; i++) {
    one->cubes[i][variable] = CUBE_ONE;
    cover_add(whole, one->cubes[i]);
  }
  zero->count = one->count = 0;
  cover_drop(zero);
  cover_drop(one);
  return whole;
}

struct cover *cover_complement(const struct cover *a) {
  if (has_everything(a))
    return cover_new();
  if (a->count == 0) {
    struct cover *complement = cover_new();
    cover_add(complement, cube_everything());
    return complement;
  }
  if (a->count == 1)
    return complement_of_cube(a->cubes[0]);
  bool unate;
  int variable = choose_variable(a, &unate);
  struct cover *halves[2];
  for (int i = 0; i < 2; i++) {
    struct cover *within = half(a, variable, i == 0 ? CUBE_ZERO : CUBE_ONE);
    halves[i] = cover_complement(within);
    cover_drop(within);
  }
  return join(halves[0], halves[1], variable);
}
