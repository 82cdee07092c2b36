/* unaware.c - a program that knows nothing of Arenite and never calls malloc: its libc does, for the
 * buffer of the standard output. */
#include <stdio.h>

int main(void) {
  return puts("hello") < 0;
}
