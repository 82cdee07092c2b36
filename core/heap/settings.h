/* settings.h - reading one setting from the environment.
 *
 * NULL or empty is not set. In a process with raised privileges nothing is set (AT_SECURE). A value
 * that does not parse gives the default and, unless error is NULL, one sentence on standard error
 * and *error = EINVAL.
 */
#ifndef ARN_HEAP_SETTINGS_H
#define ARN_HEAP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value as it stands, or NULL. */
const char *arn_setting_text(const char *name);

/* Bytes, with K, M, G or T behind for powers of 1,024. */
size_t arn_setting_bytes(const char *name, size_t otherwise, int *error);
/* The same, 0 being no limit; or "cgroup" for what cgroup.h says. */
size_t arn_setting_limit(const char *name, int *error);
int64_t arn_setting_number(const char *name, int64_t least, int64_t most, int64_t otherwise,
                           int *error);
/* One of the words, which NULL ends; its index. */
int arn_setting_word(const char *name, const char *const *words, int otherwise, int *error);
bool arn_setting_bool(const char *name, bool otherwise, int *error);

#endif
