#!/bin/sh
# gcc.sh - the source of the row gcc: a C++ file with the standard headers and some templates of its
# own.
#
# Run once in the current directory, which is empty and thrown away afterwards.
#
#   SCALE  size in percent
set -eu

cat > work.cc <<'CC'
#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

template <int N> struct table {
  std::map<std::string, std::vector<int>> rows;
  std::unordered_map<std::string, int> sums;
  int add(const std::string &name, int value) {
    auto &row = rows[name];
    row.push_back(value * N);
    std::sort(row.begin(), row.end(), [](int a, int b) { return a % (N + 2) < b % (N + 2); });
    return sums[name] += value;
  }
};
CC
count=$((8 * SCALE / 100 + 1))
i=0
echo 'int main() { int sum = 0;' > main.cc
while [ "$i" -lt "$count" ]; do
  echo "  { static table<$i> t; sum += t.add(\"a\", $i); std::cout << t.sums.size(); }" >> main.cc
  i=$((i + 1))
done
echo '  return sum; }' >> main.cc
cat main.cc >> work.cc
rm main.cc
