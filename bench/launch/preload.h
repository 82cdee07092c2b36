/* preload.h - whether a library can be preloaded into a program.
 *
 * The dynamic linker of the program does it, so there must be one, and it must be ours; and it does
 * not where the program would gain rights by running (AT_SECURE, see ld.so(8)). Of a script it is
 * the interpreter that counts. */
#ifndef ARENITE_BENCH_PRELOAD_H
#define ARENITE_BENCH_PRELOAD_H

#include <limits.h>
#include <stdbool.h>

/* Finds the file that execvp(3) would run. False when there is none that can be executed: then
 * execvp says why. */
bool preload_find(const char *name, char path[PATH_MAX]);

/* NULL, also when the file cannot be read; or why not, the end of a sentence that begins with the
 * name in whom, which is path or the interpreter it asks for. */
const char *preload_refused(const char *path, char whom[PATH_MAX]);

#endif
