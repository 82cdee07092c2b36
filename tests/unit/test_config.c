/* test_config.c - the table of ARENITE_ variables in config.h: each is read, each default stands,
 * and what does not parse gives EINVAL and a sentence that names the variable.
 *
 * Every case runs in a child, because some of the settings are read once per process.
 */
#include "support.h"

#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const variables[] = {
    "ARENITE_MODE",    "ARENITE_LIMIT",           "ARENITE_PURGE_DELAY_MS",
    "ARENITE_RESERVE", "ARENITE_SWITCH_INTERVAL", "ARENITE_DEFERRED_BUDGET",
    "ARENITE_ARENAS",  "ARENITE_HUGE_PAGES"};

struct result {
  int error;
  arn_config config;
  char sentence[1024]; /* what went to standard error */
};

/* arn_config_init in a child whose environment has name=value (NULL: none of ours). */
static struct result init_with(const char *name, const char *value) {
  struct result result;
  memset(&result, 0, sizeof result);
  int answer[2], errors[2];
  assert_int_equal(pipe(answer), 0);
  assert_int_equal(pipe(errors), 0);
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
      unsetenv(variables[i]);
    if (name != NULL)
      setenv(name, value, 1);
    dup2(errors[1], STDERR_FILENO);
    memset(&result.config, 0, sizeof result.config);
    result.error = arn_config_init(&result.config);
    /* A runtime can be made of it in every case. */
    arn_runtime *runtime = support_start_with(&result.config);
    void *block = arn_malloc(100);
    REQUIRE(block != NULL);
    support_end(runtime);
    fflush(stderr);
    _exit(write(answer[1], &result, sizeof result) == (ssize_t)sizeof result ? 0 : 1);
  }
  close(answer[1]);
  close(errors[1]);
  bool complete = read(answer[0], &result, sizeof result) == (ssize_t)sizeof result;
  ssize_t length = read(errors[0], result.sentence, sizeof result.sentence - 1);
  result.sentence[length > 0 ? length : 0] = '\0';
  close(answer[0]);
  close(errors[0]);
  int status;
  waitpid(child, &status, 0);
  if (!complete || status != 0)
    fail_msg("%s=%s: the child ended with %#x: %s", name, value, (unsigned)status, result.sentence);
  return result;
}

static void defaults(void **state) {
  (void)state;
  struct result result = init_with(NULL, NULL);
  assert_int_equal(result.error, 0);
  assert_string_equal(result.sentence, "");
  assert_int_equal(result.config.mode, ARN_MODE_FREE_THREADED);
  assert_int_equal(result.config.limit_bytes, 0);
  assert_int_equal(result.config.purge_delay_ms, 200);
  assert_int_equal(result.config.switch_interval_us, 5000);
  assert_int_equal(result.config.deferred_budget, 64 << 20);
  assert_false(result.config.private_arenas);
  assert_null(result.config.source.commit);
  assert_null(result.config.source.decommit);
  assert_null(result.config.source.purge);
}

static arn_config good(const char *name, const char *value) {
  struct result result = init_with(name, value);
  if (result.error != 0 || result.sentence[0] != '\0')
    fail_msg("%s=%s: error %d: %s", name, value, result.error, result.sentence);
  return result.config;
}

static void every_variable_is_read(void **state) {
  (void)state;
  assert_int_equal(good("ARENITE_MODE", "gil").mode, ARN_MODE_GIL);
  assert_int_equal(good("ARENITE_MODE", "free-threaded").mode, ARN_MODE_FREE_THREADED);
  assert_int_equal(good("ARENITE_LIMIT", "64M").limit_bytes, 64u << 20);
  assert_int_equal(good("ARENITE_LIMIT", "67108864").limit_bytes, 64u << 20);
  assert_int_equal(good("ARENITE_LIMIT", "2G").limit_bytes, UINT64_C(2) << 30);
  assert_int_equal(good("ARENITE_LIMIT", "1T").limit_bytes, UINT64_C(1) << 40);
  assert_int_equal(good("ARENITE_LIMIT", "65536K").limit_bytes, 64u << 20);
  assert_int_equal(good("ARENITE_PURGE_DELAY_MS", "-1").purge_delay_ms, -1);
  assert_int_equal(good("ARENITE_PURGE_DELAY_MS", "0").purge_delay_ms, 0);
  assert_int_equal(good("ARENITE_PURGE_DELAY_MS", "1500").purge_delay_ms, 1500);
  assert_int_equal(good("ARENITE_SWITCH_INTERVAL", "100").switch_interval_us, 100);
  assert_int_equal(good("ARENITE_DEFERRED_BUDGET", "1M").deferred_budget, 1u << 20);
  assert_true(good("ARENITE_ARENAS", "private").private_arenas);
  assert_false(good("ARENITE_ARENAS", "shared").private_arenas);
  good("ARENITE_RESERVE", "8G");
  good("ARENITE_HUGE_PAGES", "on");
  good("ARENITE_HUGE_PAGES", "off");
}

static void bad_values_are_named(void **state) {
  (void)state;
  static const struct {
    const char *name, *value;
  } cases[] = {
      {"ARENITE_MODE", "sometimes"},
      {"ARENITE_MODE", "GIL "},
      {"ARENITE_LIMIT", "much"},
      {"ARENITE_LIMIT", "12Q"},
      {"ARENITE_LIMIT", "-5"},
      {"ARENITE_LIMIT", "99999999999999999999T"},
      {"ARENITE_PURGE_DELAY_MS", "-2"},
      {"ARENITE_PURGE_DELAY_MS", "soon"},
      {"ARENITE_SWITCH_INTERVAL", "5ms"},
      {"ARENITE_SWITCH_INTERVAL", "-1"},
      {"ARENITE_DEFERRED_BUDGET", "1 M"},
      {"ARENITE_ARENAS", "both"},
      {"ARENITE_RESERVE", "lots"},
      {"ARENITE_HUGE_PAGES", "maybe"},
  };
  arn_config defaults = init_with(NULL, NULL).config;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct result result = init_with(cases[i].name, cases[i].value);
    if (result.error != EINVAL || strstr(result.sentence, cases[i].name) == NULL)
      fail_msg("%s=%s: error %d, expected EINVAL and a sentence, not '%s'", cases[i].name,
               cases[i].value, result.error, result.sentence);
    assert_int_equal(result.config.mode, defaults.mode);
    assert_int_equal(result.config.limit_bytes, defaults.limit_bytes);
    assert_int_equal(result.config.purge_delay_ms, defaults.purge_delay_ms);
    assert_int_equal(result.config.switch_interval_us, defaults.switch_interval_us);
    assert_int_equal(result.config.deferred_budget, defaults.deferred_budget);
    assert_int_equal(result.config.private_arenas, defaults.private_arenas);
  }
}

/* The limit is a limit: of arenas and huge blocks together. */
static void limit_holds(void **state) {
  (void)state;
  for (int huge = 0; huge < 2; huge++) {
    if (huge && support_is_classic())
      continue;
    arn_config config = support_config(ARN_MODE_GIL);
    config.limit_bytes = 32u << 20;
    arn_runtime *runtime = support_start_with(&config);
    void **last = NULL, **block;
    size_t size = huge ? 5u << 20 : arn_geometry_get().small_limit, bytes = 0;
    errno = 0;
    while ((block = arn_malloc(size)) != NULL) {
      *block = last;
      last = block;
      bytes += size;
      assert_true(bytes <= config.limit_bytes);
    }
    assert_int_equal(errno, ENOMEM);
    assert_true(bytes >= config.limit_bytes / 2);
    arn_stats stats = support_stats(runtime);
    assert_true(stats.arena_bytes + stats.huge_bytes <= config.limit_bytes);
    for (void **next; last != NULL; last = next) {
      next = *last;
      arn_free(last);
    }
    arn_trim(runtime, 0);
    arn_free(block = arn_malloc(size));
    assert_non_null(block);
    support_end(runtime);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults),
      cmocka_unit_test(every_variable_is_read),
      cmocka_unit_test(bad_values_are_named),
      cmocka_unit_test(limit_holds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
