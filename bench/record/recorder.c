/* recorder.c - the recorder's process and threads: where operations are written.
 *
 * Every thread writes into an extent of the process's file that it has mapped, so the program's own
 * file descriptors are left alone: the file is opened by its name for each extent, and closed. A
 * thread's first extent is small, since most threads and most processes are. */
#include "record/recorder.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIRST_EXTENT (64u << 10)
#define LATER_EXTENT (256u << 10)
#define LATE_EXTENT RAW_PAGE

static struct recorder_process before_setup;
struct recorder_process *recorder_process = &before_setup;
_Thread_local struct recorder_thread recorder_self = {.generation = 1};

static uint32_t last_generation =
    1; /* copied by fork: a child's generation is never its parent's */
static pthread_key_t thread_end;
static bool has_thread_end;
static char directory[900], own_path[1024];

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void *recorder_next(const char *name, const char *version) {
  void *found = version ? dlvsym(RTLD_NEXT, name, version) : NULL;
  return found ? found : dlsym(RTLD_NEXT, name);
}

const char *recorder_directory(void) {
  return directory[0] ? directory : NULL;
}
const char *recorder_own_path(void) {
  return own_path[0] ? own_path : NULL;
}

/* Finds where to write; once per program. */
static void read_settings(void) {
  static bool done;
  if (done)
    return;
  done = true;
  const char *setting = getenv("ARENITE_RECORD_DIR");
  if (setting && setting[0] == '/' && strlen(setting) < sizeof directory)
    strcpy(directory, setting);
  Dl_info info;
  if (dladdr((void *)(uintptr_t)recorder_room, &info) && info.dli_fname &&
      strlen(info.dli_fname) < sizeof own_path)
    strcpy(own_path, info.dli_fname);
}

/* Starts the file of this process image under a name that nobody has. */
static bool start_file(struct recorder_process *process) {
  struct raw_head head = {.magic = RAW_MAGIC,
                          .pid = (uint32_t)getpid(),
                          .parent = (uint32_t)getppid(),
                          .tick = recorder_tick(),
                          .ns = now_ns()};
  const char *name = program_invocation_short_name;
  strncpy(head.program, name ? name : "", sizeof head.program - 1);
  int fd;
  do {
    snprintf(process->path, sizeof process->path, "%s/%u-%u.raw", directory, head.pid, head.image);
    fd = open(process->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  } while (fd < 0 && errno == EEXIST && ++head.image < 1000000);
  if (fd < 0)
    return false;
  bool written = write(fd, &head, sizeof head) == (ssize_t)sizeof head;
  close(fd);
  atomic_store_explicit(&process->file_end, RAW_PAGE, memory_order_relaxed);
  return written;
}

/* The first operation of a process: the first of all (when there is one thread), or the first after
 * a fork (where there is one thread too). The lock is for what is stranger. */
static void set_up_process(void) {
  if (recorder_process == &before_setup) {
    void *page =
        mmap(NULL, sizeof before_setup, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED || madvise(page, sizeof before_setup, MADV_WIPEONFORK) != 0) {
      before_setup.off = true;
      return;
    }
    recorder_process = page;
  }
  struct recorder_process *process = recorder_process;
  while (atomic_exchange_explicit(&process->lock, 1, memory_order_acquire))
    sched_yield();
  if (atomic_load_explicit(&process->generation, memory_order_relaxed) == 0 && !process->off) {
    read_settings();
    if (directory[0] && start_file(process))
      atomic_store_explicit(&process->generation, ++last_generation, memory_order_release);
    else
      process->off = true;
  }
  atomic_store_explicit(&process->lock, 0, memory_order_release);
}

/* Maps the next extent of the file; NULL when the disk is full or the file is gone. */
static struct raw_extent *map_extent(uint32_t size) {
  struct recorder_process *process = recorder_process;
  int fd = open(process->path, O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return NULL;
  off_t offset = (off_t)atomic_fetch_add_explicit(&process->file_end, size, memory_order_relaxed);
  void *extent = MAP_FAILED;
  /* Writing to a mapped hole of a full disk would kill the program: have the space first. So would
   * a file beyond the program's limit. */
  struct rlimit limit;
  if ((getrlimit(RLIMIT_FSIZE, &limit) != 0 || (uint64_t)offset + size <= limit.rlim_cur) &&
      (fallocate(fd, 0, offset, size) == 0 ||
       (errno == EOPNOTSUPP && posix_fallocate(fd, offset, size) == 0)))
    extent = mmap(NULL, size, PROT_READ | PROT_WRITE,
                  MAP_SHARED | (size == LATER_EXTENT ? MAP_POPULATE : 0), fd, offset);
  uint64_t lost = 1;
  if (extent == MAP_FAILED &&
      pwrite(fd, &lost, sizeof lost, offsetof(struct raw_head, lost)) != (ssize_t)sizeof lost)
    errno = EIO; /* a file without its end, and nobody to tell */
  close(fd);
  return extent == MAP_FAILED ? NULL : extent;
}

bool recorder_room(void) {
  struct recorder_thread *self = &recorder_self;
  int saved_errno = errno;
  bool done = false;
  if (atomic_load_explicit(&recorder_process->generation, memory_order_acquire) == 0 &&
      !recorder_process->off && environ)
    set_up_process();
  struct recorder_process *process = recorder_process;
  if (atomic_load_explicit(&process->generation, memory_order_relaxed) == 0)
    goto out; /* off, or libc has not found the environment yet */

  uint32_t generation = atomic_load_explicit(&process->generation, memory_order_relaxed);
  uint32_t size = LATER_EXTENT;
  if (self->generation != generation) {
    /* A new thread, or the thread that forked: its old extent is the parent's file, to be left. */
    size = self->late ? LATE_EXTENT : FIRST_EXTENT;
    if (self->generation != 1 && self->extent)
      munmap(self->extent, self->extent->size);
    if (self->generation != 1 || !self->late) {
      self->number = atomic_fetch_add_explicit(&process->threads, 1, memory_order_relaxed);
      self->sequence = 0;
      self->tick = recorder_tick();
      self->late = false;
    }
    self->extent = NULL;
    if (has_thread_end && !self->late)
      pthread_setspecific(thread_end, self);
  }
  struct raw_extent *extent = map_extent(size);
  if (!extent) {
    process->off = true;
    atomic_store_explicit(&process->generation, 0, memory_order_relaxed);
    goto out;
  }
  if (self->extent)
    munmap(self->extent, self->extent->size);
  extent->size = size;
  extent->thread = self->number;
  extent->sequence = self->sequence;
  extent->tick = recorder_tick();
  extent->ns = now_ns();
  extent->magic = RAW_EXTENT_MAGIC;
  self->extent = extent;
  self->at = (unsigned char *)(extent + 1);
  self->limit = (unsigned char *)extent + size - RECORDER_OPERATION_MAX;
  self->address = 0;
  self->generation = generation;
  done = true;
out:
  errno = saved_errno;
  return done;
}

void recorder_drop_extent(void) {
  struct recorder_thread *self = &recorder_self;
  int saved_errno = errno;
  if (self->extent)
    munmap(self->extent, self->extent->size);
  self->extent = NULL;
  self->generation = 1;
  errno = saved_errno;
}

/* libc frees a few blocks of a thread after this; see `late`. */
static void on_thread_end(void *thread) {
  struct recorder_thread *self = thread;
  if (self->busy ||
      self->generation != atomic_load_explicit(&recorder_process->generation, memory_order_relaxed))
    return;
  self->late = true;
  recorder_drop_extent();
}

__attribute__((constructor)) static void start(void) {
  recorder_find_malloc();
  recorder_find_waits();
  recorder_find_execs();
  has_thread_end = pthread_key_create(&thread_end, on_thread_end) == 0;
  /* A program that allocates nothing is recorded too. */
  if (recorder_begin())
    recorder_self.busy = false;
}
