#!/bin/sh
# Does a recording hold every call that a program makes? A program with known numbers of calls is
# recorded with no work and with some; the difference is what the work called, and nothing else.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cat > "$tmp/calls.c" <<'C'
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define QUEUE 64
static void *queue[QUEUE];
static int head, tail, rounds;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static void *volatile kept;

static void *producer(void *unused) {
  for (int i = 0; i < rounds; i++) {
    void *block = malloc(16 + (size_t)i % 700);
    if (i % 3 == 0)
      block = realloc(block, 2000 + (size_t)i % 50);
    pthread_mutex_lock(&lock);
    while (head - tail == QUEUE)
      pthread_cond_wait(&changed, &lock);
    queue[head++ % QUEUE] = block;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
  }
  return unused;
}

static void *consumer(void *unused) {
  for (int i = 0; i < rounds; i++) {
    pthread_mutex_lock(&lock);
    while (head == tail)
      pthread_cond_wait(&changed, &lock);
    void *block = queue[tail++ % QUEUE];
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    free(block);
  }
  return unused;
}

int main(int argc, char **argv) {
  int n = argc > 1 ? atoi(argv[1]) : 0;
  for (int i = 0; i < n; i++) {
    void *blocks[8];
    blocks[0] = malloc((size_t)i);
    blocks[1] = calloc(3, (size_t)i);
    blocks[2] = realloc(NULL, 10);
    blocks[2] = reallocarray(blocks[2], 7, 100);
    blocks[3] = aligned_alloc(64, 640);
    if (posix_memalign(&blocks[4], 4096, 100))
      return 1;
    blocks[5] = memalign(32, 50);
    blocks[6] = valloc(10);
    blocks[7] = pvalloc(10);
    for (int b = 0; b < 8; b++)
      kept = blocks[b], free(kept);
    free(NULL);
  }
  rounds = 1000 * n;
  pthread_t a, b;
  pthread_create(&a, NULL, producer, NULL);
  pthread_create(&b, NULL, consumer, NULL);
  pthread_join(a, NULL);
  pthread_join(b, NULL);
  if (n && fork() == 0) { /* a child: its calls count, its frees of its parent's blocks do not */
    free(malloc(5));
    _exit(0);
  }
  return 0;
}
C
cc -O1 -w -fno-builtin -pthread -o "$tmp/calls" "$tmp/calls.c"

n=20
"$ARENITE" record -q -o "$tmp/none.arnt" -- "$tmp/calls" 0
"$ARENITE" record -q -o "$tmp/some.arnt" -- "$tmp/calls" $n
"$ARENITE" trace "$tmp/none.arnt" > "$tmp/none"
"$ARENITE" trace "$tmp/some.arnt" > "$tmp/some"

member() { sed -n "s/.*\"$2\": \([0-9]*\).*/\1/p" "$tmp/$1"; }
expect() { # MEMBER DIFFERENCE
  difference=$(($(member some "$1") - $(member none "$1")))
  if [ "$difference" != "$2" ]; then
    echo "$1: the program made $2 of these calls, the recording has $difference more than without" >&2
    cat "$tmp/none" "$tmp/some" >&2
    exit 1
  fi
}
moved=$(((1000 * n + 2) / 3))
expect mallocs $((n + 1000 * n + 1))
expect callocs $n
expect reallocs $((2 * n + moved))
expect aligneds $((5 * n))
expect frees $((8 * n + 1000 * n + 1))
expect null_frees $n
expect implied_frees 0
expect unknown_frees 0
expect processes 1
[ "$(member none threads)" = 3 ] || { echo "three threads, but: $(cat "$tmp/none")" >&2; exit 1; }

# Its blocks pass from thread to thread: as recorded, the frees wait for the allocations.
for mode in null system free-threaded gil; do
  "$ARENITE" replay "$tmp/some.arnt" --mode=$mode --threads=own --check --passes=3
done
echo "every call is recorded"
