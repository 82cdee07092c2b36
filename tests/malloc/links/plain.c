/* plain.c - a C program of the plainest kind: some blocks, a thread, a child. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *elsewhere(void *context) {
  free(context);
  return strdup("from another thread");
}

int main(void) {
  pthread_t thread;
  void *got = NULL;
  if (pthread_create(&thread, NULL, elsewhere, malloc(100)) || pthread_join(thread, &got) || !got)
    return 1;
  free(got);
  pid_t child = fork();
  if (child == 0) {
    free(malloc(1000));
    _exit(0);
  }
  int status;
  return waitpid(child, &status, 0) == child && status == 0 ? 0 : 2;
}
