// timeout: 20
/* malloc_outlives.c - what libc allocates lives as long as libc says: also when a thread that was
 * attached to a runtime of the program's own asked for it, and that runtime has ended since. The
 * smallest program that shows it prints while it is attached, and ends.
 */
#include "served.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A buffer of stdio, made while attached, and used after the runtime. */
static void a_stream(arn_runtime *runtime, FILE *out) {
  REQUIRE(arn_thread_attach(runtime) == 0);
  REQUIRE(fprintf(out, "attached\n") > 0);
  arn_thread_detach();
  arn_runtime_destroy(runtime);
  REQUIRE(fprintf(out, "and not any more\n") > 0);
}

/* A block that a thread keeps until its end: the values of keys behind the first 32. */
static void *a_key(void *context) {
  pthread_key_t key = 0;
  for (int i = 0; i < 40; i++)
    REQUIRE(pthread_key_create(&key, NULL) == 0);
  REQUIRE(arn_thread_attach(context) == 0);
  REQUIRE(pthread_setspecific(key, &key) == 0);
  arn_thread_detach();
  arn_runtime_destroy(context);
  REQUIRE(pthread_getspecific(key) == &key);
  return NULL;
}

int main(int argc, char **argv) {
  if (argc > 1) {
    arn_runtime *runtime;
    arn_config config = support_config(argv[1][0] == 'g' ? ARN_MODE_GIL : ARN_MODE_FREE_THREADED);
    REQUIRE(arn_runtime_create(&runtime, &config) == 0);
    a_stream(runtime, stdout);
    REQUIRE(arn_runtime_create(&runtime, &config) == 0);
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, a_key, runtime) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
    return 0;
  }
  char *const modes[] = {"free-threaded", "gil"};
  for (int i = 0; i < 2; i++) {
    int said[2];
    REQUIRE(pipe(said) == 0);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      dup2(said[1], STDOUT_FILENO);
      execl("/proc/self/exe", argv[0], modes[i], (char *)NULL);
      _exit(127);
    }
    close(said[1]);
    char text[256] = "";
    ssize_t length = read(said[0], text, sizeof text - 1);
    close(said[0]);
    int status;
    REQUIRE(waitpid(child, &status, 0) == child);
    if (status || length < 0 || strcmp(text, "attached\nand not any more\n") != 0) {
      fprintf(stderr, "a %s runtime of its own: status %#x, said: %s\n", modes[i], status, text);
      return 1;
    }
  }
  return 0;
}
