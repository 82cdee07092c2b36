/* minimise.c - finds a short sum of products for a logic function.
 *
 * The loop of Espresso (Brayton and others), for functions of one output. Cubes are expanded until
 * any further step would reach a point outside the function, which swallows others; those that the
 * rest covers are dropped; and what is left is reduced to the points that it alone covers, so that
 * the next expansion can go elsewhere. It ends when a turn does not shorten the cover. The
 * functions are drawn at random; each result is checked to be the same function. */
#include "cover.h"

static const struct problem {
  int variables, cubes, literals;
} problems[] = {{8, 24, 4}, {9, 40, 5}, {10, 40, 5}, {11, 60, 6}, {12, 60, 6}, {13, 100, 7}};
enum { PROBLEMS = sizeof problems / sizeof problems[0], FUNCTIONS = 90 };

static struct cover *draw_function(struct row_random *random, const struct problem *problem) {
  struct cover *function = cover_new();
  for (int i = 0; i < problem->cubes; i++) {
    cube *a = cube_everything();
    for (int j = 0; j < problem->literals; j++)
      a[row_below(random, (uint32_t)problem->variables)] =
          row_below(random, 2) == 0 ? CUBE_ZERO : CUBE_ONE;
    cover_add(function, a);
  }
  return function;
}

static bool meets(const struct cover *cover, const cube *a) {
  for (int i = 0; i < cover->count; i++)
    if (!cube_disjoint(cover->cubes[i], a))
      return true;
  return false;
}

/* Makes each cube as large as the outside permits, and removes those that then lie in it. */
static void expand(struct cover *cover, const struct cover *outside) {
  for (int i = 0; i < cover->count; i++) {
    cube *a = cover->cubes[i];
    for (int j = 0; j < cube_variables; j++) {
      cube before = a[j];
      a[j] = CUBE_EITHER;
      if (before != CUBE_EITHER && meets(outside, a))
        a[j] = before;
    }
    for (int other = cover->count - 1; other > i; other--)
      if (cube_contains(a, cover->cubes[other]))
        cover_remove(cover, other);
  }
}

/* Removes cubes that the others cover. */
static void make_irredundant(struct cover *cover) {
  for (int i = cover->count - 1; i >= 0; i--)
    if (cover_holds(cover, cover->cubes[i], i))
      cover_remove(cover, i);
}

/* Makes each cube as small as it can be with the others as they are. */
static void reduce(struct cover *cover) {
  for (int i = 0; i < cover->count; i++) {
    cube *a = cover->cubes[i];
    struct cover *others = cover_within(cover, a, i);
    struct cover *alone = cover_complement(others);
    for (int j = 0; j < cube_variables && alone->count > 0; j++) {
      cube values = CUBE_NONE;
      for (int k = 0; k < alone->count; k++)
        values |= alone->cubes[k][j];
      a[j] &= values;
    }
    cover_drop(others);
    cover_drop(alone);
  }
}

static bool shorter(const struct cover *a, const struct cover *b) {
  return a->count != b->count ? a->count < b->count : cover_literals(a) < cover_literals(b);
}

static struct cover *minimise(const struct cover *function, const struct cover *outside) {
  struct cover *best = cover_copy(function), *next = cover_copy(function);
  for (;;) {
    expand(next, outside);
    make_irredundant(next);
    if (!shorter(next, best))
      break;
    cover_drop(best);
    best = cover_copy(next);
    reduce(next);
  }
  cover_drop(next);
  return best;
}

static void check(const struct cover *result, const struct cover *function,
                  const struct cover *outside) {
  for (int i = 0; i < function->count; i++)
    if (!cover_holds(result, function->cubes[i], -1))
      row_fail("the short cover lacks a point of the function");
  for (int i = 0; i < result->count; i++)
    if (meets(outside, result->cubes[i]))
      row_fail("the short cover has a point outside the function");
}

int main(int argc, char **argv) {
  struct row row = row_options(argc, argv, "minimise", 1, NULL);
  uint64_t functions = row_scaled(&row, FUNCTIONS);
  int cubes = 0, cubes_left = 0;
  uint64_t start = row_now_ns();
  for (uint64_t i = 0; i < functions; i++) {
    const struct problem *problem = &problems[i % PROBLEMS];
    struct row_random random = row_seed(i);
    cube_variables = problem->variables;
    struct cover *function = draw_function(&random, problem);
    struct cover *outside = cover_complement(function);
    struct cover *result = minimise(function, outside);
    check(result, function, outside);
    cubes += function->count;
    cubes_left += result->count;
    cover_drop(function);
    cover_drop(outside);
    cover_drop(result);
  }
  double seconds = row_seconds_since(start);
  return row_report(&row, seconds, cover_calls, "\"cubes\":%d,\"cubes_left\":%d", cubes,
                    cubes_left);
}
