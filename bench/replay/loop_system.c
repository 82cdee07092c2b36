/* loop_system.c - the timed loop on the process's own malloc, whichever that is (LD_PRELOAD may
 * say). */
#include "replay/loop.h"

LOOP_DEFINE(replay_loop_system, LOOP_SYSTEM)
