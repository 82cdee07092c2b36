/* os.c - see os.h. */
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct arn_os_hooks arn_os_hooks;
size_t arn_os_page = 4096;
bool arn_os_strict;

void arn_os_start(void) {
  arn_os_page = (size_t)sysconf(_SC_PAGESIZE);
  int file = open("/proc/sys/vm/overcommit_memory", O_RDONLY | O_CLOEXEC);
  if (file >= 0) {
    char policy = '0';
    arn_os_strict = read(file, &policy, 1) == 1 && policy == '2';
    close(file);
  }
}

/* The errno value that a test wants this call to fail with, or 0. */
static int refused(const char *call) {
  return arn_os_hooks.before ? arn_os_hooks.before(arn_os_hooks.context, call) : 0;
}

/* 0, or what the call that returned -1 failed with; errno as it was before, because a malloc that
 * succeeds in the end leaves it alone, and free always does. */
static int result(bool failed, int errno_before) {
  int error = failed ? errno : 0;
  errno = errno_before;
  return error;
}

static int map(void **at, size_t size, int protection, int flags) {
  int error = refused("mmap"), before = errno;
  if (error)
    return error;
  void *got = mmap(*at, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  if (got != MAP_FAILED)
    *at = got;
  return result(got == MAP_FAILED, before);
}

int arn_os_reserve(void **at, size_t size) {
  *at = NULL;
  return map(at, size, PROT_NONE, MAP_NORESERVE);
}

int arn_os_commit(void *at, size_t size) {
  int error = refused("mprotect"), before = errno;
  if (error)
    return error;
  return result(mprotect(at, size, PROT_READ | PROT_WRITE) != 0, before);
}

bool arn_os_guard(void *at, size_t size) {
  int before = errno;
  return refused("mprotect") == 0 && result(mprotect(at, size, PROT_NONE) != 0, before) == 0;
}

bool arn_os_unguard(void *at, size_t size) {
  int before = errno;
  return result(mprotect(at, size, PROT_READ | PROT_WRITE) != 0, before) == 0;
}

bool arn_os_decommit(void *at, size_t size, bool huge_pages) {
  /* Mapping anew, not mprotect: only this returns the charge under strict overcommit. The new
   * mapping needs the old one's advice again, or the two would never merge. */
  if (map(&at, size, PROT_NONE, MAP_NORESERVE | MAP_FIXED))
    return false;
  arn_os_huge_pages(at, size, huge_pages);
  return true;
}

bool arn_os_purge(void *at, size_t size) {
  /* MADV_FREE would keep the pages in RSS until there is pressure, and people read RSS. */
  int before = errno;
  return refused("madvise") == 0 && result(madvise(at, size, MADV_DONTNEED) != 0, before) == 0;
}

int arn_os_map(void **at, size_t size) {
  *at = NULL;
  return map(at, size, PROT_READ | PROT_WRITE, 0);
}

bool arn_os_unmap(void *at, size_t size) {
  int before = errno;
  return refused("munmap") == 0 && result(munmap(at, size) != 0, before) == 0;
}

int arn_os_remap(void **at, size_t old_size, size_t new_size) {
  int error = refused("mremap"), before = errno;
  if (error)
    return error;
  void *got = mremap(*at, old_size, new_size, MREMAP_MAYMOVE);
  if (got != MAP_FAILED)
    *at = got;
  return result(got == MAP_FAILED, before);
}

int arn_os_move(void *from, void *to, size_t size) {
  int error = refused("mremap"), before = errno;
  if (error)
    return error;
  /* What mremap leaves behind is locked no more (mlock(2)), which nobody asked for. This fails where pages
   * are locked, and changes next to nothing where they are not. */
  error = result(madvise(from, arn_os_page, MADV_COLD) != 0, before);
  if (error)
    return error;
  /* In two steps, because one that fails may have unmapped its target, and another thread's mapping may
   * be there a moment later. The first has none; it fails when from is several mappings. The second moves
   * one mapping, so that all it may lack is the kernel's memory for another; then its target is
   * mapped anew, if it is gone. */
  void *between = mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
  error = result(between == MAP_FAILED, before);
  if (error || mremap(between, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to)
    return error;
  memcpy(from, between, size);
  munmap(between, size);
  mmap(to, size, PROT_READ | PROT_WRITE,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  errno = before;
  return ENOMEM;
}

void arn_os_huge_pages(void *at, size_t size, bool on) {
  int before = errno;
  result(madvise(at, size, on ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) != 0, before);
}

/* The clock that counts what a thread has run: what pthread_getcpuclockid(3) returns, which would have to
 * read the thread's descriptor; by its number the system says whether it is still there. */
static bool has_run(int thread, struct timespec *ran) {
  enum { PER_THREAD = 4, SCHEDULED = 2 };
  return clock_gettime((clockid_t)(~(uint32_t)thread << 3 | PER_THREAD | SCHEDULED), ran) == 0;
}

bool arn_os_off_cpu(int thread) {
  int before = errno;
  struct timespec ran, then;
  bool off = has_run(thread, &ran) && has_run(thread, &then) && ran.tv_sec == then.tv_sec &&
             ran.tv_nsec == then.tv_nsec;
  errno = before;
  return off;
}

uint64_t arn_os_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t arn_os_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
