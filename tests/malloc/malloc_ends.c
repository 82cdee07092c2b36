// forms: static preloaded
// libraries: malloc_early
// timeout: 20
/* malloc_ends.c - malloc before main, from the very first function that a program may run, and after
 * it, to the very last: blocks go through all of them, and settings hold from the first call on.
 */
#include "served.h"

#include "malloc_early.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of a static library nothing has run by then, and libc is not set up: a block there is, but of the
 * settings malloc knows nothing yet, so that the rest would say nothing of them. */
#ifdef FORM_STATIC
#define PREINIT ""
#else
#define PREINIT "preinit\n"
#endif

static bool is_inner;

static void before_all_constructors(int argc, char **argv, char **environment) {
  (void)environment;
  is_inner = argc > 1 && strcmp(argv[1], "inner") == 0;
  if (is_inner && PREINIT[0])
    early_work("preinit");
}
__attribute__((section(".preinit_array"),
               used)) static void (*const preinit)(int, char **, char **) = before_all_constructors;

#define STAGE(function, attributes, where)                                                         \
  __attribute__(attributes) static void function(void) {                                           \
    if (is_inner)                                                                                  \
      early_work(where);                                                                           \
  }
STAGE(first_constructor, (constructor(102)), "program's first constructor")
STAGE(last_constructor, (constructor), "program's last constructor")
STAGE(first_destructor, (destructor), "program's first destructor")
STAGE(last_destructor, (destructor(102)), "program's last destructor")

static void at_exit(void) {
  early_work("atexit");
}

static void on_exit_too(int status, void *context) {
  (void)status;
  early_work("on_exit");
  free(context);
}

static const char *const expected = PREINIT "library's constructor\n"
                                            "program's first constructor\n"
                                            "program's last constructor\n"
                                            "main\n"
                                            "on_exit\n"
                                            "atexit\n"
                                            "program's first destructor\n"
                                            "program's last destructor\n"
                                            "library's destructor\n";

static int inner(void) {
  early_work("main");
  REQUIRE(atexit(at_exit) == 0);
  REQUIRE(on_exit(on_exit_too, malloc(100)) == 0);
  served_check();
  /* The first call was before libc itself was set up. */
  REQUIRE(served_gil() == (strcmp(getenv("ARENITE_MODE"), "gil") == 0));
  return 0;
}

int main(int argc, char **argv) {
  if (is_inner)
    return inner();
  (void)argc;
  int said[2];
  REQUIRE(pipe(said) == 0);
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(said[1], STDOUT_FILENO);
    execl("/proc/self/exe", argv[0], "inner", (char *)NULL);
    _exit(127);
  }
  close(said[1]);
  char text[4096];
  size_t length = 0;
  for (ssize_t got; (got = read(said[0], text + length, sizeof text - 1 - length)) > 0;)
    length += (size_t)got;
  text[length] = '\0';
  int status;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (status || strcmp(text, expected) != 0) {
    fprintf(stderr, "status %#x, and it said:\n%s", status, text);
    return 1;
  }
  return 0;
}
