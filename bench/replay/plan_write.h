/* plan_write.h - from a trace to a plan's file. */
#ifndef ARENITE_REPLAY_PLAN_WRITE_H
#define ARENITE_REPLAY_PLAN_WRITE_H

#include "replay/plan.h"
#include "trace/trace.h"

/* Writes the plan to fd. 0; or 2 for a damaged trace and 1 for what else fails, with one sentence
 * in message. */
int plan_write(int fd, struct trace_reader *reader, bool own, char message[TRACE_MESSAGE]);

#endif
