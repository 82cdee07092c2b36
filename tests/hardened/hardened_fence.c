/* hardened_fence.c - behind a large block is a slot that nobody may touch, also after it was resized;
 * when the block is gone, all of it may be used again. */
#include "hardened.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>

static sigjmp_buf back;
static char *volatile faulted;

static void on_fault(int number, siginfo_t *what, void *context) {
  (void)number, (void)context;
  faulted = what->si_addr;
  siglongjmp(back, 1);
}

/* The whole block is the program's, and the first byte behind it nobody's. */
static void expect_fence(char *block, size_t asked) {
  size_t size = arn_usable_size(block);
  REQUIRE(size >= asked && size < asked + arn_geometry_get().pool_size);
  memset(block, 1, size);
  faulted = NULL;
  if (sigsetjmp(back, 1) == 0)
    *(volatile char *)(block + size) = 1;
  REQUIRE(faulted == block + size);
}

int main(void) {
  if (support_is_classic())
    return 77; /* large blocks are libc's */
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  begin();
  size_t arena = arn_geometry_get().arena_size;
  size_t sizes[] = {40000, arena / 2, arena - arena / 16, arena + 1, 3 * arena, 32 << 20};
  for (int round = 0; round < 3; round++)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      char *block = arn_malloc(sizes[i]);
      expect_fence(block, sizes[i]);
      size_t other = sizes[i] / 2;
      other = other > 33000 ? other : 33000;
      block = arn_realloc(block, other);
      expect_fence(block, other);
      block = arn_realloc(block, sizes[i]);
      expect_fence(block, sizes[i]);
      support_check(runtime);
      arn_free(block);
    }
  /* More than there may be guards, in what was behind fences before; the end frees some of them. */
  static char *many[10000];
  for (int i = 0; i < 10000; i++) {
    many[i] = arn_malloc(40000);
    memset(many[i], 2, arn_usable_size(many[i]));
  }
  REQUIRE(support_mappings() < 40000);
  for (int i = 0; i < 10000; i += 2)
    arn_free(many[i]);
  support_end(runtime);
  REQUIRE(support_mappings() < 1000);
  begin();
  for (int i = 0; i < 10000; i++)
    memset(arn_malloc(SMALL * 100), 3, SMALL * 100);
  support_end(runtime);
  return 0;
}
