/* cmd_trace.c - `arenite trace FILE`: verifies a recording, every frame of it, and says as one JSON
 * object what it holds. With --list it prints the operations instead, one a line. */
#include "cli/commands.h"
#include "trace/gap.h"
#include "trace/trace.h"

#include <inttypes.h>
#include <string.h>

static void print_operation(const struct trace_operation *o) {
  static const char *const names[] = {"malloc", "calloc", "realloc", "aligned",
                                      "free",   "wait",   "end"};
  printf("%" PRIu32 " +%" PRIu64 " %s", o->thread, gap_to_ns(o->gap), names[o->op]);
  if (o->op <= TRACE_FREE)
    printf(" %" PRIu32, o->slot);
  if (o->op <= TRACE_ALIGNED)
    printf(" %" PRIu64, o->size);
  if (o->op == TRACE_ALIGNED)
    printf(" %" PRIu64, UINT64_C(1) << o->alignment_log2);
  if (o->op == TRACE_BLOCK)
    printf(" %u %" PRIu64, o->wait, gap_to_ns(o->duration));
  putchar('\n');
}

int arn_cmd_trace(int argc, char **argv) {
  bool list = argc == 3 && strcmp(argv[1], "--list") == 0;
  if (argc != 2 + list || (!list && argv[1][0] == '-')) {
    fprintf(stderr, "usage: arenite trace [--list] FILE\n");
    return 2;
  }
  char message[TRACE_MESSAGE];
  struct trace_reader *reader;
  if (trace_reader_open(&reader, argv[argc - 1], message) != 0) {
    fprintf(stderr, "arenite trace: %s\n", message);
    return 2;
  }
  struct trace_operation operation;
  int more;
  while ((more = trace_read(reader, &operation, message)) > 0)
    if (list)
      print_operation(&operation);
  if (more < 0)
    fprintf(stderr, "arenite trace: %s\n", message);
  else if (!list)
    trace_info_json(trace_reader_info(reader), stdout);
  trace_reader_close(reader);
  return more < 0 ? 2 : 0;
}
