/* obmalloc_model.c - the rules of obmalloc_model.h, in their order.
 *
 * Lists are arrays that are searched, because a model must be plain rather than fast; only
 * usedpools keeps its head at the end, where CPython's operations happen.
 */
#include "support.h"

#include "obmalloc_model.h"

#include <stdlib.h>
#include <string.h>

struct model *model_create(void) {
  struct model *model = calloc(1, sizeof *model);
  REQUIRE(model != NULL);
  return model;
}

static unsigned capacity_of(const struct model_pool *pool) {
  return MODEL_POOL_SIZE / ((unsigned)(pool->size_class + 1) * MODEL_STEP);
}

static void link_used(struct model *model, int size_class, unsigned id) {
  model->usedpools[size_class][model->usedpools_count[size_class]++] = (uint16_t)id;
}

static void unlink_used(struct model *model, int size_class, unsigned id) {
  uint16_t *list = model->usedpools[size_class];
  unsigned at = --model->usedpools_count[size_class];
  while (list[at] != id) {
    REQUIRE(at > 0);
    at--;
  }
  unsigned behind = model->usedpools_count[size_class] - at;
  memmove(list + at, list + at + 1, behind * sizeof *list);
}

static void unlink_usable(struct model *model, unsigned arena) {
  unsigned at = 0;
  while (model->usable[at] != arena)
    REQUIRE(++at < model->usable_count);
  model->usable_count--;
  memmove(model->usable + at, model->usable + at + 1,
          (model->usable_count - at) * sizeof *model->usable);
}

/* Rule 5: before the first arena that has as many free pools, or more. */
static void link_usable(struct model *model, unsigned arena) {
  unsigned at = 0, free_pools = model->arenas[arena].free_pools;
  while (at < model->usable_count && model->arenas[model->usable[at]].free_pools < free_pools)
    at++;
  memmove(model->usable + at + 1, model->usable + at,
          (model->usable_count - at) * sizeof *model->usable);
  model->usable[at] = (uint16_t)arena;
  model->usable_count++;
}

/* Rule 3. */
static void new_arena(struct model *model) {
  unsigned number = 0;
  while (model->arenas[number].held)
    REQUIRE(++number < MODEL_ARENAS);
  struct model_arena *arena = &model->arenas[number];
  arena->held = 1;
  arena->free_pools = MODEL_POOLS;
  arena->never_used = 0;
  arena->emptied = 0;
  for (int i = 0; i < MODEL_POOLS; i++)
    arena->pools[i].size_class = -1;
  model->held++;
  link_usable(model, number);
}

/* Rule 2: the id of an empty pool, linked to usedpools. */
static void take_pool(struct model *model, int size_class) {
  if (model->usable_count == 0)
    new_arena(model);
  unsigned number = model->usable[0];
  struct model_arena *arena = &model->arenas[number];
  unsigned index = arena->emptied > 0 ? arena->freepools[--arena->emptied] : arena->never_used++;
  if (--arena->free_pools == 0)
    unlink_usable(model, number);
  struct model_pool *pool = &arena->pools[index];
  if (!MODEL_KEEPS_LIST || pool->size_class != size_class) {
    pool->size_class = (int16_t)size_class;
    pool->used = pool->freed = pool->untouched = 0;
  }
  link_used(model, size_class, number * MODEL_POOLS + index);
}

/* Rule 1. */
struct model_place model_malloc(struct model *model, size_t size) {
  int size_class = (int)((size - 1) / MODEL_STEP);
  if (model->usedpools_count[size_class] == 0)
    take_pool(model, size_class);
  unsigned id = model->usedpools[size_class][model->usedpools_count[size_class] - 1];
  struct model_pool *pool = &model->arenas[id / MODEL_POOLS].pools[id % MODEL_POOLS];
  unsigned block = pool->freed > 0 ? pool->list[--pool->freed] : pool->untouched++;
  if (++pool->used == capacity_of(pool))
    unlink_used(model, size_class, id);
  return (struct model_place){(uint16_t)(id / MODEL_POOLS), (uint16_t)(id % MODEL_POOLS),
                              (uint16_t)(block * (unsigned)(size_class + 1) * MODEL_STEP)};
}

/* Rules 5 and 6: the arena has one free pool more. */
static void pool_emptied(struct model *model, unsigned number, unsigned index) {
  struct model_arena *arena = &model->arenas[number];
  if (arena->free_pools > 0)
    unlink_usable(model, number);
  arena->freepools[arena->emptied++] = (uint16_t)index;
  if (++arena->free_pools < MODEL_POOLS) {
    link_usable(model, number);
    return;
  }
  arena->held = 0;
  model->held--;
  model->reclaimed++;
}

/* Rule 4. */
void model_free(struct model *model, struct model_place place) {
  unsigned id = place.arena * MODEL_POOLS + (unsigned)place.pool;
  struct model_pool *pool = &model->arenas[place.arena].pools[place.pool];
  int size_class = pool->size_class;
  if (pool->used == capacity_of(pool))
    link_used(model, size_class, id);
  pool->list[pool->freed++] = (uint16_t)(place.offset / ((unsigned)(size_class + 1) * MODEL_STEP));
  if (--pool->used == 0) {
    unlink_used(model, size_class, id);
    pool_emptied(model, place.arena, place.pool);
  }
}
