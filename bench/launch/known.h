/* known.h - the settings that the environment can have for the drop-in malloc.
 *
 * They are those of arenite/config.h and arenite/malloc.h; tests/docs/check compares. */
#ifndef ARENITE_BENCH_KNOWN_H
#define ARENITE_BENCH_KNOWN_H

#include <stdio.h>

/* The full name of a setting that is called with or without ARENITE_; NULL when there is none. */
const char *known_setting(const char *name, size_t length);

/* Their short names, with commas between. */
void known_settings_list(FILE *out);

#endif
