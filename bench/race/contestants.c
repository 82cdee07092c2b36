/* contestants.c - see contestants.h. */
#include "contestants.h"

#include "compare/child.h"
#include "launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct other {
  const char *name, *library, *package;
  bool frugal;
} others[] = {
    {"glibc", NULL, NULL, false},
    {"mimalloc", "libmimalloc.so.2", "libmimalloc2.0", true},
    {"jemalloc", "libjemalloc.so.2", "libjemalloc2", true},
    {"tcmalloc", "libtcmalloc_minimal.so.4", "libtcmalloc-minimal4", true},
    {"tbbmalloc", "libtbbmalloc_proxy.so.2", "libtbbmalloc2", false},
};
enum { OTHERS = sizeof others / sizeof others[0] };

static const char *const directories[] = {"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib",
                                          "/usr/local/lib"};

const char *file_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

const char *contestant_library(const struct contestant *contestant) {
  return contestant->preload[0] != '\0' ? file_name(contestant->preload) : "libc.so.6";
}

static struct contestant *find(struct contestants *contestants, const char *name) {
  for (int i = 0; i < contestants->count; i++)
    if (strcmp(contestants->list[i].name, name) == 0)
      return &contestants->list[i];
  return NULL;
}

static int take_other(struct contestants *contestants, const struct other *other) {
  if (find(contestants, other->name) != NULL)
    return 0;
  struct contestant *contestant = &contestants->list[contestants->count];
  *contestant = (struct contestant){.frugal = other->frugal};
  snprintf(contestant->name, sizeof contestant->name, "%s", other->name);
  bool found = other->library == NULL;
  for (size_t i = 0; !found && i < sizeof directories / sizeof directories[0]; i++) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", directories[i], other->library);
    found = realpath(path, contestant->preload) != NULL;
  }
  if (!found) {
    fprintf(stderr,
            "arenite bench allocators: %s is missing: please install the Debian package %s, or "
            "leave %s out with --allocators.\n",
            other->library, other->package, other->name);
    return 1;
  }
  contestants->first_ours = ++contestants->count;
  return 0;
}

int contestants_take(struct contestants *contestants, const char *list) {
  int status = 0;
  for (int i = 0; list == NULL && i < OTHERS && status == 0; i++)
    status = take_other(contestants, &others[i]);
  while (list != NULL && *list != '\0' && status == 0) {
    size_t length = strcspn(list, ",");
    const struct other *other = others;
    while (other < others + OTHERS &&
           (strlen(other->name) != length || memcmp(other->name, list, length) != 0))
      other++;
    if (other == others + OTHERS) {
      fprintf(stderr, "arenite bench allocators: there is no allocator \"%.*s\"; there are",
              (int)length, list);
      for (int i = 0; i < OTHERS; i++)
        fprintf(stderr, "%s %s", i == 0 ? "" : ",", others[i].name);
      fprintf(stderr, ".\n");
      return 2;
    }
    status = take_other(contestants, other);
    list += length;
    list += *list == ',';
  }
  if (status == 0 && contestants->count == 0) {
    fprintf(stderr, "arenite bench allocators: --allocators names none to race against.\n");
    return 2;
  }
  return status;
}

/* The library that is built with the command stands in ../lib, seen from the command. */
static int own_library(char *path, size_t size) {
  const char *self = child_self();
  if (self == NULL)
    return -1;
  int n = snprintf(path, size, "%.*s/../lib/libarenite-malloc.so.0",
                   (int)(strrchr(self, '/') - self), self);
  return n > 0 && (size_t)n < size ? 0 : -1;
}

int contestants_take_ours(struct contestants *contestants, const char *what) {
  char own[PATH_MAX];
  const char *path = what;
  char name[CONTESTANT_NAME_MAX] = "arenite";
  if (what == NULL) {
    if (own_library(own, sizeof own) != 0)
      return 1;
    path = own;
  } else {
    /* A path may hold a '=' too, but a name holds no '/'. */
    size_t length = strcspn(what, "=/");
    if (what[length] == '=') {
      bool good = length > 0 && length < sizeof name &&
                  strspn(what, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
                               "+") >= length;
      if (!good) {
        fprintf(stderr,
                "arenite bench allocators: --ours=%s: a name is up to %d letters, digits and "
                "any of \"_.-+\".\n",
                what, CONTESTANT_NAME_MAX - 1);
        return 2;
      }
      snprintf(name, sizeof name, "%.*s", (int)length, what);
      path = what + length + 1;
    }
  }
  if (find(contestants, name) != NULL) {
    fprintf(stderr,
            "arenite bench allocators: two allocators are called %s; --ours=NAME=PATH gives "
            "another name.\n",
            name);
    return 2;
  }
  if (contestants->count == CONTESTANTS_MAX) {
    fprintf(stderr, "arenite bench allocators: no more than %d allocators can race.\n",
            CONTESTANTS_MAX);
    return 2;
  }
  struct contestant *contestant = &contestants->list[contestants->count];
  *contestant = (struct contestant){.ours = true};
  snprintf(contestant->name, sizeof contestant->name, "%s", name);
  if (realpath(path, contestant->preload) == NULL) {
    fprintf(stderr, "arenite bench allocators: there is no library %s%s.\n", path,
            what == NULL ? "; build it, or name another one with --ours" : "");
    return 1;
  }
  if (strpbrk(contestant->preload, " :") != NULL) {
    fprintf(stderr,
            "arenite bench allocators: %s cannot be preloaded: the linker takes the spaces and "
            "colons in its name for separators.\n",
            contestant->preload);
    return 1;
  }
  contestants->count++;
  return 0;
}

int contestants_check(const struct contestants *contestants) {
  for (int i = 0; i < contestants->count; i++) {
    const struct contestant *contestant = &contestants->list[i];
    const struct launch launch = {
        .argv = (const char *const[]){"/bin/true", NULL},
        .preload = contestant->preload,
        .timeout_s = 10,
    };
    struct launched launched;
    launch_run(&launch, &launched);
    /* The dynamic linker only warns when a library cannot be preloaded. */
    bool good = launched.status == 0 && launched.err[0] == '\0';
    if (!good && launched.status != CHILD_INTERRUPTED)
      fprintf(stderr, "arenite bench allocators: %s does not run under %s (status %d):\n%s",
              "/bin/true", contestant->name, launched.status, launched.err);
    launched_free(&launched);
    if (!good)
      return 1;
  }
  return 0;
}
