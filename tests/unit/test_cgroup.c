/* test_cgroup.c - the limit of the process's control group, from the files in which the kernel tells
 * it: laid out in a folder, as they look in containers, in services and on plain systems.
 */
#include "support.h"

#include "unit.h"

#include "cgroup.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t MIB = 1 << 20, GIB = 1 << 30;

static char root[] = "/tmp/arenite-cgroup-XXXXXX";

/* Writes a file below the root, and the folders that it needs. */
static void put(const char *name, const char *text) {
  char path[4096];
  int length = snprintf(path, sizeof path, "%s%s", root, name);
  assert_true(length > 0 && (size_t)length < sizeof path);
  for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
    *slash = '\0';
    assert_true(mkdir(path, 0777) == 0 || errno == EEXIST);
    *slash = '/';
  }
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static int remove_one(const char *path, const struct stat *about, int what, struct FTW *where) {
  (void)about, (void)what;
  return where->level > 0 ? remove(path) : 0;
}

/* What another case laid out is gone. */
static int lay_out(void **state) {
  (void)state;
  return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int begin(void **state) {
  (void)state;
  return mkdtemp(root) ? 0 : -1;
}

static int end(void **state) {
  lay_out(state);
  return rmdir(root);
}

/* The group's limit, before the margin; 0 is none. */
static void expect(size_t limit) {
  errno = EDOM;
  size_t got = arn_cgroup_limit(root), wanted = limit ? arn_cgroup_heap_part(limit) : 0;
  if (got != wanted)
    fail_msg("the limit is %zu, expected %zu", got, wanted);
  assert_int_equal(errno, EDOM);
}

#define CGROUP "/proc/self/cgroup"
#define MOUNTS "/proc/self/mountinfo"
#define UNRELATED                                                                                  \
  "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw,errors=remount-ro\n"                               \
  "23 22 0:21 / /proc rw,nosuid shared:14 - proc proc rw\n"
#define UNIFIED "31 22 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
#define MEMORY "35 31 0:32 / /sys/fs/cgroup/memory rw shared:15 - cgroup cgroup rw,memory\n"

/* --- Version 2 ------------------------------------------------------------------------------- */

static void a_service(void **state) {
  (void)state;
  put(CGROUP, "0::/system.slice/redis.service\n");
  put(MOUNTS, UNRELATED UNIFIED);
  put("/sys/fs/cgroup/system.slice/memory.max", "max\n");
  expect(0);
  put("/sys/fs/cgroup/system.slice/redis.service/memory.max", "1073741824\n");
  expect(GIB);
  /* The groups above bind too, whether they are smaller or not. */
  put("/sys/fs/cgroup/system.slice/memory.max", "536870912\n");
  expect(512 * MIB);
  put("/sys/fs/cgroup/system.slice/memory.max", "2147483648\n");
  expect(GIB);
  put("/sys/fs/cgroup/system.slice/redis.service/memory.max", "max\n");
  expect(2 * GIB);
}

/* A group whose limit cannot be read does not hide those above it. */
static void a_group_without_the_file(void **state) {
  (void)state;
  put(CGROUP, "0::/a/b/c\n");
  put(MOUNTS, UNIFIED);
  put("/sys/fs/cgroup/a/memory.max", "33554432");
  expect(32 * MIB);
}

/* In a container that has a namespace of its own, its group is the root of all that it sees. */
static void a_container(void **state) {
  (void)state;
  put(CGROUP, "0::/\n");
  put(MOUNTS, UNRELATED UNIFIED);
  put("/sys/fs/cgroup/memory.max", "268435456\n");
  expect(256 * MIB);
  /* Moved out of it: what is mounted is all that can be known. */
  put(CGROUP, "0::/../other\n");
  put("/sys/fs/cgroup/other/memory.max", "1048576\n");
  expect(256 * MIB);
}

/* One that has none sees the whole path, and only its own group mounted. */
static void a_container_without_a_namespace(void **state) {
  (void)state;
  put(CGROUP, "0::/docker/0123abc/inner\n");
  put(MOUNTS, "31 22 0:28 /docker/0123abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  put("/sys/fs/cgroup/memory.max", "536870912\n");
  put("/sys/fs/cgroup/inner/memory.max", "268435456\n");
  expect(256 * MIB);
  /* Not one whose name only begins like that. */
  put(CGROUP, "0::/docker/0123abcd/inner\n");
  put("/sys/fs/cgroupd/inner/memory.max", "134217728\n");
  expect(512 * MIB);
}

static void where_it_is_mounted(void **state) {
  (void)state;
  put(CGROUP, "0::/g\n");
  put(MOUNTS, UNRELATED "31 22 0:28 / /my\\040cgroups\\134here rw - cgroup2 none rw\n");
  put("/my cgroups\\here/g/memory.max", "67108864\n");
  put("/sys/fs/cgroup/g/memory.max", "33554432\n");
  expect(64 * MIB);
  put(MOUNTS, "31 22 0:28 / / rw - cgroup2 none rw\n");
  put("/g/memory.max", "33554432\n");
  expect(32 * MIB);
}

/* --- Version 1, and both --------------------------------------------------------------------- */

static void version_1(void **state) {
  (void)state;
  put(CGROUP, "12:cpu,cpuacct:/x\n4:hugetlb,memory:/jobs/7\n1:name=systemd:/memory\n");
  put(MOUNTS, UNRELATED "30 31 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
                        "35 31 0:32 / /cg/both rw - cgroup cgroup rw,hugetlb,memory\n");
  put("/cg/both/memory.limit_in_bytes", "9223372036854771712\n");
  expect(0);
  put("/cg/both/jobs/7/memory.limit_in_bytes", "134217728\n");
  expect(128 * MIB);
  put("/cg/both/jobs/memory.limit_in_bytes", "67108864\n");
  expect(64 * MIB);
}

static void both_versions(void **state) {
  (void)state;
  put(CGROUP, "4:memory:/one\n0::/two\n");
  put(MOUNTS, MEMORY "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  put("/sys/fs/cgroup/memory/one/memory.limit_in_bytes", "67108864\n");
  expect(64 * MIB);
  put("/sys/fs/cgroup/unified/two/memory.max", "33554432\n");
  expect(32 * MIB);
}

/* --- What cannot be read --------------------------------------------------------------------- */

static void nothing_there(void **state) {
  (void)state;
  expect(0);
  put(CGROUP, "0::/g\n");
  expect(0);
  put(MOUNTS, UNIFIED);
  expect(0);
}

static void odd_files(void **state) {
  (void)state;
  static const char *const cgroups[] = {"", "\n", "0", "0:", "0::", "0::\n", "0::g\n", "::::\n"};
  put(MOUNTS, UNIFIED);
  put("/sys/fs/cgroup/memory.max", "67108864\n");
  for (size_t i = 0; i < sizeof cgroups / sizeof cgroups[0]; i++) {
    put(CGROUP, cgroups[i]);
    expect(0);
  }
  put(CGROUP, "0::/");
  expect(64 * MIB);
  static const char *const mounts[] = {"",
                                       "\n\n",
                                       "31",
                                       "31 22 0:28 /",
                                       "31 22 0:28 / /sys/fs/cgroup",
                                       "31 22 0:28 / /sys/fs/cgroup rw",
                                       "31 22 0:28 / /sys/fs/cgroup rw -",
                                       "31 22 0:28 / /sys/fs/cgroup rw - \n",
                                       "31 22 0:28 / /sys/fs/cgroup rw cgroup2 cgroup2 rw\n"};
  for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++) {
    put(MOUNTS, mounts[i]);
    expect(0);
  }
  put(MOUNTS, UNIFIED);
  static const char *const limits[] = {"",     "\n", "max",
                                       "-1\n", "x",  "99999999999999999999999999\n"};
  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
    put("/sys/fs/cgroup/memory.max", limits[i]);
    expect(0);
  }
}

/* Lines longer than any buffer: overlayfs names its layers, and paths may be deep. */
static void long_lines(void **state) {
  (void)state;
  static char text[70000];
  size_t length = (size_t)sprintf(text, "40 22 0:40 / /merged rw - overlay overlay rw,lowerdir=");
  memset(text + length, 'l', 60000);
  strcpy(text + length + 60000, "\n" UNIFIED);
  put(MOUNTS, text);
  put(CGROUP, "0::/g\n");
  put("/sys/fs/cgroup/g/memory.max", "67108864\n");
  expect(64 * MIB);
  /* A mount, or a group, whose name does not fit is passed over. */
  length = (size_t)sprintf(text, "40 22 0:40 / /");
  memset(text + length, 'p', 5000);
  strcpy(text + length + 5000, " rw - cgroup2 none rw\n" UNIFIED);
  put(MOUNTS, text);
  expect(64 * MIB);
  length = (size_t)sprintf(text, "0::");
  for (size_t i = 0; i < 1500; i++)
    strcpy(text + length + 2 * i, "/d");
  put(CGROUP, text);
  expect(0);
  /* One that just fits, but not with the rest of the file's name: those above it still count. */
  for (size_t depth = 450; depth < 512; depth++) {
    text[length + 2 * depth] = '\0';
    put(CGROUP, text);
    put("/sys/fs/cgroup/d/memory.max", "67108864\n");
    put(MOUNTS, UNIFIED);
    size_t got = arn_cgroup_limit(root);
    assert_true(got == 0 || got == arn_cgroup_heap_part(64 * MIB));
    if (depth == 450)
      assert_int_not_equal(got, 0);
    for (size_t i = 450; i <= depth; i++)
      text[length + 2 * i] = '/';
  }
}

/* --- The margin, and the setting ------------------------------------------------------------- */

static void the_margin(void **state) {
  (void)state;
  assert_int_equal(arn_cgroup_heap_part(16 * GIB), 15 * GIB);
  assert_int_equal(arn_cgroup_heap_part(64 * MIB), 60 * MIB);
  assert_int_equal(arn_cgroup_heap_part(32 * MIB), 28 * MIB);
  assert_int_equal(arn_cgroup_heap_part(8 * MIB), 4 * MIB);
  assert_int_equal(arn_cgroup_heap_part(6 * MIB), 3 * MIB);
  /* It never falls when the limit rises, and a limit never becomes none. */
  size_t last = 0;
  for (size_t limit = 0; limit < 200 * MIB; limit += 100000) {
    size_t part = arn_cgroup_heap_part(limit);
    assert_true(part >= 1 && part >= last && (part < limit || limit < 2));
    last = part;
  }
}

static void the_setting(void **state) {
  (void)state;
  arn_config config;
  setenv("ARENITE_LIMIT", "cgroup", 1);
  assert_int_equal(arn_config_init(&config), 0);
  assert_int_equal(config.limit_bytes, arn_cgroup_limit(""));
  setenv("ARENITE_LIMIT", "cgroups", 1);
  assert_int_equal(arn_config_init(&config), EINVAL);
  assert_int_equal(config.limit_bytes, 0);
  unsetenv("ARENITE_LIMIT");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_service, lay_out),
      cmocka_unit_test_setup(a_group_without_the_file, lay_out),
      cmocka_unit_test_setup(a_container, lay_out),
      cmocka_unit_test_setup(a_container_without_a_namespace, lay_out),
      cmocka_unit_test_setup(where_it_is_mounted, lay_out),
      cmocka_unit_test_setup(version_1, lay_out),
      cmocka_unit_test_setup(both_versions, lay_out),
      cmocka_unit_test_setup(nothing_there, lay_out),
      cmocka_unit_test_setup(odd_files, lay_out),
      cmocka_unit_test_setup(long_lines, lay_out),
      cmocka_unit_test(the_margin),
      cmocka_unit_test(the_setting),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
