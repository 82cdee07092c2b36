/* operators.cc - a C++ program that calls no malloc, only operator new and delete; one of its requests
 * is absurd, and bad_alloc is caught. With all of libc in the program it is not made (docs/malloc.md). */
#include <new>
#include <vector>

struct Pair {
  long first, second;
};

int main() {
  for (int i = 0; i < 100; i++) {
    Pair *volatile one = new Pair{1, 2}, *volatile many = new Pair[100];
    delete one;
    delete[] many;
  }
  std::vector<Pair> pairs;
  for (int i = 0; i < 100; i++)
    pairs.push_back({i, i});
#ifdef NO_EXCEPTION
  return pairs.size() == 100 ? 0 : 1;
#endif
  volatile unsigned long absurd = ~0ul / 2 + 1;
  try {
    ::operator delete(::operator new(absurd));
  } catch (const std::bad_alloc &) {
    return pairs.size() == 100 ? 0 : 1;
  }
  return 2;
}
