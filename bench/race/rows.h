/* rows.h - the rows that can be raced, and the choice of --rows. */
#ifndef ARENITE_BENCH_ROWS_H
#define ARENITE_BENCH_ROWS_H

#include "race.h"

/* Makes the race's rows of list, "churn,factor,large/2", or all when it is NULL. 0; or an exit
 * status, after a sentence on standard error. */
int rows_take(struct race *race, const char *list);

/* Is every program there that the rows need? 0; or 1, after a sentence on standard error. */
int rows_check(const struct race *race);

/* The path of a row program, which stands in $ARENITE_ROWS or beside the command. 0; or 1, after a
 * sentence. */
int rows_program(const char *name, char *path, size_t size);

#endif
