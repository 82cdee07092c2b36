/* empty.c - a shared library with nothing in it: what it costs a process to have any library
 * preloaded, against which the start of an allocator is measured. */

extern const char empty_library[];
__attribute__((visibility("default"))) const char empty_library[] = "empty";
