#!/usr/bin/env bash
# gcc and make: a C++ file with the standard headers, and a small project built by two jobs at a time,
# give the same objects, library and programs to the byte.
# timeout: 180
source "$(dirname "$0")/support.bash"
needs g++ gcc make ar

mkdir -p source project
cat >source/words.cc <<'CPP'
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

template <std::size_t... I>
auto squares(std::index_sequence<I...>) {
  return std::make_tuple(I * I...);
}

struct Visitor {
  std::string operator()(int n) const { return std::to_string(n); }
  std::string operator()(const std::string &s) const { return s; }
  std::string operator()(double d) const { return std::to_string(d); }
};

int main() {
  std::regex word("([a-z]+)-([0-9]+)");
  std::unordered_map<std::string, std::vector<std::variant<int, std::string, double>>> seen;
  for (int i = 0; i < 2000; i++) {
    std::ostringstream line;
    line << static_cast<char>('a' + i % 26) << "x-" << i;
    std::smatch match;
    std::string text = line.str();
    if (std::regex_match(text, match, word)) {
      seen[match[1]].emplace_back(i);
      seen[match[1]].emplace_back(match[2].str());
      seen[match[1]].emplace_back(i / 8.0);
    }
  }
  std::map<std::string, std::size_t> lengths;
  for (auto &[key, values] : seen)
    for (auto &value : values)
      lengths[key] += std::visit(Visitor{}, value).size();
  auto numbers = squares(std::make_index_sequence<200>());
  std::cout << std::get<199>(numbers) << "\n";
  for (auto &[key, length] : lengths)
    std::cout << key << " " << length << "\n";
}
CPP

# Twenty files that include each other's headers, a library of them, and two programs.
for ((i = 0; i < 20; i++)); do
  echo "int part$i(int n);" >"project/part$i.h"
  cat >"project/part$i.c" <<C
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "part$i.h"
#include "part$(((i + 1) % 20)).h"
static const char *names[] = {$(seq -s, -f '"name %g"' 1 200)};
int part$i(int n) {
  char text[100];
  snprintf(text, sizeof text, "%s %d", names[n % 200], n);
  return n <= 0 ? (int)strlen(text) : part$(((i + 1) % 20))(n - $((i % 3 + 1))) + text[n % 5];
}
C
done
for i in 1 2; do
  printf '#include "part%d.h"\nint main(void) { return part%d(100) & 127; }\n' $i $i >"project/main$i.c"
done
cat >project/Makefile <<'MAKE'
parts := $(patsubst %.c,%.o,$(wildcard part*.c))
define rule
$(1): $(patsubst %.o,%.c,$(1)) $(shell sed -n 's/^#include "\(.*\)"/\1/p' $(patsubst %.o,%.c,$(1)))
	$$(CC) -O1 -g -fdebug-prefix-map=$$(CURDIR)=. -c -o $$@ $$<
endef
all: main1 main2 checksums
$(foreach part,$(parts),$(eval $(call rule,$(part))))
libparts.a: $(parts)
	$(AR) rcD $@ $^
main%: main%.c libparts.a
	$(CC) -O1 -o $@ $^
checksums: $(parts) libparts.a main1 main2
	sha256sum $(sort $^) > $@
clean:
	rm -f *.o libparts.a main1 main2 checksums
MAKE

for mode in none "${modes[@]}"; do
  run "$mode" g++ -std=c++17 -O1 -c -o words.o source/words.cc
  run "$mode" g++ -o words words.o
  compiler=$pid
  run "$mode" ./words >"words.$mode"
  program=$pid
  mv words.o "object.$mode"
  mv words "executable.$mode"
  [[ $mode == none ]] || {
    for name in object executable words; do
      same "$mode" $name
    done
    # The driver, the compiler proper and the assembler; the driver, collect2 and the linker; it.
    served "$mode" 7 "$compiler" "$program"
  }

  run "$mode" make --no-print-directory -s -j2 -C project >"make.$mode" 2>&1 || {
    cat "make.$mode" >&2
    fail "$mode: make failed"
  }
  make=$pid
  cat project/checksums >>"make.$mode"
  # Nothing is left to do, and then everything again.
  run "$mode" make --no-print-directory -C project | tee -a "make.$mode" | grep -q 'Nothing to be done' ||
    fail "$mode: make would make it again: $(cat "make.$mode")"
  run "$mode" make --no-print-directory -s -C project clean
  [[ $mode == none ]] || {
    same "$mode" make
    served "$mode" 90 "$make" "$pid"
  }
done
