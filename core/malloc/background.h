/* background.h - ARENITE_BACKGROUND=on: a thread of ours that gives memory back while nobody calls
 * malloc.
 *
 * malloc's slow path gives back what is due; a process that has gone quiet never comes there. The
 * thread calls arn_idle in its stead. It reaches what arn_idle does from any thread: what lies free in
 * arenas, heaps of threads that have ended, and with a GIL the one heap too.
 */
#ifndef ARN_MALLOC_BACKGROUND_H
#define ARN_MALLOC_BACKGROUND_H

/* From the library's constructor: reads the setting, and starts the thread if it is on. */
void arn_background_start(void);

/* In the child of a fork the thread is not there. It comes back when another thread than the one that
 * forked does: a child that only calls exec never pays for it, and one that makes threads does what
 * ours needs done anyway. From where a thread is let in, before it is in the middle of anything. */
void arn_background_look(void);

#endif
