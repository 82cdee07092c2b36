// forms: linked bare
/* malloc_probe.c - says which settings this process's malloc goes by, for the scripts. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include <arenite/config.h>
#include <arenite/stats.h>

int main(void) {
  arn_runtime *(*runtime)(void) =
      (arn_runtime * (*)(void)) dlsym(RTLD_DEFAULT, "arn_malloc_runtime");
  int (*get)(arn_runtime *, arn_stats *) =
      (int (*)(arn_runtime *, arn_stats *))dlsym(RTLD_DEFAULT, "arn_stats_get");
  arn_stats stats = {0};
  if (!runtime || !get || get(runtime(), &stats)) {
    puts("malloc=libc");
    return 0;
  }
  void *much = malloc((size_t)100 << 20);
  printf("malloc=arenite secure=%lu mode=%s limit=%s huge_pages=%s\n", getauxval(AT_SECURE),
         stats.mode == ARN_MODE_GIL ? "gil" : "free-threaded", much ? "none" : "below 100M",
         stats.huge_pages ? "on" : "off");
  free(much);
  return 0;
}
