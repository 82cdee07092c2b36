/* runtime.h - runtimes, and threads that come and go.
 *
 * A runtime is one world: a mode, heaps, threads, and in GIL mode the lock. Several can exist in
 * one process, in both modes, side by side. A thread is attached to at most one runtime at a time.
 *
 *   detached --arn_thread_attach--> attached --arn_thread_detach--> detached
 *   attached --arn_save_thread----> away     --arn_restore_thread-> attached
 *
 * In GIL mode "attached" means: holds the GIL. "Away" is the state of a thread around a blocking
 * call (CPython's PyEval_SaveThread and Py_BEGIN_ALLOW_THREADS); allocating then is an error that
 * ends the process with a sentence, in both modes alike.
 */
#ifndef ARENITE_RUNTIME_H
#define ARENITE_RUNTIME_H

#include <arenite/api.h>
#include <arenite/config.h>

ARN_BEGIN_DECLS

/* A thread's membership of a runtime (CPython's PyThreadState). Opaque. */
typedef struct arn_thread arn_thread;

/* Creates a runtime. config NULL: arn_config_init's. 0; ENOMEM; EINVAL for a config that makes no
 * sense. The calling thread is not attached by it. Any thread. */
ARN_API int arn_runtime_create(arn_runtime **runtime, const arn_config *config);

/* Gives back everything: every block of the runtime, its arenas, its heaps. No thread may be
 * attached or away: that ends the process with a sentence. NULL does nothing. Any thread.
 *
 * In a process whose malloc is Arenite's (arenite/malloc.h), what libc allocated while a thread was
 * attached is the runtime's, and libc goes on using it; so a runtime that has blocks left stays there
 * for good, and they with it: free them before. */
ARN_API void arn_runtime_destroy(arn_runtime *runtime);

ARN_API arn_mode arn_runtime_mode(const arn_runtime *runtime);

/* Attaches the calling thread: gives it a heap (an orphan's, when there is one) or, in GIL mode,
 * waits for the GIL. 0; ENOMEM; EBUSY when the thread is attached or away already. */
ARN_API int arn_thread_attach(arn_runtime *runtime);

/* Detaches the calling thread; its heap becomes an orphan, or the GIL is dropped. Does nothing on a
 * thread that is not attached. A thread that ends attached is detached by itself. */
ARN_API void arn_thread_detach(void);

/* The runtime that the calling thread is attached to, or NULL (detached or away). */
ARN_API arn_runtime *arn_runtime_current(void);

/* Around a call that may block: arn_save_thread drops the GIL and returns what arn_restore_thread
 * needs to take it again, on the same thread. Between them the thread may not touch the heap.
 * arn_save_thread on a thread that is not attached ends the process with a sentence. */
ARN_API arn_thread *arn_save_thread(void);
ARN_API void arn_restore_thread(arn_thread *thread);

#define ARN_BEGIN_ALLOW_THREADS                                                                    \
  {                                                                                                \
    arn_thread *arn_saved_thread = arn_save_thread();
#define ARN_END_ALLOW_THREADS                                                                      \
  arn_restore_thread(arn_saved_thread);                                                            \
  }

/* Where an attached thread offers to drop the GIL. Cheap when nobody waits; the thread may lose the
 * GIL inside and comes back holding it. Free-threaded it only looks after deferred work that is
 * over its budget. Does nothing on a thread that is not attached. */
ARN_API void arn_safepoint(void);

ARN_END_DECLS
#endif
