# Python's own regression tests, for the scripts that say which of them. Both modes at once and each
# test in a process of its own, because most of them mostly wait.

python=/usr/bin/python3.11
needs $python
[[ -e /usr/lib/python3.11/test/test_json/__init__.py ]] || {
  echo "libpython3.11-testsuite is not installed"
  exit 77
}

# Every object of Python's comes from malloc, small ones too.
export PYTHONMALLOC=malloc

# tests MODE TEST...: runs them; their output is in tests.MODE.
tests() {
  local mode=$1
  shift
  mkdir -p "$tmp/files.$mode"
  TMPDIR=$tmp/files.$mode run "$mode" $python -m test -j4 "$@" >"tests.$mode" 2>&1
}

# failures MODE: the test cases that failed, and the tests that crashed.
failures() {
  sed -nE 's/^(FAIL|ERROR): /\1 /p; s/^.*\] (test_[a-z0-9_]+) (crashed|timed out).*/\1 \2/p' "tests.$1" | sort -u
}

# regression TEST...: what fails with the library fails without it too.
regression() {
  local mode new modes_failed=() processes=()
  # What takes too long is the test of which this says nothing at the end.
  trap 'tail -n 20 tests.* >&2; exit 143' TERM
  for mode in "${modes[@]}"; do
    tests "$mode" "$@" &
    processes+=($!)
  done
  for mode in "${modes[@]}"; do
    wait "${processes[0]}" || modes_failed+=("$mode")
    processes=("${processes[@]:1}")
  done
  if ((${#modes_failed[@]})); then
    tests none "$@" || :
    failures none >failures.none
    for mode in "${modes_failed[@]}"; do
      failures "$mode" >"failures.$mode"
      new=$(comm -13 failures.none "failures.$mode")
      if [[ -n $new || ! -s failures.$mode ]]; then
        cat "tests.$mode" >&2
        fail "$mode: these fail with the library only: $new"
      fi
    done
    echo "these fail without the library too:" "$(<failures.none)"
  fi
  # Each test's process, and the one that starts them.
  for mode in "${modes[@]}"; do
    served "$mode" $(($# + 1)) "$(<"pid.$mode")"
  done
}
