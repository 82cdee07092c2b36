/* real.h - the real programs of a race, run from their start to their end.
 *
 * A script in workloads/ makes each program's input once, in an empty directory; then the program is
 * run there, again and again. Only the program gets the allocator, not what feeds it. A server is
 * timed by what is asked of it: from the load's start to its end.
 */
#ifndef ARENITE_BENCH_REAL_H
#define ARENITE_BENCH_REAL_H

#include "race.h"

extern const struct real_program real_redis, real_sqlite3, real_python3, real_gcc;

/* Is it installed, and its script there? 0; or 1, after a sentence on standard error. */
int real_check(const struct kind *kind);

/* Makes its input. 0; or -1, after a sentence on standard error or a signal. */
int real_prepare(struct race *race, const struct kind *kind);

/* Runs it once, under the library preload ("": none). The status as in launch.h; err, to be freed,
 * is what it had to say. */
int real_run(struct race *race, const struct kind *kind, const char *preload, struct lap *lap,
             char **err);

/* The same, to see which library it takes malloc from: served_by gets its file name, or "". */
int real_served_by(struct race *race, const struct kind *kind, const char *preload, char *served_by,
                   size_t size, char **err);

#endif
