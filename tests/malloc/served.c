/* served.c - see served.h. */
#include "served.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *served_function(const char *name) {
  void *found = dlsym(RTLD_DEFAULT, name);
  if (!found) {
    fprintf(stderr, "this process has no function %s\n", name);
    abort();
  }
  return found;
}

const char *served_file(const char *name) {
  Dl_info info;
  void *found = dlsym(RTLD_DEFAULT, name);
  if (!found || !dladdr(found, &info))
    return NULL;
  const char *slash = strrchr(info.dli_fname, '/');
  return slash ? slash + 1 : info.dli_fname;
}

#define CALL(name) ((__typeof__(&name))served_function(#name))

/* Declared here, so that a bare program needs no more of the library than its headers. */
extern arn_runtime *arn_malloc_runtime(void);

static arn_runtime *runtime(void) {
  arn_runtime *made = CALL(arn_malloc_runtime)();
  REQUIRE(made != NULL);
  return made;
}

bool served_gil(void) {
  return CALL(arn_runtime_mode)(runtime()) == ARN_MODE_GIL;
}

/* With a GIL nobody's lists may be read but by who holds it. */
static bool attach(void) {
  return served_gil() && CALL(arn_thread_attach)(runtime()) == 0;
}

static void detach(bool attached) {
  if (attached)
    CALL(arn_thread_detach)();
}

arn_stats served_stats(void) {
  arn_stats stats;
  bool attached = attach();
  REQUIRE(CALL(arn_stats_get)(runtime(), &stats) == 0);
  detach(attached);
  return stats;
}

void served_check(void) {
  char message[512] = "";
  bool attached = attach();
  int broken = CALL(arn_check)(runtime(), message, sizeof message);
  detach(attached);
  if (broken) {
    fprintf(stderr, "arn_check: %d broken: %s\n", broken, message);
    abort();
  }
}
