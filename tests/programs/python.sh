#!/usr/bin/env bash
# python3 passes its own tests of what allocates most: containers, garbage collection, weak references,
# text, decimals, threads, child processes.
# timeout: 180
source "$(dirname "$0")/support.bash"
source "$here/regression.bash"

regression test_dict test_list test_gc test_weakref test_re test_json test_decimal test_threading \
  test_subprocess test_fork1
