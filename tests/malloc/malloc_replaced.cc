// forms: preloaded
/* malloc_replaced.cc - a program that replaces operator new(size_t) and operator delete(void *) alone
 * gets what it made into all other forms: by default these call those two ([new.delete.single],
 * [new.delete.array]). Its blocks begin with a header, so that whoever takes one for malloc's own is
 * told off.
 */
#include "support.hpp"

#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#ifndef __clang__
#pragma GCC diagnostic ignored "-Wsized-deallocation" /* that is the point */
#endif

static std::size_t made, deleted;

void *operator new(std::size_t size) {
  char *block = static_cast<char *>(std::malloc(size + 64));
  if (!block)
    throw std::bad_alloc();
  made++;
  return block + 64;
}

void operator delete(void *block) noexcept {
  if (!block)
    return;
  deleted++;
  std::free(static_cast<char *>(block) - 64);
}

namespace {

struct Thing {
  std::string name = "a name that is too long for the string itself";
  virtual ~Thing() = default;
};

void balanced(const char *what, std::size_t count) {
  if (made != count || deleted != count) {
    std::fprintf(stderr, "%s: %zu made and %zu deleted, not %zu\n", what, made, deleted, count);
    std::abort();
  }
  made = deleted = 0;
}

} // namespace

int main() {
  made = deleted = 0;
  ::operator delete(::operator new(100));
  balanced("plain", 1);
  ::operator delete (::operator new(100), std::size_t{100});
  balanced("sized", 1);
  ::operator delete(::operator new(100, std::nothrow), std::nothrow);
  balanced("nothrow", 1);
  ::operator delete[](::operator new[](100));
  balanced("array", 1);
  ::operator delete[](::operator new[](100), std::size_t{100});
  balanced("array, sized", 1);
  ::operator delete[](::operator new[](100, std::nothrow), std::nothrow);
  balanced("array, nothrow", 1);
  std::unique_ptr<Thing>(new Thing).reset();
  balanced("an object", 2);
  std::vector<Thing>(10).clear();
  balanced("a vector", 11);
  /* Those with an alignment do not: theirs is the library's. */
  std::align_val_t a{64};
  ::operator delete(::operator new(100, a), a);
  balanced("aligned", 0);
  served_check();
  return 0;
}
