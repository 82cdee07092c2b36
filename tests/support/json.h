/* json.h - enough of JSON to say whether a text is one value, and to read a number of it. */
#ifndef ARENITE_TESTS_JSON_H
#define ARENITE_TESTS_JSON_H

#include <stdbool.h>
#include <stdint.h>

/* True when text is exactly one JSON value (RFC 8259), white space around it allowed. */
bool json_is_value(const char *text);
/* The first number whose key is name; false when there is none. */
bool json_number(const char *text, const char *name, uint64_t *number);

#endif
