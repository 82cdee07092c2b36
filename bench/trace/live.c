/* live.c - an open-addressed hash table. A removal moves later entries up, so there are no marks to
 * clean up, however long a recording is. */
#include "trace/live.h"

#include <stdlib.h>

static size_t home(const struct live_table *table, uint64_t address) {
  return (size_t)((address >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (table->room - 1);
}

static void place(struct live_table *table, struct live_block block) {
  size_t at = home(table, block.address);
  while (table->places[at].address)
    at = (at + 1) & (table->room - 1);
  table->places[at] = block;
}

bool live_add(struct live_table *table, struct live_block block) {
  if (2 * (table->count + 1) > table->room) {
    struct live_table larger = {.room = table->room ? 2 * table->room : 256};
    larger.places = calloc(larger.room, sizeof *larger.places);
    if (!larger.places)
      return false;
    for (size_t i = 0; i < table->room; i++)
      if (table->places[i].address)
        place(&larger, table->places[i]);
    free(table->places);
    table->places = larger.places;
    table->room = larger.room;
  }
  place(table, block);
  table->count++;
  return true;
}

bool live_take(struct live_table *table, uint64_t address, struct live_block *block) {
  if (table->count == 0 || address == 0) /* NULL is nowhere */
    return false;
  size_t mask = table->room - 1, at = home(table, address);
  while (table->places[at].address != address) {
    if (!table->places[at].address)
      return false;
    at = (at + 1) & mask;
  }
  *block = table->places[at];
  /* Close the gap: an entry moves up unless that would put it before its home. */
  for (size_t next = (at + 1) & mask; table->places[next].address; next = (next + 1) & mask) {
    size_t wanted = home(table, table->places[next].address);
    if (((next - wanted) & mask) >= ((next - at) & mask)) {
      table->places[at] = table->places[next];
      at = next;
    }
  }
  table->places[at].address = 0;
  table->count--;
  return true;
}

void live_free(struct live_table *table) {
  free(table->places);
  *table = (struct live_table){0};
}
