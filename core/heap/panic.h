/* panic.h - ending the process with one sentence.
 *
 * For misuse that is caught and invariants that are broken, where going on would corrupt memory.
 * The sentence goes to standard error in one write, with "arenite: " before it, and then abort(3).
 * It allocates nothing.
 */
#ifndef ARN_HEAP_PANIC_H
#define ARN_HEAP_PANIC_H

_Noreturn void arn_panic(const char *format, ...) __attribute__((format(printf, 1, 2), cold));

#endif
