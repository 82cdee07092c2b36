/* app.c - a user's first program, in C and in C++: says the version of the headers that it saw. */
#include <arenite.h>
#include <stdio.h>

#define TEXT(x) #x
#define VERSION(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

int main(void)
{
  arn_runtime *runtime;
  if (arn_runtime_create(&runtime, NULL) != 0 || arn_thread_attach(runtime) != 0)
    return 1;
  arn_free(arn_malloc(100));
  arn_thread_detach();
  arn_runtime_destroy(runtime);
  return puts(VERSION(ARN_VERSION_MAJOR, ARN_VERSION_MINOR, ARN_VERSION_PATCH)) < 0;
}
