/* loop_null.c - the timed loop on no allocator: what decoding and touching cost. */
#include "replay/loop.h"

LOOP_DEFINE(replay_loop_null, LOOP_NULL)
