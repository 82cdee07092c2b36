/* test_domains.c - the three domains and their tables, as PyMem_SetAllocator has them. */
#include "support.h"

#include "unit.h"

#include <errno.h>
#include <string.h>

static const arn_domain domains[] = {ARN_DOMAIN_RAW, ARN_DOMAIN_MEM, ARN_DOMAIN_OBJ};

/* A hook that counts and passes on to the table it replaced. */
struct counter {
  arn_allocator next;
  int mallocs, callocs, reallocs, frees;
};

static void *count_malloc(void *context, size_t size) {
  struct counter *counter = context;
  counter->mallocs++;
  return counter->next.malloc(counter->next.context, size);
}

static void *count_calloc(void *context, size_t count, size_t size) {
  struct counter *counter = context;
  counter->callocs++;
  return counter->next.calloc(counter->next.context, count, size);
}

static void *count_realloc(void *context, void *block, size_t size) {
  struct counter *counter = context;
  counter->reallocs++;
  return counter->next.realloc(counter->next.context, block, size);
}

static void count_free(void *context, void *block) {
  struct counter *counter = context;
  counter->frees++;
  counter->next.free(counter->next.context, block);
}

static void *domain_malloc(arn_domain domain, size_t size) {
  return domain == ARN_DOMAIN_RAW   ? arn_raw_malloc(size)
         : domain == ARN_DOMAIN_MEM ? arn_mem_malloc(size)
                                    : arn_obj_malloc(size);
}

static void *domain_calloc(arn_domain domain, size_t count, size_t size) {
  return domain == ARN_DOMAIN_RAW   ? arn_raw_calloc(count, size)
         : domain == ARN_DOMAIN_MEM ? arn_mem_calloc(count, size)
                                    : arn_obj_calloc(count, size);
}

static void *domain_realloc(arn_domain domain, void *block, size_t size) {
  return domain == ARN_DOMAIN_RAW   ? arn_raw_realloc(block, size)
         : domain == ARN_DOMAIN_MEM ? arn_mem_realloc(block, size)
                                    : arn_obj_realloc(block, size);
}

static void domain_free(arn_domain domain, void *block) {
  if (domain == ARN_DOMAIN_RAW)
    arn_raw_free(block);
  else if (domain == ARN_DOMAIN_MEM)
    arn_mem_free(block);
  else
    arn_obj_free(block);
}

/* One of each operation; contents are verified on the way. */
static void use(arn_domain domain) {
  void *block = domain_malloc(domain, 100);
  assert_non_null(block);
  support_fill(block, 100, 1);
  block = domain_realloc(domain, block, 5000);
  assert_non_null(block);
  assert_true(support_holds(block, 100, 100, 1));
  void *zeros = domain_calloc(domain, 7, 9);
  assert_non_null(zeros);
  assert_true(support_is_zero(zeros, 63));
  domain_free(domain, block);
  domain_free(domain, zeros);
  domain_free(domain, NULL);
}

/* Runs first, before the process has any runtime. */
static void raw_needs_no_runtime(void **state) {
  (void)state;
  assert_null(arn_runtime_current());
  use(ARN_DOMAIN_RAW);
}

static void defaults_work(void **state) {
  (void)state;
  arn_runtime *runtime = support_start(ARN_MODE_GIL);
  for (int i = 0; i < 3; i++)
    use(domains[i]);
  /* mem and obj are the thread's heap, raw is not. */
  uint64_t live = support_stats(runtime).live_bytes;
  void *raw = arn_raw_malloc(64);
  assert_int_equal(support_stats(runtime).live_bytes, live);
  void *mem = arn_mem_malloc(64), *obj = arn_obj_malloc(64);
  assert_int_equal(support_stats(runtime).live_bytes, live + 128);
  arn_raw_free(raw);
  arn_mem_free(mem);
  arn_obj_free(obj);
  ARN_BEGIN_ALLOW_THREADS
  use(ARN_DOMAIN_RAW); /* without the GIL */
  ARN_END_ALLOW_THREADS
  support_end(runtime);
}

static void hooks_see_the_calls(void **state) {
  (void)state;
  arn_runtime *runtime = support_start(ARN_MODE_FREE_THREADED);
  for (int i = 0; i < 3; i++) {
    struct counter counter = {.mallocs = 0};
    assert_int_equal(arn_allocator_get(domains[i], &counter.next), 0);
    arn_allocator hook = {&counter, count_malloc, count_calloc, count_realloc, count_free};
    assert_int_equal(arn_allocator_set(domains[i], &hook), 0);
    arn_allocator now;
    assert_int_equal(arn_allocator_get(domains[i], &now), 0);
    assert_memory_equal(&now, &hook, sizeof now);
    use(domains[i]);
    for (int other = 0; other < 3; other++)
      if (other != i)
        use(domains[other]); /* of these it sees nothing */
    assert_int_equal(counter.mallocs, 1);
    assert_int_equal(counter.callocs, 1);
    assert_int_equal(counter.reallocs, 1);
    assert_in_range(counter.frees, 2, 3); /* free of NULL may be left out */
    assert_int_equal(arn_allocator_set(domains[i], NULL), 0);
    assert_int_equal(arn_allocator_get(domains[i], &now), 0);
    assert_memory_equal(&now, &counter.next, sizeof now);
    use(domains[i]);
    assert_int_equal(counter.mallocs, 1);
  }
  support_end(runtime);
}

static void *no_malloc(void *context, size_t size) {
  (void)context;
  (void)size;
  errno = ENOMEM;
  return NULL;
}

static void failure_passes_through(void **state) {
  (void)state;
  arn_allocator table;
  assert_int_equal(arn_allocator_get(ARN_DOMAIN_RAW, &table), 0);
  table.malloc = no_malloc;
  assert_int_equal(arn_allocator_set(ARN_DOMAIN_RAW, &table), 0);
  errno = 0;
  assert_null(arn_raw_malloc(1));
  assert_int_equal(errno, ENOMEM);
  assert_int_equal(arn_allocator_set(ARN_DOMAIN_RAW, NULL), 0);
  use(ARN_DOMAIN_RAW);
}

static void bad_tables_are_refused(void **state) {
  (void)state;
  arn_allocator good, bad, now;
  assert_int_equal(arn_allocator_get(ARN_DOMAIN_OBJ, &good), 0);
  for (int i = 0; i < 4; i++) {
    bad = good;
    if (i == 0)
      bad.malloc = NULL;
    else if (i == 1)
      bad.calloc = NULL;
    else if (i == 2)
      bad.realloc = NULL;
    else
      bad.free = NULL;
    assert_int_equal(arn_allocator_set(ARN_DOMAIN_OBJ, &bad), EINVAL);
  }
  assert_int_equal(arn_allocator_set((arn_domain)3, &good), EINVAL);
  assert_int_equal(arn_allocator_get((arn_domain)3, &now), EINVAL);
  assert_int_equal(arn_allocator_get(ARN_DOMAIN_OBJ, &now), 0);
  assert_memory_equal(&now, &good, sizeof now);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(raw_needs_no_runtime),   cmocka_unit_test(defaults_work),
      cmocka_unit_test(hooks_see_the_calls),    cmocka_unit_test(failure_passes_through),
      cmocka_unit_test(bad_tables_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
