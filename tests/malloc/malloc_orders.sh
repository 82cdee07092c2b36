#!/bin/sh
# links/orders.c in processes that have both libraries: whichever comes first, whoever brings them, and
# whatever is linked statically, there is one heap. And what is said when the two are not of one version.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
links=$SRC/tests/malloc/links
override=$BUILD/lib/libarenite-malloc.so.0
flags="-std=gnu17 -O1 -g -Wall -Wextra -Werror -fno-builtin -I$SRC/core/include -I$SRC/core/heap/include"
flags="$flags -I$SRC/core/malloc/include -I$SRC/threading/include -L$BUILD/lib -L$tmp"
# All libraries are wanted, in the order in which they stand, also those that nobody calls.
flags="$flags -Wl,--no-as-needed -Wl,-rpath,$BUILD/lib -Wl,-rpath,$tmp"
bad=0

# The one reservation that there may be; orders.c looks for it.
export ARENITE_RESERVE=64G

# link NAME FLAG...
link() {
  name=$1
  shift
  # shellcheck disable=SC2086 # flags are words
  "$CC" $flags -o "$tmp/$name" "$@" -pthread -ldl
}

# runs WHAT FILES NAME: it ends well, and the program's arn_malloc and the third's are in these FILES.
# As there are several libraries to find it in, that shows that the case is the one that is meant.
runs() {
  status=0
  said=$(timeout 60 "$tmp/$3") || status=$?
  [ $status = 0 ] || { echo "$1: status $status" >&2; bad=1; return; }
  [ "$said" = "$2" ] || { echo "$1: called $said instead of $2" >&2; bad=1; }
}

program=$links/orders.c
third=$links/orders_third.c
# A library that needs libarenite, and one that has all of it.
link libneeds.so -shared -fPIC "$third" -larenite
link libholds.so -shared -fPIC "$third" -Wl,--whole-archive "$BUILD/lib/libarenite.a" -Wl,--no-whole-archive

link first "$program" "$third" -larenite-malloc -larenite
runs "malloc's library first" "libarenite-malloc.so.0 libarenite-malloc.so.0" first

link second "$program" "$third" -larenite -larenite-malloc
runs "malloc's library second" "libarenite.so.0 libarenite.so.0" second

link alone "$program" "$third" -larenite
export LD_PRELOAD="$override"
runs "preloaded" "libarenite-malloc.so.0 libarenite-malloc.so.0" alone
LD_PRELOAD=$BUILD/lib/libarenite.so.0:$override
runs "both preloaded" "libarenite.so.0 libarenite.so.0" alone
unset LD_PRELOAD

link behind "$program" -lneeds -larenite-malloc
runs "behind a library that needs the other" "libarenite-malloc.so.0 libarenite-malloc.so.0" behind
link after "$program" -lneeds -larenite -larenite-malloc
runs "after a library that needs the other" "libarenite.so.0 libarenite.so.0" after
link beside "$program" -lholds -larenite-malloc
runs "beside a library that holds the other" "libholds.so libholds.so" beside

# With RTLD_DEEPBIND a library prefers what it brings, so it is not for one that calls malloc too.
link late -DLATE "$program" -larenite-malloc
for library in needs holds; do
  export THIRD="$tmp/lib$library.so"
  runs "a library that is loaded late, and $library the other" \
    "libarenite-malloc.so.0 libarenite-malloc.so.0" late
done

link holds "$program" "$third" "$BUILD/lib/libarenite.a" -larenite-malloc
runs "the other in the program" "holds holds" holds
link holds "$program" "$third" "$BUILD/lib/libarenite.a"
export LD_PRELOAD="$override"
runs "the other in the program, preloaded" "holds holds" holds
unset LD_PRELOAD

# The program has a copy of its own that nobody else sees, and the third uses malloc's library.
link hides "$program" "$BUILD/lib/libarenite.a" -Wl,--exclude-libs,ALL -lneeds -larenite-malloc
runs "the other in the program, hidden" "hides libarenite-malloc.so.0" hides

# Nothing to hand over: of each object there is one.
needed=-Wl,--undefined=malloc,--undefined=mallopt
for order in "arenite arenite-malloc" "arenite-malloc arenite"; do
  archives=
  for name in $order; do
    archives="$archives $BUILD/lib/lib$name.a"
  done
  # shellcheck disable=SC2086 # archives are words
  {
    link static -DSTATIC "$program" "$third" $needed $archives
    runs "static, $order" "static static" static
    # glibc says of dlopen in a static program what is true, and not an error.
    link static -DSTATIC -static "$program" "$third" $needed $archives 2>"$tmp/said"
    runs "static with libc, $order" "static static" static
  }
done

# A table of another version is said, by the first call that would have used it.
cat >"$tmp/other.c" <<'END'
const struct { unsigned version; const void *space; } arn_override_interface = {999, 0};
END
link libother.so -shared -fPIC "$tmp/other.c"
link other "$program" "$third" -lother -larenite
status=0
(ulimit -c 0; exec "$tmp/other") 2>"$tmp/said" || status=$?
[ $status = 134 ] || { echo "another version: status $status" >&2; bad=1; }
expected='^arenite: libarenite-malloc has version 999 of the interface and libarenite has version [0-9]+$'
grep -Eq "$expected" "$tmp/said" || { echo "another version: said $(cat "$tmp/said")" >&2; bad=1; }
exit $bad
