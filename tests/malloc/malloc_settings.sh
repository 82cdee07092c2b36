#!/bin/sh
# once
# Settings from the environment: each has its effect; one that does not parse gets one sentence, and its
# default is used; with raised privileges none has any.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
probe=$TESTS/bin/malloc_probe
plain='malloc=arenite secure=0 mode=free-threaded limit=none huge_pages=off'
unset ARENITE_MODE
bad=0

# expect WHAT FILE: the file is that one line (or empty).
expect() {
  if [ "$(cat "$2")" != "$1" ]; then
    echo "$setting: expected '$1', not:" >&2
    cat "$2" >&2
    bad=1
  fi
}

# run SETTING...: the probe, in that environment.
run() {
  setting="$*"
  env "$@" "$probe" >"$tmp/out" 2>"$tmp/err" || { echo "$setting: status $?" >&2; bad=1; }
}

run NOTHING=set
expect "$plain" "$tmp/out"
expect "" "$tmp/err"
setting=preloaded
LD_PRELOAD=$ARENITE_MALLOC "$probe-bare" >"$tmp/out"
expect "$plain" "$tmp/out"

run ARENITE_MODE=gil
expect "$(echo "$plain" | sed s/free-threaded/gil/)" "$tmp/out"
run ARENITE_LIMIT=64M
expect "$(echo "$plain" | sed 's/limit=none/limit=below 100M/')" "$tmp/out"
run ARENITE_LIMIT=67108864 ARENITE_MODE=free-threaded
expect "$(echo "$plain" | sed 's/limit=none/limit=below 100M/')" "$tmp/out"
run ARENITE_HUGE_PAGES=on
expect "$(echo "$plain" | sed s/huge_pages=off/huge_pages=on/)" "$tmp/out"

# Nothing is as good as not there.
for name in MODE LIMIT RESERVE PURGE_DELAY_MS SWITCH_INTERVAL DEFERRED_BUDGET ARENAS HUGE_PAGES STATS; do
  run ARENITE_$name=
  expect "$plain" "$tmp/out"
  expect "" "$tmp/err"
done

# One sentence each, whatever is wrong.
for value in MODE=Gil MODE=free MODE=gil,gil LIMIT=much LIMIT=-1 LIMIT=1X LIMIT=64MB LIMIT=99999999999G \
  LIMIT=64M: RESERVE=some RESERVE=1.5G PURGE_DELAY_MS=soon PURGE_DELAY_MS=-2 PURGE_DELAY_MS=200ms \
  SWITCH_INTERVAL=0 SWITCH_INTERVAL=-5 SWITCH_INTERVAL=x DEFERRED_BUDGET=all ARENAS=own \
  HUGE_PAGES=yes STATS=xml STATS=texts STATS=json,text; do
  run "ARENITE_$value"
  expect "$plain" "$tmp/out"
  if [ "$(wc -l <"$tmp/err")" != 1 ] || ! grep -q "^arenite: ARENITE_$value is not " "$tmp/err"; then
    echo "ARENITE_$value: expected one sentence, not:" >&2
    cat "$tmp/err" >&2
    bad=1
  fi
done

# A value of any length, and one with odd characters, is one line.
run "ARENITE_MODE=$(printf '%05000d' 1)"
expect "$plain" "$tmp/out"
[ "$(wc -lc <"$tmp/err" | awk '{ print ($1 == 1 && $2 < 300) }')" = 1 ] || {
  echo "a long value: $(cat "$tmp/err")" >&2
  bad=1
}
exit $bad
