/* panic.c - see panic.h. */
#include "panic.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn void arn_panic(const char *format, ...) {
  char line[512] = "arenite: ";
  size_t used = strlen(line);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line + used, sizeof line - used - 1, format, arguments);
  va_end(arguments);
  used = strlen(line);
  line[used++] = '\n';
  if (write(STDERR_FILENO, line, used) < 0) {
    /* Nobody can be told; the abort below still says that something is wrong. */
  }
  abort();
}
