/* json.c - a recursive-descent reader that only says yes or no (json.h). */
#include "json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *value(const char *at);

static const char *space(const char *at) {
  return at == NULL ? NULL : at + strspn(at, " \t\r\n");
}

static const char *character(const char *at, char wanted) {
  at = space(at);
  return at != NULL && *at == wanted ? at + 1 : NULL;
}

static const char *string(const char *at) {
  if ((at = character(at, '"')) == NULL)
    return NULL;
  for (; *at != '"'; at++) {
    if ((unsigned char)*at < ' ')
      return NULL;
    if (*at == '\\' && (at[1] == '\0' || strchr("\"\\/bfnrtu", *++at) == NULL))
      return NULL;
  }
  return at + 1;
}

static const char *digits(const char *at) {
  if (!isdigit((unsigned char)*at))
    return NULL;
  while (isdigit((unsigned char)*at))
    at++;
  return at;
}

static const char *number(const char *at) {
  at += *at == '-';
  if (at[0] == '0' && isdigit((unsigned char)at[1]))
    return NULL;
  if ((at = digits(at)) == NULL)
    return NULL;
  if (*at == '.' && (at = digits(at + 1)) == NULL)
    return NULL;
  if (*at == 'e' || *at == 'E') {
    at++;
    at += *at == '+' || *at == '-';
    at = digits(at);
  }
  return at;
}

static const char *members(const char *at, char end, bool named) {
  const char *empty = character(at, end);
  if (empty != NULL)
    return empty;
  for (;;) {
    if (named && (at = character(string(at), ':')) == NULL)
      return NULL;
    if ((at = space(value(at))) == NULL)
      return NULL;
    if (*at == end)
      return at + 1;
    if (*at++ != ',')
      return NULL;
  }
}

static const char *value(const char *at) {
  static const char *const words[] = {"true", "false", "null"};
  if ((at = space(at)) == NULL)
    return NULL;
  if (*at == '{')
    return members(at + 1, '}', true);
  if (*at == '[')
    return members(at + 1, ']', false);
  if (*at == '"')
    return string(at);
  for (int i = 0; i < 3; i++)
    if (strncmp(at, words[i], strlen(words[i])) == 0)
      return at + strlen(words[i]);
  return number(at);
}

bool json_is_value(const char *text) {
  const char *end = space(value(text));
  return end != NULL && *end == '\0';
}

bool json_number(const char *text, const char *name, uint64_t *number) {
  char key[128];
  snprintf(key, sizeof key, "\"%s\"", name);
  const char *at = strstr(text, key);
  if (at == NULL || (at = character(at + strlen(key), ':')) == NULL)
    return false;
  char *end;
  *number = strtoull(at, &end, 10);
  return end != at;
}
