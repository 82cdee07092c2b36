/* live.h - the blocks of a process that are alive: a hash table from address to slot and size. */
#ifndef ARENITE_TRACE_LIVE_H
#define ARENITE_TRACE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_block {
  uint64_t address; /* 0: the place is empty */
  uint64_t size;
  uint32_t slot;
};

struct live_table {
  struct live_block *places; /* open addressing, linear; NULL when empty */
  size_t room, count;        /* room: a power of two */
};

/* Adds a block whose address is not there; false when out of memory. */
bool live_add(struct live_table *table, struct live_block block);
/* Takes a block out; false when it is not there. */
bool live_take(struct live_table *table, uint64_t address, struct live_block *block);
void live_free(struct live_table *table);

#endif
