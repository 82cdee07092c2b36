/* beside.h - what the race needs beside the command: in the build tree it stands next to it, and
 * when installed at a place of its own. */
#ifndef ARENITE_BENCH_BESIDE_H
#define ARENITE_BENCH_BESIDE_H

#include <stddef.h>

/* Finds the file `name` ("directory/file"): beside the command, or its last part in `installed`,
 * seen from the command. 0; or 1, after a sentence on standard error. */
int beside(const char *name, const char *installed, char *path, size_t size);

#endif
