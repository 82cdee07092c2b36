#!/bin/sh
# A process tree is one recording: a pipeline of a shell, with programs that get an environment without
# the recorder, programs that are replaced by others, and some that are killed.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

status=0
"$ARENITE" record -o tree/ -- sh -c '
  seq 1 2000 | sort -r | uniq | wc -l > lines
  env -i PATH="$PATH" sh -c "exec ls /" > /dev/null
  (exec sort < lines > /dev/null)
  sh -c "kill -9 \$\$" 2> /dev/null
  exit 7' 2> summary || status=$?
cat summary
[ $status = 7 ] || { echo "the exit status is $status, not the program's 7" >&2; exit 1; }
[ "$(cat lines)" -eq 2000 ] || { echo "the recorded pipeline went wrong" >&2; exit 1; }

for program in sh seq sort uniq wc env ls; do
  grep -q "\"program\": \"$program\"" tree/manifest.json || {
    echo "$program is not in the manifest:" >&2
    cat tree/manifest.json >&2
    exit 1
  }
done
files=$(ls tree/raw | wc -l)
"$ARENITE" trace tree/trace.arnt > info
grep -q "\"processes\": $files," info || { echo "$files files, but $(cat info)" >&2; exit 1; }

# LD_PRELOAD that was there before stays. libm is a library that does no harm.
libm=$(ldd /usr/bin/awk | sed -n 's/.*=> \(.*libm\.so[^ ]*\) .*/\1/p' | head -n 1)
if [ -n "$libm" ]; then
  LD_PRELOAD=$libm "$ARENITE" record -q -o kept.arnt -- sh -c 'echo "$LD_PRELOAD"' > preload
  grep -q "libarenite-record.so:$libm" preload || { echo "LD_PRELOAD: $(cat preload)" >&2; exit 1; }
fi

for mode in null system free-threaded gil; do
  for threads in 1 2 own; do
    "$ARENITE" replay tree/trace.arnt --mode=$mode --threads=$threads --check --passes=2
  done
done

# A program that may not write as much as it takes to record it: it runs to its end, and record says so.
status=0
"$ARENITE" record -o cut.arnt -- sh -c 'ulimit -f 100; exec seq 1 10' > out 2> message || status=$?
if [ $status != 1 ] || [ "$(wc -l < out)" != 10 ] || ! grep -q 'not complete' message; then
  echo "without room for the recording: status $status" >&2
  cat message >&2
  exit 1
fi

# What cannot be recorded.
status=0
"$ARENITE" record -o no.arnt -- "$tmp/no-such-program" 2> message || status=$?
[ $status = 127 ] && grep -q no-such-program message || { cat message >&2; exit 1; }
for arguments in "" "-o" "-o x" "-o x --" "-x -- true" "-- true"; do
  status=0
  # shellcheck disable=SC2086 # several words
  "$ARENITE" record $arguments 2> message || status=$?
  if [ $status != 2 ] || [ "$(wc -l < message)" != 1 ]; then
    echo "record $arguments: status $status" >&2
    cat message >&2
    exit 1
  fi
done
echo "a process tree is one recording"
