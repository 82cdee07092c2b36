// forms: static preloaded
// environment: ARENITE_LIMIT=64M
/* malloc_operators.cc - operators new and delete, all of them, as [new.delete] has them: what they
 * give, what they throw, and what they do with a new handler. The limit makes memory end.
 * (malloc_nothrow.cc and malloc_replaced.cc have two rules of their own.)
 */
#include "support.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using std::align_val_t;
using std::nothrow;
using std::size_t;

const size_t absurd = served_hide_size(SIZE_MAX / 2 + 1);
constexpr size_t sizes[] = {0, 1, 16, 100, 512, 513, 5000, 40000, 1000000, 3000000};
constexpr size_t alignments[] = {1, 8, 16, 32, 64, 4096, 65536, 1 << 20};

/* What is thrown when a call is made; one of these. */
enum class Thrown { nothing, bad_alloc, other };

template <class Call> Thrown thrown_by(Call call) {
  try {
    call();
  } catch (const std::bad_alloc &) {
    return Thrown::bad_alloc;
  } catch (...) {
    return Thrown::other;
  }
  return Thrown::nothing;
}

void *checked(void *block, size_t size, size_t alignment = 16) {
  REQUIRE(block != nullptr);
  REQUIRE(reinterpret_cast<uintptr_t>(block) % alignment == 0);
  REQUIRE(malloc_usable_size(block) >= size);
  support_fill(block, size, size);
  REQUIRE(support_holds(block, size, size, size));
  return block;
}

/* --- Every operator, once with each of the others that fit ----------------------------------- */

void every_operator(size_t size) {
  ::operator delete(checked(::operator new(size), size));
  ::operator delete(checked(::operator new(size), size), size);
  ::operator delete(checked(::operator new(size, nothrow), size), nothrow);
  ::operator delete[](checked(::operator new[](size), size));
  ::operator delete[](checked(::operator new[](size), size), size);
  ::operator delete[](checked(::operator new[](size, nothrow), size), nothrow);
  for (size_t alignment : alignments) {
    align_val_t a{alignment};
    ::operator delete(checked(::operator new(size, a), size, alignment), a);
    ::operator delete(checked(::operator new(size, a), size, alignment), size, a);
    ::operator delete(checked(::operator new(size, a, nothrow), size, alignment), a, nothrow);
    ::operator delete[](checked(::operator new[](size, a), size, alignment), a);
    ::operator delete[](checked(::operator new[](size, a), size, alignment), size, a);
    ::operator delete[](checked(::operator new[](size, a, nothrow), size, alignment), a, nothrow);
  }
}

void deleting_nothing() {
  errno = 4711;
  align_val_t a{64};
  ::operator delete(nullptr);
  ::operator delete (nullptr, size_t{10});
  ::operator delete(nullptr, nothrow);
  ::operator delete(nullptr, a);
  ::operator delete (nullptr, size_t{10}, a);
  ::operator delete(nullptr, a, nothrow);
  ::operator delete[](nullptr);
  ::operator delete[](nullptr, size_t{10});
  ::operator delete[](nullptr, nothrow);
  ::operator delete[](nullptr, a);
  ::operator delete[](nullptr, size_t{10}, a);
  ::operator delete[](nullptr, a, nothrow);
  REQUIRE(errno == 4711);
}

void what_nothing_is_unique() {
  void *blocks[100];
  for (auto &block : blocks)
    block = ::operator new(0);
  for (auto &block : blocks)
    for (auto &other : blocks)
      REQUIRE(&block == &other || block != other);
  for (auto &block : blocks)
    ::operator delete(block);
}

/* --- Out of memory --------------------------------------------------------------------------- */

/* Each allocating operator with one size. */
template <class Visit> void each_throwing(size_t size, Visit visit) {
  visit([=] { return ::operator new(size); });
  visit([=] { return ::operator new[](size); });
  visit([=] { return ::operator new (size, align_val_t{64}); });
  visit([=] { return ::operator new[](size, align_val_t{64}); });
}
template <class Visit> void each_nothrow(size_t size, Visit visit) {
  visit([=] { return ::operator new(size, nothrow); });
  visit([=] { return ::operator new[](size, nothrow); });
  visit([=] { return ::operator new (size, align_val_t{64}, nothrow); });
  visit([=] { return ::operator new[](size, align_val_t{64}, nothrow); });
}

void refusals() {
  for (size_t size : {absurd, SIZE_MAX, size_t{1} << 60, size_t{100} << 20}) {
    each_throwing(size, [](auto call) { REQUIRE(thrown_by(call) == Thrown::bad_alloc); });
    each_nothrow(size, [](auto call) { REQUIRE(call() == nullptr); });
  }
  size_t many = served_hide_size(SIZE_MAX / 2);
  REQUIRE(thrown_by([=] { return new int[many]; }) == Thrown::bad_alloc);
  REQUIRE(thrown_by([=] { return std::vector<char>(size_t{1} << 45); }) == Thrown::bad_alloc);
  REQUIRE(thrown_by([] { throw std::runtime_error("as ever"); }) == Thrown::other);
}

int handled;
void *reserve;

/* Finds memory the third time. */
void frees_the_reserve() {
  if (++handled == 3) {
    free(reserve);
    reserve = nullptr;
  }
  REQUIRE(handled <= 3);
}

/* Throws something of the program's own. */
struct No_more : std::bad_alloc {};
void throws() {
  handled++;
  throw No_more();
}

/* Gives up. */
void takes_itself_away() {
  handled++;
  std::set_new_handler(nullptr);
}

void a_handler_that_finds_memory() {
  auto once = [](auto call) {
    constexpr size_t size = size_t{40} << 20;
    reserve = malloc(size);
    REQUIRE(reserve != nullptr && malloc(size) == nullptr);
    handled = 0;
    void *block = call();
    REQUIRE(block != nullptr && handled == 3);
    free(block);
  };
  std::set_new_handler(frees_the_reserve);
  each_throwing(size_t{40} << 20, once);
  each_nothrow(size_t{40} << 20, once);
  std::set_new_handler(nullptr);
}

void a_handler_that_throws() {
  std::set_new_handler(throws);
  handled = 0;
  each_throwing(absurd, [](auto call) {
    try {
      call();
      REQUIRE(!"a return");
    } catch (const No_more &) {
    }
  });
  REQUIRE(handled == 4);
  std::set_new_handler(nullptr);
}

void a_handler_that_gives_up() {
  handled = 0;
  each_throwing(absurd, [](auto call) {
    std::set_new_handler(takes_itself_away);
    REQUIRE(thrown_by(call) == Thrown::bad_alloc);
  });
  each_nothrow(absurd, [](auto call) {
    std::set_new_handler(takes_itself_away);
    REQUIRE(call() == nullptr);
  });
  REQUIRE(handled == 8);
}

/* Memory ends in the middle of a container; unwinding gives all of it back. */
void unwinding() {
  for (int round = 0; round < 3; round++) {
    size_t strings = 0;
    REQUIRE(thrown_by([&] {
              std::vector<std::string> all;
              for (;; strings++)
                all.emplace_back(1000, 'x');
            }) == Thrown::bad_alloc);
    REQUIRE(strings > 10000);
  }
}

/* --- As programs use them -------------------------------------------------------------------- */

struct alignas(128) Wide {
  char bytes[300];
  std::string name;
};

void containers(int seed) {
  std::map<int, std::string> names;
  std::vector<std::unique_ptr<Wide>> wide;
  std::vector<std::shared_ptr<std::vector<int>>> shared;
  for (int i = 0; i < 2000; i++) {
    names[(i * 7919 + seed) % 1009] += std::to_string(i);
    wide.push_back(std::make_unique<Wide>());
    REQUIRE(reinterpret_cast<uintptr_t>(wide.back().get()) % 128 == 0);
    wide.back()->name = names[(i * 7919 + seed) % 1009];
    shared.push_back(std::make_shared<std::vector<int>>(i % 300, i));
    if (i % 3 == 0)
      wide.erase(wide.begin());
  }
  for (auto &numbers : shared)
    for (int number : *numbers)
      REQUIRE(number % 300 == static_cast<int>(numbers->size()));
  REQUIRE(thrown_by([] { return std::string("short").at(10); }) == Thrown::other);
}

} // namespace

int main() {
  for (size_t size : sizes)
    every_operator(size);
  deleting_nothing();
  what_nothing_is_unique();
  served_check();
  refusals();
  a_handler_that_finds_memory();
  a_handler_that_throws();
  a_handler_that_gives_up();
  unwinding();
  served_check();
  containers(0);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back(containers, i);
  for (auto &thread : threads)
    thread.join();
  std::thread(refusals).join();
  served_check();
  return 0;
}
