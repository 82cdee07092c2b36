#!/bin/sh
# One recording in every mode, with every number of threads and every safepoint interval: the counts are
# the same everywhere, the contents are verified, and what is printed is what was asked for.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

"$ARENITE" record -q -o t.arnt -- sh -c 'seq 1 30000 | sort -n | tail -n 1; ls -l /' > out.txt
calls=$("$ARENITE" trace t.arnt | sed 's/.*"calls": \([0-9]*\).*/\1/')
mkdir cache

for mode in null system gil free-threaded; do
  for threads in 1 2 3 own; do
    for safepoint in 10 1000; do
      "$ARENITE" replay t.arnt --mode=$mode --threads=$threads --safepoint=$safepoint --check --json \
        --passes=2 --cache=cache > line
      streams=$threads quoted=$threads
      [ $threads != own ] || streams=1 quoted='"own"'
      for member in "\"mode\": \"$mode\"" "\"threads\": $quoted," "\"safepoint\": $safepoint," \
        "\"ops\": $((2 * calls * streams))," '"passes": 2,' '"peak_rss_kib": [1-9]' \
        '"gil_wait_share": [0-9]' '"gil_switches": [0-9]' '"mops": [0-9]'; do
        if [ "$(wc -l < line)" != 1 ] || ! grep -q "$member" line; then
          echo "$member is missing:" >&2
          cat line >&2
          exit 1
        fi
      done
    done
  done
done
[ "$(ls cache | wc -l)" = 2 ] || { echo "the cache holds: $(ls cache)" >&2; exit 1; }

# Think time as recorded takes at least about as long as what was recorded.
"$ARENITE" record -q -o slow.arnt -- sh -c 'sleep 0.2; ls /; sleep 0.2' > out.txt
for mode in null system gil free-threaded; do
  seconds=$("$ARENITE" replay slow.arnt --mode=$mode --threads=own --think=recorded --passes=1 --json |
    sed 's/.*"seconds": \([0-9]*\.[0-9]\).*/\1/')
  case $seconds in
    0.[0-2]) echo "$mode: $seconds s for a program that slept 0.4 s" >&2; exit 1 ;;
  esac
done

# A short recording is repeated, a long time is not needed.
"$ARENITE" replay t.arnt --mode=null --min-time=0.3 --json | grep -q '"passes": [0-9][0-9]' ||
  { echo "a short recording is not repeated" >&2; exit 1; }
echo "all modes agree"
