/* main.c - the command `arenite`: finds the subcommand in a table and runs it. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#ifndef ARENITE_VERSION
#define ARENITE_VERSION "unknown"
#endif

static const struct command {
  const char *name;
  int (*run)(int argc, char **argv);
  const char *usage;
} commands[] = {
    {"record", arn_cmd_record,
     "record -o FILE|DIR/ -- PROGRAM [ARGS]   record what a program allocates"},
    {"trace", arn_cmd_trace,
     "trace FILE                              verify a recording and describe it"},
    {"replay", arn_cmd_replay,
     "replay FILE --mode=MODE [OPTIONS]       run a recording on an allocator"},
    {"compare", arn_cmd_compare,
     "compare [OPTIONS]                       record, replay and report"},
    {"bench", arn_cmd_bench,
     "bench pairs [OPTIONS]                   small loops against other allocators\n"
     "  arenite bench allocators [OPTIONS]              programs on other allocators"},
    {"run", arn_cmd_run,
     "run [OPTIONS] -- PROGRAM [ARGS]         run a program with Arenite as its malloc"},
};
enum { command_count = sizeof commands / sizeof commands[0] };

static void print_usage(FILE *out) {
  fprintf(out, "usage:\n");
  for (int i = 0; i < command_count; i++)
    fprintf(out, "  arenite %s\n", commands[i].usage);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    print_usage(stderr);
    return 2;
  }
  for (int i = 0; i < command_count; i++)
    if (strcmp(argv[1], commands[i].name) == 0)
      return commands[i].run(argc - 1, argv + 1);
  if (strcmp(argv[1], "--version") == 0) {
    printf("arenite %s\n", ARENITE_VERSION);
    return 0;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
    print_usage(stdout);
    return 0;
  }
  fprintf(stderr, "arenite: '%s' is not a command; 'arenite --help' lists them\n", argv[1]);
  return 2;
}
