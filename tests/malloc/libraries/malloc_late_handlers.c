// libraries: malloc_handlers
/* malloc_late_handlers.c - a library that is loaded when the program runs already, and registers fork
 * handlers then. */
#include "malloc_handlers.h"

__attribute__((constructor)) static void library_starts(void) {
  handlers_register(HANDLERS_OF_LATE_LIBRARY);
}
