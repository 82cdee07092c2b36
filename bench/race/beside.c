/* beside.c - see beside.h. */
#include "beside.h"

#include "compare/child.h"
#include "contestants.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int beside(const char *name, const char *installed, char *path, size_t size) {
  const char *self = child_self();
  int directory = self != NULL ? (int)(strrchr(self, '/') - self) : 0;
  for (int place = 0; place < 2 && self != NULL; place++) {
    int n = place == 0
                ? snprintf(path, size, "%.*s/%s", directory, self, name)
                : snprintf(path, size, "%.*s/%s/%s", directory, self, installed, file_name(name));
    if (n > 0 && (size_t)n < size && access(path, R_OK) == 0)
      return 0;
  }
  fprintf(stderr,
          "arenite bench allocators: %s is neither beside the command nor installed; build all of "
          "the project.\n",
          name);
  return 1;
}
