#!/bin/bash
# `arenite run`: the program is served by the library in the mode that was asked for, it is otherwise
# itself (status, signals, process number), what it starts inherits, and what cannot be is refused.
set -eu
[ -x /usr/bin/python3 ] || exit 77
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
unset "${!ARENITE_@}" LD_PRELOAD 2> /dev/null || :
run=("$ARENITE" run)
library=$BUILD/lib/libarenite-malloc.so.0

fail() {
  echo "$*" >&2
  for file in out err report*; do
    [ ! -s "$file" ] || { echo "--- $file" >&2; cut -c 1-200 "$file" | head -n 8 >&2; }
  done
  exit 1
}

# ends STATUS COMMAND...: it ends with that status; its output is in out and err.
ends() {
  local wanted=$1 status=0
  shift
  "$@" > out 2> err || status=$?
  [ $status = "$wanted" ] || fail "$*: exit status $status, not $wanted"
}

# refused STATUS WORDS COMMAND...: one sentence, which has these words.
refused() {
  local wanted=$1 words=$2
  shift 2
  ends "$wanted" "$@"
  [ "$(wc -l < err)" = 1 ] && [ ! -s out ] && grep -q -- "$words" err ||
    fail "$*: not one sentence with '$words'"
}

# member FILE NAME: a number of a JSON report.
member() { sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p" "$1"; }

# --- Served, in both modes ---

# Blocks of its own, 32 MiB at once: whoever serves them holds as much.
cat > work.py <<'PY'
import sys
blocks = [bytes(1000) for _ in range(32 << 10)]
print(len(blocks), "libarenite-malloc.so" in open("/proc/self/maps").read())
sys.exit(7)
PY
export PYTHONMALLOC=malloc
for mode in free-threaded gil; do
  ends 7 "${run[@]}" --mode=$mode --stats=json --stats-file=report -- /usr/bin/python3 -S work.py
  [ "$(cat out)" = '32768 True' ] && [ ! -s err ] || fail "$mode: the program said something else"
  grep -q "^{\"mode\":\"$mode\"" report || fail "$mode: the report is of another mode"
  [ "$(member report arenas_highwater)" -ge 32 ] || fail "$mode: another malloc served"
  takes=$(member report gil_takes)
  case $mode in
    gil) [ "$takes" -gt 32768 ] || fail "not one lock per call: $takes" ;;
    *) [ "$takes" = 0 ] || fail "a GIL where there is none" ;;
  esac
  python3 -c 'import json; json.load(open("report"))' || fail "$mode: not JSON"
done

# --- The statistics ---

ends 0 "${run[@]}" --stats -- /usr/bin/python3 -S -c 'print(1)'
[ "$(cat out)" = 1 ] && grep -q '^arenite free-threaded' err && grep -q '^live_bytes' err ||
  fail "--stats is not text on standard error"
! grep -q 'one lock per call' err || fail "there is no lock in this mode"
ends 0 "${run[@]}" --mode gil --stats=text /usr/bin/python3 -S -c 'print(1)'
[ "$(head -n 1 err | cut -d : -f 1)" = 'one lock per call' ] && grep -q '^arenite gil' err ||
  fail "the mode does not say what it is"
ends 0 "${run[@]}" --stats=json -- /usr/bin/python3 -S -c 'print(1)'
[ "$(wc -l < err)" = 1 ] && grep -q '^{"mode":"free-threaded"' err || fail "--stats=json"
ends 0 "${run[@]}" -- /usr/bin/python3 -S -c 'print(1)'
[ ! -s err ] || fail "statistics that nobody wanted"
# The file is meant from where the command was called.
mkdir away
ends 0 "${run[@]}" --stats-file=report -- /usr/bin/python3 -S -c 'import os; os.chdir("away")'
grep -q '^arenite free-threaded' report && [ -z "$(ls away)" ] || fail "--stats-file goes with the program"

# --- Settings ---

ends 0 "${run[@]}" --set MODE=gil --set ARENITE_LIMIT=1G --set=PURGE_DELAY_MS=-1 -- \
  bash -c 'echo $ARENITE_MODE $ARENITE_LIMIT $ARENITE_PURGE_DELAY_MS'
[ "$(cat out)" = 'gil 1G -1' ] || fail "--set does not set"
ends 0 "${run[@]}" --set MODE=gil --stats -- /usr/bin/python3 -S -c 'print(1)'
grep -q '^arenite gil' err || fail "--set MODE is not heard"
ends 0 "${run[@]}" --set LIMIT=16M -- /usr/bin/python3 -S -c '
try:
    bytearray(1 << 26)
except MemoryError:
    print("refused")'
[ "$(cat out)" = refused ] || fail "--set LIMIT is not heard"

ends 0 "${run[@]}" --mode=gil --stats-file=/r.%p --print
[ "$(cat out)" = "ARENITE_MODE=gil
ARENITE_STATS=text:/r.%p
LD_PRELOAD=$library" ] || fail "--print"
# shellcheck disable=SC2046 # several words
ends 0 env $("${run[@]}" --mode=gil --stats --print) /usr/bin/python3 -S -c 'print(1)'
grep -q '^arenite gil' err || fail "what --print prints does not do the same"

# What was preloaded stays, behind ours. libm is a library that does no harm.
libm=$(ldd "/usr/bin/python3" | sed -n 's/.*=> \(.*libm\.so[^ ]*\) .*/\1/p' | head -n 1)
if [ -n "$libm" ]; then
  ends 0 env LD_PRELOAD="$libm" "${run[@]}" -- bash -c 'echo $LD_PRELOAD'
  [ "$(cat out)" = "$library:$libm" ] || fail "LD_PRELOAD is not kept"
fi

# --- What it starts ---

rm -f report*
ends 3 "${run[@]}" --mode=gil --stats=json --stats-file=report.%p -- \
  bash -c 'bash -c "exit 0"; env bash -c "exit 0"; exec bash -c "exit 3"'
for file in report.*; do
  grep -q '^{"mode":"gil"' "$file" || fail "a process that was started is not served"
done
[ "$(ls report.* | wc -l)" = 3 ] || fail "not three processes reported"

ends 0 "${run[@]}" -- "${run[@]}" --mode=gil --stats -- "${run[@]}" --print
grep -q '^arenite gil' err || fail "the command itself is not served"

# --- The program is itself ---

ends 143 "${run[@]}" -- bash -c 'kill -TERM $$'
"${run[@]}" --mode=gil -- sleep 100 &
pid=$!
until grep -q libarenite-malloc "/proc/$pid/maps" && [ "$(cat "/proc/$pid/comm")" = sleep ]; do
  sleep 0.05
done
kill -TERM $pid
status=0
wait $pid || status=$?
[ $status = 143 ] || fail "a signal does not reach the program: $status"
printf 'a\nb\n' > lines
"${run[@]}" -- sort -r < lines > out
[ "$(tr -d '\n' < out)" = ba ] || fail "standard input is not the program's"

# --- What cannot be ---

refused 2 "gil or free-threaded, not 'fast'" "${run[@]}" --mode=fast -- true
refused 2 "gil or free-threaded, not 'fast'" "${run[@]}" --set MODE=fast -- true
refused 2 "text or json, not 'xml'" "${run[@]}" --stats=xml -- true
refused 2 "no setting 'SPEED'; there are MODE, LIMIT, .*STATS" "${run[@]}" --set SPEED=1 -- true
refused 2 "no setting 'ARENITE_'" "${run[@]}" --set ARENITE_=1 -- true
refused 2 "NAME=VALUE" "${run[@]}" --set MODE -- true
refused 2 "name of a file" "${run[@]}" --stats-file= -- true
refused 2 "wants a value" "${run[@]}" --mode
refused 2 "'--bogus' is not an option" "${run[@]}" --bogus -- true
refused 2 "no program is named" "${run[@]}" --mode=gil --
refused 127 "no-such-program: No such file" "${run[@]}" -- no-such-program
refused 127 "No such file" "${run[@]}" -- ./no-such-program
refused 126 "work.py: Permission denied" "${run[@]}" -- ./work.py
refused 126 "Permission denied" "${run[@]}" -- "$tmp"
ends 0 "${run[@]}" --help
grep -q -- --stats-file out || fail "--help"

# Programs into which nothing can be preloaded: no dynamic linker, another machine, other rights; and a
# script with such an interpreter.
cat > patch.py <<'PY'
import struct
program = bytearray(open("/bin/true", "rb").read())
start, = struct.unpack_from("<Q", program, 32)
size, count = struct.unpack_from("<HH", program, 54)
for at in range(start, start + size * count, size):
    if struct.unpack_from("<I", program, at) == (3,):
        struct.pack_into("<I", program, at, 0)
open("static", "wb").write(program)
program[4] = 1
open("small", "wb").write(program)
PY
python3 patch.py
printf '#! %s/static -x\n' "$tmp" > script
cp /bin/true other
chmod +x static small script
if [ "$(id -u)" = 0 ]; then chown 65534 other; else cp "$(command -v su)" other || :; fi
chmod u+s other
refused 2 "./static is linked statically" "${run[@]}" -- ./static
refused 2 "$tmp/static is linked statically" "${run[@]}" -- ./script
refused 2 "not an x86-64 program" "${run[@]}" -- ./small
if [ "$(id -u)" = 0 ]; then
  refused 2 "other rights than yours" "${run[@]}" -- ./other
fi
PATH=$tmp:$PATH refused 2 "$tmp/static is linked statically" "${run[@]}" -- static

# A command without its library, and one that stands where nothing can be preloaded from.
mkdir -p alone/bin 'a b/bin' 'a b/lib'
cp "${run[0]}" alone/bin
cp "${run[0]}" 'a b/bin'
cp "$library" 'a b/lib'
export LD_LIBRARY_PATH=$BUILD/lib
refused 1 "libarenite-malloc.so.0 is neither" alone/bin/arenite run -- true
refused 2 "with a space or a colon" 'a b/bin/arenite' run -- true
echo "arenite run: ok"
