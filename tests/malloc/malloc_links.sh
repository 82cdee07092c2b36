#!/bin/sh
# once
# Programs of links/, linked by hand in the ways that a user may choose: with the shared library and
# with the static one, with the C++ runtime in the program, with all of libc in it. Each must link
# without complaint, be served by Arenite, and end with 0.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
links=$SRC/tests/malloc/links
# The options are those of docs/malloc.md, for whoever writes them by hand.
shared="-L$BUILD/lib -Wl,--no-as-needed -larenite-malloc -Wl,-rpath,$BUILD/lib"
static="-Wl,--undefined=malloc,--undefined=mallopt $BUILD/lib/libarenite-malloc.a -pthread"
bad=0

# try COMPILER SOURCE FLAG...
try() {
  what="$2: $*"
  compiler=$1 source=$2
  shift 2
  if ! "$compiler" -O1 -g "$links/$source" -o "$tmp/program" "$@" 2>"$tmp/said"; then
    echo "does not link: $what" >&2
    cat "$tmp/said" >&2
    bad=1
    return
  fi
  status=0
  ARENITE_STATS=text:$tmp/stats "$tmp/program" || status=$?
  [ $status = 0 ] || { echo "status $status: $what" >&2; bad=1; }
  [ -s "$tmp/stats" ] || { echo "was not served: $what" >&2; bad=1; }
  rm -f "$tmp/stats"
}

for flags in "" "-Wl,-z,now" "-no-pie" "-Wl,--as-needed"; do
  # shellcheck disable=SC2086 # flags are words
  {
    try "$CC" plain.c $flags $shared
    try "$CC" plain.c $flags $static
  }
done
try "$CC" plain.c -static $static

[ -n "$CXX" ] || exit $bad
for source in operators.cc replaced.cc; do
  for flags in "" "-static-libstdc++ -static-libgcc"; do
    # shellcheck disable=SC2086
    {
      try "$CXX" $source $flags $shared
      try "$CXX" $source $flags $static
    }
  done
  # shellcheck disable=SC2086
  try "$CXX" $source -static -DNO_EXCEPTION $static
done
exit $bad
