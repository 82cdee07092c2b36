/* replaced.cc - a C++ program with a pair of operators new and delete of its own, which call malloc and
 * free, as many have for counting. */
#include <cstdlib>
#include <new>

static int live, made;

void *operator new(std::size_t size) {
  live++, made++;
  if (void *block = std::malloc(size))
    return block;
  throw std::bad_alloc();
}
void operator delete(void *block) noexcept {
  live--;
  std::free(block);
}
void operator delete(void *block, std::size_t) noexcept {
  live--;
  std::free(block);
}

int main() {
  int *volatile many = new int[100]; /* a form that is not replaced comes from the library */
  delete[] many;
  made = live = 0;
  for (int i = 0; i < 100; i++) {
    int *volatile one = new int(i);
    delete one;
  }
  return made == 100 && live == 0 ? 0 : 1;
}
