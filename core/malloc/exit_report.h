/* exit_report.h - ARENITE_STATS: the statistics of the runtime behind malloc, at the end.
 *
 *   ARENITE_STATS=text|json[:FILE]    to FILE, %p in it being the process's number; or to standard
 *                                     error
 */
#ifndef ARN_MALLOC_EXIT_REPORT_H
#define ARN_MALLOC_EXIT_REPORT_H

/* Writes it, if it is asked for; what cannot be written is one sentence on standard error. */
void arn_exit_report(void);

#endif
