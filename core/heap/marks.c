/* marks.c - see marks.h. Compiled in the hardened build only. */
#include "marks.h"

#include "os.h"
#include "panic.h"

arn_mark *arn_marks;

_Noreturn void arn_mark_broken(const void *block, uint32_t class) {
  arn_panic("%p is on a list of free blocks of %u bytes and is none: one was overwritten, or freed "
            "by two threads at once",
            block, arn_classes[class].size);
}

void arn_mark_out_foreign(const void *block, uint32_t class) {
  arn_mark *mark = arn_mark_of(block);
  uint64_t bit = arn_mark_bit(block);
  if (!(load_relaxed(&mark->allocated) & bit) || !(and_relaxed(&mark->elsewhere, ~bit) & bit))
    arn_mark_broken(block, class);
}

void arn_mark_home_foreign(const void *block) {
  arn_mark *mark = arn_mark_of(block);
  uint64_t bit = arn_mark_bit(block), allocated = load_relaxed(&mark->allocated);
  if (!(allocated & bit) || !(load_relaxed(&mark->elsewhere) & bit))
    arn_mark_broken(block, arn_pool_class(arn_pool_of(block)));
  /* In this order: at no time does it look as if the program had it. */
  store_relaxed(&mark->allocated, allocated & ~bit);
  and_relaxed(&mark->elsewhere, ~bit);
}

void arn_marks_open(const arn_pool *pool, uint32_t slots) {
  arn_mark *mark = arn_mark_of(arn_pool_base(pool));
  /* They are not zero after a runtime or an extra heap ended with blocks that nobody had freed. */
  for (size_t i = 0; i < slots * ARN_MARKS_PER_SLOT; i++) {
    if (load_relaxed(&mark[i].allocated))
      store_relaxed(&mark[i].allocated, 0);
    if (load_relaxed(&mark[i].elsewhere))
      store_relaxed(&mark[i].elsewhere, 0);
  }
}

void arn_marks_forget(uint32_t first, uint32_t count) {
  size_t size = ARN_POOLS_PER_ARENA * ARN_MARKS_PER_SLOT * sizeof(arn_mark);
  if (size % arn_os_page == 0) /* if the system refuses, they stay: arn_marks_open clears them */
    arn_os_purge((char *)arn_marks + first * size, count * size);
}
