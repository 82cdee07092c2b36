/* arenite.h - the whole of Arenite's public interface.
 *
 * A program starts with arn_runtime_create and arn_thread_attach (arenite/runtime.h) and then
 * allocates with arn_malloc and its kin (arenite/heap.h).
 */
#ifndef ARENITE_H
#define ARENITE_H

#include <arenite/api.h>
#include <arenite/config.h>
#include <arenite/domain.h>
#include <arenite/heap.h>
#include <arenite/inspect.h>
#include <arenite/runtime.h>
#include <arenite/stats.h>

#endif
