#!/bin/sh
# A trace that is cut off or changed anywhere is refused: one sentence with the byte, exit 2, no crash.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

"$ARENITE" record -q -o good.arnt -- sh -c 'seq 1 60000 | sort -n | tail -n 1; ls /' > out.txt
"$ARENITE" replay good.arnt --mode=null --passes=1
size=$(wc -c < good.arnt)

refused() { # WHAT FILE
  for command in "replay $2 --mode=null --passes=1" "replay $2 --mode=null --threads=own" "trace $2"; do
    status=0
    # shellcheck disable=SC2086 # several words
    "$ARENITE" $command > out 2> message || status=$?
    if [ $status != 2 ] || [ "$(wc -l < message)" != 1 ] || ! grep -q "$2: byte [0-9]*: " message; then
      echo "$1: arenite $command: status $status, and:" >&2
      cat out message >&2
      exit 1
    fi
  done
}

for length in 0 1 7 8 100 $((size / 3)) $((size / 2)) $((size - 1)); do
  head -c "$length" good.arnt > bad.arnt
  refused "cut off at $length of $size" bad.arnt
done
cut=$((size / 2))
head -c "$cut" good.arnt > bad.arnt
"$ARENITE" replay bad.arnt --mode=null 2> message || :
grep -q "byte $cut: " message || { echo "the byte of the cut is $cut, but:" >&2; cat message >&2; exit 1; }

# flip AT: the byte at AT becomes another.
flip() {
  old=$(od -An -tu1 -j"$1" -N1 good.arnt | tr -d ' ')
  cp good.arnt bad.arnt
  # shellcheck disable=SC2059 # the byte is the format
  printf "\\$(printf %o $(((old + 1) % 256)))" | dd of=bad.arnt bs=1 seek="$1" conv=notrunc 2> /dev/null
}
step=$((size / 60 + 1))
at=0
while [ $at -lt "$size" ]; do
  flip $at
  refused "byte $at of $size flipped" bad.arnt
  at=$((at + step))
done
for at in 0 8 12 16 24 40 170 180 190 200 210; do
  flip $at
  refused "byte $at flipped" bad.arnt
done

cat good.arnt good.arnt > bad.arnt
refused "twice the file" bad.arnt
head -c 5000 /dev/urandom > bad.arnt
refused "random bytes" bad.arnt

status=0
"$ARENITE" replay missing.arnt --mode=null 2> message || status=$?
[ $status = 2 ] && grep -q missing.arnt message || { cat message >&2; exit 1; }
for option in --mode=fast --mode= --threads=0 --threads=-1 --threads=1x --threads= --safepoint=0 \
  --think=some --min-time=x --passes=0 --cache= --unknown --json=1 second.arnt; do
  status=0
  "$ARENITE" replay good.arnt --mode=null $option 2> message || status=$?
  if [ $status != 2 ] || [ "$(wc -l < message)" != 1 ]; then
    echo "$option: status $status" >&2
    cat message >&2
    exit 1
  fi
done
status=0
"$ARENITE" replay good.arnt 2> message || status=$?
[ $status = 2 ] || { echo "no --mode: status $status" >&2; exit 1; }
echo "damage is found"
