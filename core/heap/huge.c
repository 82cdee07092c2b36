/* huge.c - see huge.h. */
#include "huge.h"

#include <errno.h>

#include "os.h"

#define SLOT_BITS 16
#define SLOTS (UINT32_C(1) << SLOT_BITS)

/* Keys that are not addresses. */
enum { EMPTY = 0, GONE = 1, BUSY = 2 };

typedef struct entry {
  _Atomic uintptr_t key;
  _Atomic size_t size;
  _Atomic(arn_arenas *) set;
} entry;

/* Mapped when the first huge block is; kept. */
static _Atomic(entry *) table;

static size_t round_to_page(size_t size) {
  return (size + arn_os_page - 1) & ~(arn_os_page - 1);
}

static uint32_t slot_of(uintptr_t address) {
  /* Fibonacci hashing of the page number. */
  return (uint32_t)((uint64_t)(address / arn_os_page) * UINT64_C(0x9E3779B97F4A7C15) >>
                    (64 - SLOT_BITS));
}

static entry *get_table(void) {
  entry *have = load_acquire(&table); /* with the CAS below */
  if (have)
    return have;
  void *fresh;
  if (arn_os_map(&fresh, round_to_page(SLOTS * sizeof(entry))))
    return NULL;
  if (cas_acq_rel(&table, &have, fresh))
    return fresh;
  arn_os_unmap(fresh, round_to_page(SLOTS * sizeof(entry)));
  return load_acquire(&table);
}

static entry *find(const void *block) {
  entry *t = load_acquire(&table);
  uintptr_t address = (uintptr_t)block;
  if (!t || address % arn_os_page != 0 || address == 0)
    return NULL;
  uint32_t slot = slot_of(address);
  for (uint32_t i = 0; i < SLOTS; i++, slot = (slot + 1) % SLOTS) {
    uintptr_t key = load_acquire(&t[slot].key); /* with insert's release */
    if (key == address)
      return &t[slot];
    if (key == EMPTY)
      return NULL;
  }
  return NULL;
}

/* A slot near the hash of address, BUSY; NULL when all are in use. */
static entry *reserve(entry *t, uintptr_t address) {
  uint32_t slot = slot_of(address);
  for (uint32_t i = 0; i < SLOTS; i++, slot = (slot + 1) % SLOTS) {
    uintptr_t key = load_relaxed(&t[slot].key);
    if ((key == EMPTY || key == GONE) && cas_acq_rel(&t[slot].key, &key, BUSY))
      return &t[slot];
  }
  return NULL;
}

static bool insert(void *block, size_t size, arn_arenas *set) {
  entry *e = reserve(load_acquire(&table), (uintptr_t)block);
  if (!e)
    return false;
  store_relaxed(&e->size, size);
  store_relaxed(&e->set, set);
  store_release(&e->key, (uintptr_t)block); /* with find's acquire */
  return true;
}

void *arn_huge_alloc(arn_arenas *set, size_t size, size_t align) {
  arn_group *group = arn_arenas_group(set);
  size = round_to_page(size ? size : 1);
  size_t extra = align > arn_os_page ? align - arn_os_page : 0;
  if (size > PTRDIFF_MAX - extra || !get_table())
    goto out_of_memory;
  if (!arn_group_charge(group, size))
    goto out_of_memory;
  void *at;
  if (arn_os_map(&at, size + extra))
    goto discharge;
  if (extra) {
    char *aligned = (char *)(((uintptr_t)at + align - 1) & ~(align - 1));
    size_t before = (size_t)(aligned - (char *)at), after = extra - before;
    if (before)
      arn_os_unmap(at, before);
    if (after)
      arn_os_unmap(aligned + size, after);
    at = aligned;
  }
  if (!insert(at, size, set)) {
    arn_os_unmap(at, size);
    goto discharge;
  }
  if (arn_space.huge_pages)
    arn_os_huge_pages(at, size, true);
  add_relaxed(&group->huge_bytes, size);
  add_relaxed(&group->huge_blocks, 1);
  return at;

discharge:
  arn_group_discharge(group, size);
out_of_memory:
  errno = ENOMEM;
  return NULL;
}

bool arn_huge_free(void *block) {
  entry *e = find(block);
  if (!e)
    return false;
  size_t size = load_relaxed(&e->size);
  arn_group *group = arn_arenas_group(load_relaxed(&e->set));
  uintptr_t key = (uintptr_t)block;
  if (!cas_acq_rel(&e->key, &key, GONE))
    return false;
  /* When the system refuses to unmap, its pages at least go; the range is lost. */
  if (!arn_os_unmap(block, size))
    arn_os_purge(block, size);
  sub_relaxed(&group->huge_bytes, size);
  sub_relaxed(&group->huge_blocks, 1);
  arn_group_discharge(group, size);
  return true;
}

size_t arn_huge_size(const void *block) {
  entry *e = find(block);
  return e ? load_relaxed(&e->size) : 0;
}

void *arn_huge_resize(void *block, size_t size) {
  entry *e = find(block);
  size = round_to_page(size);
  size_t old_size = load_relaxed(&e->size);
  arn_arenas *set = load_relaxed(&e->set);
  arn_group *group = arn_arenas_group(set);
  if (size == old_size)
    return block;
  if (size > old_size && !arn_group_charge(group, size - old_size))
    return NULL;
  /* The old address is the system's as soon as the pages have moved, so the key goes before. */
  store_release(&e->key, BUSY);
  void *at = block;
  int error = arn_os_remap(&at, old_size, size);
  size_t now = error ? old_size : size;
  if (at != block && insert(at, now, set)) {
    store_release(&e->key, GONE);
  } else {
    /* Also when the table is full: then no slot of it is EMPTY or will be, so that a search goes
     * through all of it and finds the block wherever it is. */
    store_relaxed(&e->size, now);
    store_release(&e->key, (uintptr_t)at); /* with find's acquire */
  }
  if (error) {
    if (size > old_size)
      arn_group_discharge(group, size - old_size);
    return NULL;
  }
  if (size < old_size)
    arn_group_discharge(group, old_size - size);
  add_relaxed(&group->huge_bytes, size - old_size);
  return at;
}

/* A used entry's block, or NULL. */
static void *block_at(entry *e) {
  uintptr_t key = load_acquire(&e->key); /* with insert's release */
  return key <= BUSY ? NULL : (void *)key;
}

int arn_huge_each(const arn_group *group, int (*visitor)(void *block, size_t size, void *context),
                  void *context) {
  entry *t = load_acquire(&table);
  if (!t || load_relaxed(&group->huge_blocks) == 0)
    return 0;
  for (uint32_t slot = 0; slot < SLOTS; slot++) {
    void *block = block_at(&t[slot]);
    if (!block || arn_arenas_group(load_relaxed(&t[slot].set)) != group)
      continue;
    int result = visitor(block, load_relaxed(&t[slot].size), context);
    if (result)
      return result;
  }
  return 0;
}

void arn_huge_free_all(const arn_arenas *set) {
  entry *t = load_acquire(&table);
  if (!t || load_relaxed(&arn_arenas_group(set)->huge_blocks) == 0)
    return;
  for (uint32_t slot = 0; slot < SLOTS; slot++) {
    void *block = block_at(&t[slot]);
    if (block && load_relaxed(&t[slot].set) == set)
      arn_huge_free(block);
  }
}

static int add_size(void *block, size_t size, void *context) {
  (void)block;
  *(size_t *)context += size;
  return 0;
}

size_t arn_huge_count(const arn_group *group) {
  size_t bytes = 0;
  arn_huge_each(group, add_size, &bytes);
  return bytes;
}
