/* commands.h - the subcommands of `arenite`.
 *
 * Each is one function that gets the words of the command line from its own name on, and returns
 * the exit status: 0, 1 when the work failed, 2 when the command line or a file is not what it
 * should be (with one sentence on standard error). */
#ifndef ARENITE_BENCH_COMMANDS_H
#define ARENITE_BENCH_COMMANDS_H

int arn_cmd_record(int argc, char **argv);  /* record/cmd_record.c */
int arn_cmd_trace(int argc, char **argv);   /* trace/cmd_trace.c */
int arn_cmd_replay(int argc, char **argv);  /* replay/cmd_replay.c */
int arn_cmd_compare(int argc, char **argv); /* compare/cmd_compare.c */
int arn_cmd_bench(int argc, char **argv);   /* pairs/cmd_bench.c */
int arn_cmd_run(int argc, char **argv);     /* launch/cmd_run.c */

#endif
