/* loop_arenite.c - the timed loop on Arenite's heap, in both of its modes: the GIL is the library's
 * business. */
#include "replay/loop.h"

LOOP_DEFINE(replay_loop_arenite, LOOP_ARENITE)
