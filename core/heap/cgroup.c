/* cgroup.c - see cgroup.h; cgroups(7) and proc(5) have the formats.
 *
 *   /proc/self/cgroup      HIERARCHY:CONTROLLERS:PATH             which group, in which hierarchy
 *   /proc/self/mountinfo   .. .. .. ROOT POINT .. - TYPE .. OPTIONS    where the hierarchy is
 *   POINT/PATH/memory.max, or memory.limit_in_bytes               a number, or "max"
 *
 * ROOT is the part of the hierarchy that is mounted: in a container often the process's own group,
 * whose PATH then begins with it.
 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* What is longer is passed over. */
#define PATH_SIZE 1024
#define FIELD_SIZE 256

/* Version 1 writes "no limit" as the largest number of pages there is. */
#define NO_LIMIT (SIZE_MAX / 4)

/* --- Reading --------------------------------------------------------------------------------- */

typedef struct reader {
  int file;
  int at, end;
  char buffer[512];
} reader;

static bool open_below(reader *r, const char *root, const char *name) {
  char path[PATH_SIZE];
  size_t above = strlen(root), length = strlen(name);
  if (above + length >= sizeof path)
    return false;
  memcpy(path, root, above);
  memcpy(path + above, name, length + 1);
  r->at = r->end = 0;
  r->file = open(path, O_RDONLY | O_CLOEXEC);
  return r->file >= 0;
}

/* The next character without taking it; -1 at the end. */
static int peek(reader *r) {
  if (r->at == r->end) {
    r->at = 0;
    r->end = (int)read(r->file, r->buffer, sizeof r->buffer);
    if (r->end <= 0)
      return r->end = 0, -1;
  }
  return (unsigned char)r->buffer[r->at];
}

static int take(reader *r) {
  int c = peek(r);
  r->at += c >= 0;
  return c;
}

/* A character that mountinfo may have written as three octal digits. */
static int take_escaped(reader *r) {
  int c = take(r);
  if (c != '\\')
    return c;
  for (c = 0; peek(r) >= '0' && peek(r) <= '7';)
    c = (c * 8 + take(r) - '0') & 0xff;
  return c;
}

/* The rest of a field, which a separator or the line's end ends; that is left. False when it does not
 * fit. */
static bool read_field(reader *r, char separator, bool escaped, char *field, size_t size) {
  size_t length = 0;
  while (peek(r) >= 0 && peek(r) != separator && peek(r) != '\n') {
    int c = escaped ? take_escaped(r) : take(r);
    if (length < size)
      field[length] = (char)c;
    length++;
  }
  field[length < size ? length : 0] = '\0';
  return length < size;
}

static void skip_field(reader *r, char separator) {
  while (peek(r) >= 0 && peek(r) != separator && peek(r) != '\n')
    take(r);
}

/* Over the separator; false at the end of the line. */
static bool next_field(reader *r, char separator) {
  return peek(r) == separator && take(r) >= 0;
}

/* Over the end of the line; false at the end of the file. */
static bool next_line(reader *r) {
  while (peek(r) >= 0 && peek(r) != '\n')
    take(r);
  return take(r) >= 0 && peek(r) >= 0;
}

/* Whether a word is in a list, with commas between. */
static bool lists(const char *list, const char *word) {
  size_t length = strlen(word);
  for (const char *at = list; at; at = strchr(at, ',')) {
    at += *at == ',';
    if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
      return true;
  }
  return false;
}

/* --- Finding --------------------------------------------------------------------------------- */

/* What the two versions call things. */
typedef struct version {
  const char *controller; /* in /proc/self/cgroup; "": no controllers are named there */
  const char *type;       /* of the mount */
  const char *option;     /* of the mount; NULL: any */
  const char *limit;      /* the file */
} version;

static const version versions[] = {
    {"", "cgroup2", NULL, "/memory.max"},
    {"memory", "cgroup", "memory", "/memory.limit_in_bytes"},
};

/* The process's group in the hierarchy of a version. */
static bool find_group(const char *root, const version *v, char *path) {
  reader r;
  bool found = false;
  if (!open_below(&r, root, "/proc/self/cgroup"))
    return false;
  do {
    char controllers[FIELD_SIZE];
    skip_field(&r, ':');
    found = next_field(&r, ':') && read_field(&r, ':', false, controllers, sizeof controllers) &&
            next_field(&r, ':') &&
            (*v->controller ? lists(controllers, v->controller) : *controllers == '\0') &&
            read_field(&r, '\n', false, path, PATH_SIZE) && *path == '/';
  } while (!found && next_line(&r));
  close(r.file);
  return found;
}

/* Reads a line of mountinfo: which part of a hierarchy is mounted, and where. Whether the hierarchy is
 * the version's. */
static bool read_mount(reader *r, const version *v, char *root, char *point) {
  char type[FIELD_SIZE], options[FIELD_SIZE];
  for (int i = 0; i < 3; i++) {
    skip_field(r, ' ');
    next_field(r, ' ');
  }
  if (!read_field(r, ' ', true, root, PATH_SIZE) || !next_field(r, ' ') ||
      !read_field(r, ' ', true, point, PATH_SIZE))
    return false;
  do { /* optional fields, until one that is "-" */
    if (!next_field(r, ' '))
      return false;
    read_field(r, ' ', false, type, sizeof type);
  } while (strcmp(type, "-") != 0);
  if (!next_field(r, ' ') || !read_field(r, ' ', false, type, sizeof type) || !next_field(r, ' '))
    return false;
  skip_field(r, ' ');
  return strcmp(type, v->type) == 0 &&
         (!v->option || (next_field(r, ' ') && read_field(r, ' ', false, options, sizeof options) &&
                         lists(options, v->option)));
}

/* The group's path in what is mounted: path without its beginning, when that is root. Otherwise the
 * names are of another view of the groups (a namespace), and what is mounted is all that can be seen:
 * the mount itself. */
static const char *path_below(const char *path, const char *root) {
  size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
  bool inside = strncmp(path, root, length) == 0 && (path[length] == '/' || path[length] == '\0');
  /* A process outside of its namespace has a path with steps up. */
  return inside && !strstr(path, "/..") ? path + length : "";
}

/* --- The number ------------------------------------------------------------------------------ */

/* The limit in a file; SIZE_MAX: none. */
static size_t read_limit(const char *root, const char *name) {
  reader r;
  size_t limit = 0;
  if (!open_below(&r, root, name))
    return SIZE_MAX;
  bool number = peek(&r) >= '0' && peek(&r) <= '9';
  while (peek(&r) >= '0' && peek(&r) <= '9') {
    size_t digit = (size_t)(take(&r) - '0');
    limit = limit > (SIZE_MAX - digit) / 10 ? SIZE_MAX : limit * 10 + digit;
  }
  close(r.file);
  return number && limit < NO_LIMIT ? limit : SIZE_MAX;
}

/* The smallest of a group and those above it, as far as they are mounted. The path is cut short. */
static size_t smallest(const char *root, const char *file, char *path, size_t mounted) {
  size_t least = SIZE_MAX, length = strlen(path);
  for (;;) {
    while (length > mounted && path[length - 1] == '/')
      length--;
    if (length + strlen(file) < PATH_SIZE) {
      strcpy(path + length, file);
      size_t limit = read_limit(root, path);
      least = limit < least ? limit : least;
    }
    if (length <= mounted)
      return least;
    while (length > mounted && path[length - 1] != '/')
      length--;
  }
}

/* The limit that one version knows; SIZE_MAX: none. */
static size_t limit_of(const char *root, const version *v) {
  char group[PATH_SIZE], mounted[PATH_SIZE], path[PATH_SIZE];
  size_t least = SIZE_MAX;
  reader r;
  if (!find_group(root, v, group) || !open_below(&r, root, "/proc/self/mountinfo"))
    return SIZE_MAX;
  do {
    if (!read_mount(&r, v, mounted, path))
      continue;
    const char *below = path_below(group, mounted);
    size_t point = strcmp(path, "/") == 0 ? 0 : strlen(path);
    if (point + strlen(below) >= PATH_SIZE)
      continue;
    strcpy(path + point, below);
    size_t limit = smallest(root, v->limit, path, point);
    least = limit < least ? limit : least;
  } while (next_line(&r));
  close(r.file);
  return least;
}

/* The group pays for more than the heap: the program's code and data, stacks, page tables (1/512 of
 * what they map), the pool table (1/205), files that are mapped and written. How much that is, nobody
 * knows before; a sixteenth leaves a gigabyte's container 64 MiB, and 4 MiB are a small program with
 * its libraries. Of a limit below 8 MiB the half is as good a guess as any. */
size_t arn_cgroup_heap_part(size_t limit) {
  const size_t least = (size_t)4 << 20;
  if (limit < 2 * least)
    return limit > 1 ? limit / 2 : 1; /* 0 would be no limit */
  return limit - (limit / 16 > least ? limit / 16 : least);
}

size_t arn_cgroup_limit(const char *root) {
  int before = errno;
  size_t least = SIZE_MAX;
  for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
    size_t limit = limit_of(root, &versions[i]);
    least = limit < least ? limit : least;
  }
  errno = before;
  return least == SIZE_MAX ? 0 : arn_cgroup_heap_part(least);
}
