/* contestants.h - the allocators of a race, and the shared library that stands for each.
 *
 * An allocator takes part by being preloaded. glibc's takes part by nothing being preloaded. Those
 * that are ours come last, and each has all the others for rivals, never another one of ours.
 */
#ifndef ARENITE_BENCH_CONTESTANTS_H
#define ARENITE_BENCH_CONTESTANTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum { CONTESTANTS_MAX = 16, CONTESTANT_NAME_MAX = 24 };

struct contestant {
  char name[CONTESTANT_NAME_MAX];
  char preload[PATH_MAX]; /* "" for glibc's */
  bool ours;
  bool frugal; /* one of those whose memory is the measure of ours */
};

struct contestants {
  struct contestant list[CONTESTANTS_MAX];
  int count;
  int first_ours;
};

/* Each: 0; or an exit status, after a sentence on standard error. */

/* Takes those of the others that are named in list, or all when it is NULL. */
int contestants_take(struct contestants *contestants, const char *list);

/* Takes one of ours: "PATH" or "NAME=PATH". NULL is the library that is built with the command. */
int contestants_take_ours(struct contestants *contestants, const char *what);

/* Is every library there, and does it let itself be preloaded? */
int contestants_check(const struct contestants *contestants);

/* The library that has to serve malloc: a file name without directories. */
const char *contestant_library(const struct contestant *contestant);

/* The last part of a path. */
const char *file_name(const char *path);

#endif
