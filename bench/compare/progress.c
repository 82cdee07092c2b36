/* progress.c - see progress.h. */
#include "progress.h"

#include "clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const double terminal_every_s = 0.2, log_every_s = 10;

void progress_start(struct progress *progress) {
  *progress = (struct progress){.terminal = isatty(STDERR_FILENO) == 1, .written_at = -1e9};
}

void progress_tick(void *context) {
  struct progress *progress = context;
  double now = clock_seconds();
  if (now - progress->written_at < (progress->terminal ? terminal_every_s : log_every_s))
    return;
  progress->written_at = now;
  double left = progress->ends_at > now ? progress->ends_at - now : 0;
  if (progress->terminal)
    fprintf(stderr, "\r\033[K%s, about %.0f s left", progress->what, left);
  else
    fprintf(stderr, "%s, about %.0f s left\n", progress->what, left);
  fflush(stderr);
  progress->shown = progress->terminal;
}

void progress_say(struct progress *progress, double seconds_left, const char *format, ...) {
  progress->ends_at = clock_seconds() + seconds_left;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(progress->what, sizeof progress->what, format, arguments);
  va_end(arguments);
  progress_tick(progress);
}

void progress_end(struct progress *progress) {
  if (progress->shown)
    fputs("\r\033[K", stderr);
  progress->shown = false;
}
