/* operators.cc - a C++ program that calls no malloc, only operator new and delete; one of its requests
 * is absurd, and bad_alloc is caught. */
#include <new>

struct Pair {
  long first, second;
};

int main() {
  for (int i = 0; i < 100; i++) {
    Pair *volatile one = new Pair{1, 2}, *volatile many = new Pair[100];
    delete one;
    delete[] many;
  }
  volatile unsigned long absurd = ~0ul / 2 + 1;
  try {
    ::operator delete(::operator new(absurd));
  } catch (const std::bad_alloc &) {
    return 0;
  }
  return 1;
}
