// forms: preloaded
// timeout: 60
/* malloc_thread_local.cc - destructors of thread_local objects allocate and free, in threads that did so
 * before and in threads that never did; the main thread's run when the process ends.
 */
#include "support.hpp"

#include <atomic>
#include <malloc.h>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int threads_in_all = 2000, at_once = 8;
std::atomic<int> destroyed;

/* Allocates for the first time in its destructor. */
struct Late {
  bool used = false;
  ~Late() {
    std::vector<std::string> strings;
    for (int i = 0; i < 50; i++)
      strings.push_back(std::string(100 + i, 'x'));
    destroyed += used && strings.back() == std::string(149, 'x');
  }
};

/* Has much to give back, and makes another thread_local object when it does. */
struct Full {
  std::map<int, std::unique_ptr<std::string>> names;
  ~Full();
};

/* Destroyed in the opposite order. */
thread_local std::vector<int> last;
thread_local Late late;
thread_local Full full;

Full::~Full() {
  destroyed += !names.empty();
  names.clear();
  last.resize(10000); /* destroyed after this */
}

void uses_late() {
  late.used = true;
}

void uses_full(int seed) {
  for (int i = 0; i < 200; i++)
    full.names[i * seed % 211] = std::make_unique<std::string>(std::to_string(i) + " in a string");
  late.used = true;
}

} // namespace

int main() {
  uint64_t live_before = 0;
  for (int round = -1; round < threads_in_all / at_once; round++) {
    if (round == 0) { /* what libc keeps of threads is there */
      destroyed = 0;
      malloc_trim(0);
      live_before = served_stats().live_bytes;
    }
    std::vector<std::thread> threads;
    for (int i = 0; i < at_once; i++)
      if (i % 2)
        threads.emplace_back(uses_late);
      else
        threads.emplace_back(uses_full, i + 1);
    for (auto &thread : threads)
      thread.join();
  }
  REQUIRE(destroyed == threads_in_all + threads_in_all / 2);
  served_check();
  malloc_trim(0);
  arn_stats stats = served_stats();
  REQUIRE(stats.live_bytes <= live_before + 8192);
  REQUIRE(stats.heaps <= 2 * at_once);
  uses_full(7);
  return 0;
}
