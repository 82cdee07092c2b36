/* cover.h - logic functions of a few variables, written as sums of products.
 *
 * A cube is one product, a byte for each variable: the values that the variable may have in it. A
 * cover is a list of cubes and stands for all points that lie in any of them. Cubes and covers are
 * small blocks, made and dropped in great number by the two questions that all else is asked
 * through: is a cover everything, and what does it leave out? Both go down by fixing one variable
 * at a time, and make covers of their own on the way. */
#ifndef COVER_H
#define COVER_H

#include "row.h"

enum { CUBE_NONE, CUBE_ZERO, CUBE_ONE, CUBE_EITHER }; /* the values of a variable, as bits */
enum { CUBE_VARIABLES_MAX = 20 };

typedef unsigned char cube;

struct cover {
  cube **cubes;
  int count, room;
};

extern int cube_variables;   /* of all cubes there are */
extern uint64_t cover_calls; /* of the allocator */

cube *cube_everything(void);
cube *cube_copy(const cube *a);
void cube_drop(cube *a);
bool cube_disjoint(const cube *a, const cube *b);
bool cube_contains(const cube *outer, const cube *inner);
int cube_literals(const cube *a); /* variables with one value only */

struct cover *cover_new(void);
struct cover *cover_copy(const struct cover *a);
void cover_drop(struct cover *a);
void cover_add(struct cover *a, cube *owned);
void cover_remove(struct cover *a, int index); /* the last cube takes its place */
int cover_literals(const struct cover *a);

/* What the cover is within the cube, but for one of its own cubes (-1: all). */
struct cover *cover_within(const struct cover *a, const cube *place, int except);

bool cover_is_everything(const struct cover *a);
bool cover_holds(const struct cover *a, const cube *inner, int except);
struct cover *cover_complement(const struct cover *a);

#endif
