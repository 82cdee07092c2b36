/* link.c - see link.h. Compiled in the hardened build only. */
#include "link.h"

#include "chance.h"
#include "panic.h"

uintptr_t arn_link_key;

void arn_link_start(void) {
  arn_link_key = arn_chance_seed();
}

_Noreturn void arn_link_broken(const void *block) {
  arn_panic("the free block %p was overwritten: its link leads to no block", block);
}
