/* cmd_convert.h - from the recorder's files to one trace. */
#ifndef ARENITE_CONVERT_H
#define ARENITE_CONVERT_H

#include "trace/trace.h"

/* Makes the trace at path of all files in directory; with a manifest, writes there what each
 * process was, as JSON. 0, or an errno, with one sentence in message. */
int convert(const char *directory, const char *path, const char *manifest, struct trace_info *info,
            char message[TRACE_MESSAGE]);

#endif
