/* exit_report.h - ARENITE_STATS: the statistics of the runtime behind malloc, at the end.
 *
 *   ARENITE_STATS=text|json[:FILE]    to FILE, %p in it being the process's number; or to standard
 *                                     error
 */
#ifndef ARN_MALLOC_EXIT_REPORT_H
#define ARN_MALLOC_EXIT_REPORT_H

/* Once, at the start of the process. */
void arn_exit_report_start(void);

/* Writes it, if it is asked for; what cannot be written is one sentence on standard error. */
void arn_exit_report(void);

#endif
