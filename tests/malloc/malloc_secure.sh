#!/bin/sh
# once
# A program with raised privileges (set-user-id) takes no settings from whoever starts it: not the mode,
# not the limit, and no file is written in its name. Needs root, to make such a program.
set -eu
if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null; then
  echo "only root can make a set-user-id program: skipped"
  exit 77
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# The library is found by the path that is in the program, which must be open to the other user.
cp "$TESTS/bin/malloc_probe" "$tmp/probe"
chmod 4755 "$tmp/probe"
chmod 755 "$tmp"
mkdir "$tmp/stats"
chmod 777 "$tmp/stats"

ordinary() { setpriv --reuid=65534 --regid=65534 --clear-groups -- env "$@"; }
said=$(ordinary "$tmp/probe" 2>&1) || { echo "does not run for another user here: skipped: $said"; exit 77; }
case $said in
  *secure=1*) ;;
  *)
    echo "set-user-id has no effect in this file system: skipped: $said"
    exit 77
    ;;
esac

said=$(ordinary ARENITE_MODE=gil ARENITE_LIMIT=64M ARENITE_HUGE_PAGES=on \
  "ARENITE_STATS=json:$tmp/stats/%p" ARENITE_RESERVE=nonsense ARENITE_BACKGROUND=on "$tmp/probe" 2>&1)
expected='malloc=arenite secure=1 mode=free-threaded limit=none huge_pages=off'
if [ "$said" != "$expected" ]; then
  echo "expected '$expected', not '$said'" >&2
  exit 1
fi
said=$(ordinary ARENITE_STATS=text "$tmp/probe" 2>&1)
[ "$said" = "$expected" ] || { echo "wrote statistics: $said" >&2; exit 1; }
[ -z "$(ls "$tmp/stats")" ] || { echo "wrote a file: $(ls "$tmp/stats")" >&2; exit 1; }

# The same without the privileges, so that what is seen above is their doing.
library=$(ldd "$tmp/probe" | awk '/libarenite-malloc/ { print $3 }')
if ! ordinary test -r "$library"; then
  echo "the other user may not read $library, so not all is tested"
  exit 0
fi
chmod 755 "$tmp/probe"
said=$(ordinary ARENITE_MODE=gil "ARENITE_STATS=json:$tmp/stats/%p" "$tmp/probe" 2>&1)
[ "$said" = 'malloc=arenite secure=0 mode=gil limit=none huge_pages=off' ] || {
  echo "without privileges: $said" >&2
  exit 1
}
[ -n "$(ls "$tmp/stats")" ] || { echo "without privileges no file was written" >&2; exit 1; }
