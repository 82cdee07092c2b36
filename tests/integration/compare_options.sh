#!/bin/sh
# `arenite compare` and `arenite bench` with command lines and surroundings that are not right: one
# sentence each, exit status 2 for the command line and 1 for the rest, and no report.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

# refused STATUS WORDS COMMAND...
refused() {
  wanted=$1 words=$2 status=0
  shift 2
  "$@" > out 2> err || status=$?
  if [ $status != "$wanted" ] || ! grep -q -- "$words" err || [ -s out ]; then
    echo "$*: exit status $status, not $wanted; it said:" >&2
    cat out err >&2
    exit 1
  fi
}

refused 2 'no program "perl"; there are python, sqlite3, redis, git' "$ARENITE" compare --programs=git,perl
refused 2 'names no program' "$ARENITE" compare --programs=
refused 2 'whole number from 1 to' "$ARENITE" compare --rounds=0
refused 2 'whole number from 1 to' "$ARENITE" compare --rounds=2.5
refused 2 'number of seconds' "$ARENITE" compare --min-time=soon
refused 2 'number of seconds' "$ARENITE" compare --budget=
refused 2 'is not an option' "$ARENITE" compare sqlite3
refused 2 'usage' "$ARENITE" compare --bogus
refused 2 'exclude each other' "$ARENITE" compare --traces a --keep-traces b
refused 1 'No such file' "$ARENITE" compare --programs=git --traces missing --out report
refused 1 'cannot make the directory /dev/null/report' "$ARENITE" compare --programs=git --out /dev/null/report
refused 1 'Debian package git' env PATH=/nowhere "$ARENITE" compare --programs=git --out report
refused 1 'git.sh is neither' env ARENITE_WORKLOADS=/nowhere "$ARENITE" compare --programs=git --out report

mkdir broken
printf 'echo it broke >&2\nexit 3\n' > broken/git.sh
refused 1 'it broke' env ARENITE_WORKLOADS="$tmp/broken" "$ARENITE" compare --programs=git --out report
mkdir traces
echo nonsense > traces/git.trace
refused 1 'the replay of' "$ARENITE" compare --quick --programs=git --traces traces --out report
[ ! -e report/compare.json ] && [ ! -e report/compare.html ]

refused 2 'no benchmark "couples"; there are: pairs' "$ARENITE" bench couples
refused 2 'benchmarks are: pairs' "$ARENITE" bench
refused 2 'whole number from 1 to 99' "$ARENITE" bench pairs --rounds=none
refused 2 'is not an option' "$ARENITE" bench pairs more
refused 2 'usage' "$ARENITE" bench pairs --bogus
"$ARENITE" compare --help | grep -q -- --traces
"$ARENITE" bench pairs --help | grep -q -- --rounds

# Interrupted: it ends at once, its children with it, and nothing stays.
mkdir scratch
printf 'sleep 1000 & echo $! > "%s/pid"; wait\n' "$tmp" > broken/git.sh
env TMPDIR="$tmp/scratch" ARENITE_WORKLOADS="$tmp/broken" "$ARENITE" compare --programs=git --out report 2> err &
tries=0
until [ -s pid ]; do
  tries=$((tries + 1))
  [ $tries -lt 100 ] || { echo "the script did not start" >&2; exit 1; }
  sleep 0.1
done
kill -TERM $!
status=0
wait $! || status=$?
[ $status = 143 ] || { echo "exit status $status after SIGTERM" >&2; exit 1; }
[ -z "$(ls scratch)" ] || { echo "left behind: $(ls scratch)" >&2; exit 1; }
tries=0
while kill -0 "$(cat pid)" 2> /dev/null && [ "$(cut -d ' ' -f 3 "/proc/$(cat pid)/stat" 2> /dev/null)" != Z ]; do
  tries=$((tries + 1))
  [ $tries -lt 50 ] || { echo "the script's child lives on" >&2; exit 1; }
  sleep 0.1
done
echo "all refused"
