/* cmd_allocators.h - the race of allocators, as a benchmark of `arenite bench`. */
#ifndef ARENITE_BENCH_CMD_ALLOCATORS_H
#define ARENITE_BENCH_CMD_ALLOCATORS_H

/* argv[0] is its name; the exit status. */
int bench_allocators(int argc, char **argv);

#endif
