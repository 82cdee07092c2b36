// forms: static preloaded
/* malloc_nothrow.cc - what a new handler throws stays inside of the nothrow forms of operator new:
 * they return null ([new.delete.single], paragraph 7).
 */
#include "support.hpp"

#include <new>

namespace {

const std::size_t absurd = served_hide_size(SIZE_MAX / 2 + 1);
int handled;

struct No_more : std::bad_alloc {};

void throws_ours() {
  handled++;
  throw No_more();
}

void throws_something_else() {
  handled++;
  throw 1;
}

void all_forms() {
  handled = 0;
  std::align_val_t a{64};
  REQUIRE(::operator new(absurd, std::nothrow) == nullptr);
  REQUIRE(::operator new[](absurd, std::nothrow) == nullptr);
  REQUIRE(::operator new(absurd, a, std::nothrow) == nullptr);
  REQUIRE(::operator new[](absurd, a, std::nothrow) == nullptr);
  REQUIRE(handled == 4);
}

} // namespace

int main() {
  std::set_new_handler(throws_ours);
  all_forms();
  std::set_new_handler(throws_something_else);
  all_forms();
  std::set_new_handler(nullptr);
  served_check();
  return 0;
}
