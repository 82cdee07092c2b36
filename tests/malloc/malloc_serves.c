// forms: static preloaded
/* malloc_serves.c - it is Arenite that serves this process: every function of malloc's family comes
 * from the library, and libc's own calls go there too.
 */
#include "served.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const blocks[] = {
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "free",
    "aligned_alloc",
    "memalign",
    "posix_memalign",
    "valloc",
    "pvalloc",
    "malloc_usable_size",
    "free_sized",
    "free_aligned_sized",
    "cfree",
    "__libc_malloc",
    "__libc_calloc",
    "__libc_realloc",
    "__libc_free",
    "__libc_memalign",
    "__libc_valloc",
    "__libc_pvalloc",
    "__posix_memalign",
};

/* Of a static library these come along only when the program calls one of their file. */
static const char *const others[] = {
    "malloc_trim",
    "mallinfo",
    "mallinfo2",
    "mallopt",
    "malloc_stats",
    "malloc_info",
    "_Znwm",
    "_Znam",
    "_ZnwmRKSt9nothrow_t",
    "_ZnamRKSt9nothrow_t",
    "_ZnwmSt11align_val_t",
    "_ZnamSt11align_val_t",
    "_ZnwmSt11align_val_tRKSt9nothrow_t",
    "_ZnamSt11align_val_tRKSt9nothrow_t",
    "_ZdlPv",
    "_ZdaPv",
    "_ZdlPvm",
    "_ZdaPvm",
    "_ZdlPvRKSt9nothrow_t",
    "_ZdaPvRKSt9nothrow_t",
    "_ZdlPvSt11align_val_t",
    "_ZdaPvSt11align_val_t",
    "_ZdlPvmSt11align_val_t",
    "_ZdaPvmSt11align_val_t",
    "_ZdlPvSt11align_val_tRKSt9nothrow_t",
    "_ZdaPvSt11align_val_tRKSt9nothrow_t",
};

#define COUNT(names) (sizeof(names) / sizeof *(names))

static void all_of(const char *expected, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const char *file = served_file(names[i]);
    if (!file || strcmp(file, expected) != 0) {
      fprintf(stderr, "%s is that of %s, not of %s\n", names[i], file ? file : "nobody", expected);
      abort();
    }
  }
}

/* What libc allocates by itself is in the runtime's books: its live bytes rise and fall with it. */
static void libc_allocates_here(void) {
  enum { COPIES = 1000, LENGTH = 4000 };
  static char text[LENGTH + 1], *copies[COPIES];
  memset(text, 'x', LENGTH);
  uint64_t before = served_stats().live_bytes;
  for (int i = 0; i < COPIES; i++) {
    copies[i] = strdup(text);
    REQUIRE(copies[i] != NULL && malloc_usable_size(copies[i]) > LENGTH);
  }
  REQUIRE(served_stats().live_bytes >= before + (uint64_t)COPIES * LENGTH);
  for (int i = 0; i < COPIES; i++)
    free(copies[i]);
  REQUIRE(served_stats().live_bytes <= before + LENGTH);
}

int main(void) {
  const char *expected = served_file("arn_malloc_runtime");
  REQUIRE(expected != NULL);
  bool is_library = strncmp(expected, "libarenite-malloc.so.", 21) == 0;
  bool is_program = strcmp(expected, program_invocation_short_name) == 0;
  REQUIRE(is_library || is_program);
  all_of(expected, blocks, COUNT(blocks));
  if (is_library)
    all_of(expected, others, COUNT(others));
  const char *mode = getenv("ARENITE_MODE");
  REQUIRE(mode && served_gil() == (strcmp(mode, "gil") == 0));
  libc_allocates_here();
  served_check();
  return 0;
}
