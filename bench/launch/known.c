/* known.c - see known.h. */
#include "known.h"

#include <string.h>

#define PREFIX "ARENITE_"
enum { PREFIX_LENGTH = sizeof PREFIX - 1 };

static const char *const settings[] = {
    "ARENITE_MODE",
    "ARENITE_LIMIT",
    "ARENITE_PURGE_DELAY_MS",
    "ARENITE_SWITCH_INTERVAL",
    "ARENITE_DEFERRED_BUDGET",
    "ARENITE_RESERVE",
    "ARENITE_ARENAS",
    "ARENITE_HUGE_PAGES",
    "ARENITE_BACKGROUND",
    "ARENITE_STATS",
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

const char *known_setting(const char *name, size_t length) {
  if (length > PREFIX_LENGTH && strncmp(name, PREFIX, PREFIX_LENGTH) == 0) {
    name += PREFIX_LENGTH;
    length -= PREFIX_LENGTH;
  }
  for (int i = 0; i < SETTINGS; i++) {
    const char *rest = settings[i] + PREFIX_LENGTH;
    if (strlen(rest) == length && strncmp(name, rest, length) == 0)
      return settings[i];
  }
  return NULL;
}

void known_settings_list(FILE *out) {
  for (int i = 0; i < SETTINGS; i++)
    fprintf(out, "%s%s", i > 0 ? ", " : "", settings[i] + PREFIX_LENGTH);
}
