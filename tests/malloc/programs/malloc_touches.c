// forms: linked bare
/* malloc_touches.c - takes blocks of many sizes and touches all of each, until there are no more or a
 * number of MiB is reached; frees them, and does it again. Prints what it had, in MiB.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct link {
  struct link *next;
};

int main(int argc, char **argv) {
  static const size_t sizes[] = {48, 300, 5000, 40000, 300000, 3000000, 40000000};
  size_t most = (argc > 1 ? strtoul(argv[1], NULL, 10) : 0) << 20;
  for (int round = 0; round < 2; round++)
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
      struct link *chain = NULL;
      size_t bytes = 0;
      for (struct link *link; bytes < most && (link = malloc(sizes[i])) != NULL; chain = link) {
        memset(link, 1, sizes[i]);
        link->next = chain;
        bytes += sizes[i];
      }
      if (bytes < most && errno != ENOMEM)
        return 1;
      printf("%zu\n", bytes >> 20);
      fflush(stdout);
      while (chain) {
        struct link *next = chain->next;
        free(chain);
        chain = next;
      }
    }
}
