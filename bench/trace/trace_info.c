/* trace_info.c - what a trace holds, as JSON. */
#include "trace/trace.h"

#include <inttypes.h>

void trace_info_json(const struct trace_info *info, FILE *out) {
  const struct {
    const char *name;
    uint64_t value;
  } members[] = {
      {"processes", info->processes},
      {"threads", info->threads},
      {"calls", info->calls},
      {"births", info->births},
      {"waits", info->waits},
      {"peak_blocks", info->peak_blocks},
      {"peak_bytes", info->peak_bytes},
      {"mallocs", info->mallocs},
      {"callocs", info->callocs},
      {"reallocs", info->reallocs},
      {"aligneds", info->aligneds},
      {"frees", info->frees},
      {"null_frees", info->null_frees},
      {"exit_frees", info->exit_frees},
      {"implied_frees", info->implied_frees},
      {"unknown_frees", info->unknown_frees},
      {"cut", info->cut},
      {"duration_ns", info->duration_ns},
  };
  for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
    fprintf(out, "%s\"%s\": %" PRIu64, i ? ", " : "{", members[i].name, members[i].value);
  fprintf(out, "}\n");
}
