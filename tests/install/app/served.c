/* served.c - a user's program that links libarenite-malloc, in C and in C++: says the version of the
 * headers, when its own malloc and that of its libraries is the one whose statistics it reads. */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include <arenite.h>
#include <arenite/malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(x) #x
#define VERSION(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

enum { SIZE = 100000 };

static arn_stats before, after;
static char text[SIZE];
/* What the compiler must not leave out. */
static char *volatile block, *volatile copy;

int main(void) {
  memset(text, 'x', SIZE - 1);
  if (arn_stats_get(arn_malloc_runtime(), &before) != 0)
    return 1;
  block = (char *)malloc(SIZE);
  copy = strdup(text);
  if (arn_stats_get(arn_malloc_runtime(), &after) != 0 || !block || !copy)
    return 1;
  if (after.live_bytes < before.live_bytes + 2 * SIZE)
    return 2;
  free(block);
  free(copy);
  return puts(VERSION(ARN_VERSION_MAJOR, ARN_VERSION_MINOR, ARN_VERSION_PATCH)) < 0;
}
