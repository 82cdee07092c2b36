// expects: arenite: arn_save_thread: this thread is not attached to a runtime, or does not hold its GIL
/* malloc_misuse_save_guest.c - malloc lets a thread in, but that does not attach it: it has nothing to
 * step away from. */
#include <arenite/runtime.h>
#include <stdlib.h>

int main(void) {
  free(malloc(100));
  arn_save_thread();
  return 0;
}
