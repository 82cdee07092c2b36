/* server.h - a redis server that is started, loaded and ended: a real program that is timed by its
 * client. */
#ifndef ARENITE_BENCH_SERVER_H
#define ARENITE_BENCH_SERVER_H

#include "launch.h"

/* Starts the server, which listens on redis.sock in its directory, runs the load against it and
 * ends it. The seconds, the status and the text are the load's, the peak of memory is the
 * server's. */
void server_run(const struct launch *server, const struct launch *load, struct launched *launched);

#endif
