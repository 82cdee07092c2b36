/* cmd_bench.c - `arenite bench NAME`: finds the benchmark in a table. */
#include "cli/commands.h"
#include "pairs.h"
#include "pairs_child.h"
#include "race/cmd_allocators.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: arenite bench pairs [OPTIONS]\n"
                            "malloc and free of 16, 64 and 512 bytes, 10,000 live blocks, one "
                            "thread: Arenite in both modes\n"
                            "against the system's allocator, mimalloc and jemalloc.\n"
                            "  --rounds=N   median of N rounds, 1 to 99 (default 7)\n"
                            "  --json       one JSON object instead of the table\n";

static int bench_pairs(int argc, char **argv) {
  static const struct option longs[] = {{"rounds", required_argument, NULL, 'r'},
                                        {"json", no_argument, NULL, 'j'},
                                        {"help", no_argument, NULL, 'h'},
                                        {"child", required_argument, NULL, 'c'},
                                        {"row-seconds", required_argument, NULL, 's'},
                                        {NULL, 0, NULL, 0}};
  /* 7 rounds of 5 contestants with 9 rows each: 8 seconds. */
  long rounds = 7;
  double row_seconds = 0.02;
  bool json = false;
  const char *child = NULL; /* --child and --row-seconds are pairs.c's to its own processes */
  char *end;
  optind = 0;
  for (int option; (option = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
    switch (option) {
    case 'r':
      errno = 0;
      rounds = strtol(optarg, &end, 10);
      if (errno != 0 || end == optarg || *end != '\0' || rounds < 1 || rounds > 99) {
        fprintf(stderr,
                "arenite bench pairs: --rounds wants a whole number from 1 to 99, not \"%s\".\n",
                optarg);
        return 2;
      }
      break;
    case 'j':
      json = true;
      break;
    case 'h':
      fputs(usage, stdout);
      return 0;
    case 'c':
      child = optarg;
      break;
    case 's':
      row_seconds = strtod(optarg, NULL);
      break;
    default:
      fputs(usage, stderr);
      return 2;
    }
  }
  if (optind < argc) {
    fprintf(stderr, "arenite bench pairs: \"%s\" is not an option; --help lists them.\n",
            argv[optind]);
    return 2;
  }
  if (child != NULL)
    return pairs_child(child, row_seconds);
  return pairs_run((int)rounds, row_seconds, json);
}

static const struct bench {
  const char *name;
  int (*run)(int argc, char **argv); /* argv[0] is the name */
} benches[] = {{"pairs", bench_pairs}, {"allocators", bench_allocators}};
enum { BENCHES = sizeof benches / sizeof benches[0] };

int arn_cmd_bench(int argc, char **argv) {
  for (int i = 0; argc > 1 && i < BENCHES; i++)
    if (strcmp(argv[1], benches[i].name) == 0)
      return benches[i].run(argc - 1, argv + 1);
  bool help = argc > 1 && strcmp(argv[1], "--help") == 0;
  FILE *out = help ? stdout : stderr;
  if (argc > 1 && !help)
    fprintf(out, "arenite bench: there is no benchmark \"%s\"; there are:", argv[1]);
  else
    fprintf(out, "usage: arenite bench NAME [OPTIONS]; the benchmarks are:");
  for (int i = 0; i < BENCHES; i++)
    fprintf(out, "%s %s", i > 0 ? "," : "", benches[i].name);
  fprintf(out, ".\n");
  return help ? 0 : 2;
}
