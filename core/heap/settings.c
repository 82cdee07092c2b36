/* settings.c - see settings.h. */
#include "settings.h"

#include <arenite/config.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "cgroup.h"
#include "elsewhere.h"

const char *arn_setting_text(const char *name) {
  if (getauxval(AT_SECURE))
    return NULL;
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

static void refuse(const char *name, const char *value, const char *wanted, int *error) {
  if (!error)
    return;
  char line[256];
  int length = snprintf(line, sizeof line, "arenite: %s=%.64s is not %s; its default is used\n",
                        name, value, wanted);
  if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0) {
    /* The return value says it too. */
  }
  *error = EINVAL;
}

/* Bytes; wanted is what else the sentence says there may be. */
static size_t bytes_or(const char *name, size_t otherwise, const char *wanted, int *error) {
  const char *value = arn_setting_text(name);
  if (!value)
    return otherwise;
  char *end;
  errno = 0;
  unsigned long long number = strtoull(value, &end, 10);
  static const char suffixes[] = "KMGT";
  unsigned shift = 0;
  if (*end && end != value) {
    const char *suffix = strchr(suffixes, *end & ~0x20);
    if (suffix) {
      shift = (unsigned)(suffix - suffixes + 1) * 10;
      end++;
    }
  }
  if (errno || end == value || *end || value[0] == '-' || number > (SIZE_MAX >> shift)) {
    refuse(name, value, wanted, error);
    return otherwise;
  }
  return (size_t)number << shift;
}

size_t arn_setting_bytes(const char *name, size_t otherwise, int *error) {
  return bytes_or(name, otherwise, "a number of bytes (K, M, G or T may follow)", error);
}

size_t arn_setting_limit(const char *name, int *error) {
  const char *value = arn_setting_text(name);
  if (value && strcmp(value, "cgroup") == 0)
    return arn_cgroup_limit("");
  return bytes_or(name, 0, "a number of bytes (K, M, G or T may follow), or cgroup", error);
}

int64_t arn_setting_number(const char *name, int64_t least, int64_t most, int64_t otherwise,
                           int *error) {
  const char *value = arn_setting_text(name);
  if (!value)
    return otherwise;
  char *end;
  errno = 0;
  long long number = strtoll(value, &end, 10);
  if (errno || end == value || *end || number < least || number > most) {
    char wanted[80];
    snprintf(wanted, sizeof wanted, "a number from %lld to %lld", (long long)least,
             (long long)most);
    refuse(name, value, wanted, error);
    return otherwise;
  }
  return number;
}

int arn_setting_word(const char *name, const char *const *words, int otherwise, int *error) {
  const char *value = arn_setting_text(name);
  if (!value)
    return otherwise;
  for (int i = 0; words[i]; i++)
    if (strcmp(value, words[i]) == 0)
      return i;
  char wanted[120] = "one of:";
  for (int i = 0; words[i]; i++) {
    strncat(wanted, " ", sizeof wanted - strlen(wanted) - 1);
    strncat(wanted, words[i], sizeof wanted - strlen(wanted) - 1);
  }
  refuse(name, value, wanted, error);
  return otherwise;
}

bool arn_setting_bool(const char *name, bool otherwise, int *error) {
  static const char *const words[] = {"off", "on", "0", "1", NULL};
  return arn_setting_word(name, words, otherwise, error) & 1;
}

int arn_config_init(arn_config *config) {
  ARN_ELSEWHERE(config_init, config);
  int error = 0;
  static const char *const modes[] = {"free-threaded", "gil", NULL};
  static const char *const arenas[] = {"shared", "private", NULL};
  *config = (arn_config){0};
  config->mode = arn_setting_word("ARENITE_MODE", modes, ARN_MODE_FREE_THREADED, &error) == 1
                     ? ARN_MODE_GIL
                     : ARN_MODE_FREE_THREADED;
  config->limit_bytes = arn_setting_limit("ARENITE_LIMIT", &error);
  /* 200 ms: long against the phases of a program that reuses what it frees, short against what a
   * person who watches RSS waits for. Chosen, not measured. */
  config->purge_delay_ms =
      (int32_t)arn_setting_number("ARENITE_PURGE_DELAY_MS", -1, INT32_MAX, 200, &error);
  /* CPython's sys.getswitchinterval(). */
  config->switch_interval_us =
      (uint32_t)arn_setting_number("ARENITE_SWITCH_INTERVAL", 1, 1000000000, 5000, &error);
  config->deferred_budget = arn_setting_bytes("ARENITE_DEFERRED_BUDGET", (size_t)64 << 20, &error);
  /* The process's own settings are read in space.c; here they are only judged. */
  arn_setting_bytes("ARENITE_RESERVE", 0, &error);
  arn_setting_bool("ARENITE_HUGE_PAGES", false, &error);
  config->private_arenas = arn_setting_word("ARENITE_ARENAS", arenas, 0, &error) == 1;
  return error;
}
