#!/bin/sh
# timeout: 120
# ARENITE_LIMIT=cgroup in a control group of its own, below this process's: a program that touches all
# it gets comes to the end of its memory, with NULL, and goes on. Without the setting it is killed there.
# Skipped where no group can be made, or its limit does not kill.
set -eu
limit_mib=64
program=$TESTS/bin/malloc_touches
tmp=$(mktemp -d)
group=

clean_up() {
  # The last of its processes may not be quite gone.
  tries=0
  while [ -n "$group" ] && ! rmdir "$group" 2>"$tmp/rmdir" && [ $tries -lt 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

skip() {
  echo "$*: skipped"
  exit 77
}

# make FOLDER FILE: a group there, with the limit in that file. Not any folder is one of groups.
make() {
  [ -e "$1/cgroup.procs" ] && mkdir "$1/arenite-test-$$" 2>"$tmp/mkdir" || return 1
  group=$1/arenite-test-$$
  [ -e "$group/$2" ] && (echo $((limit_mib << 20)) >"$group/$2") 2>"$tmp/limit" && return 0
  rmdir "$group"
  group=
  return 1
}

# in_group COMMAND: in a process that has moved there before it becomes the command.
in_group() {
  sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@"
}

# Version 2, where this process's group may have children with a limit on memory; or version 1.
own_2=$(sed -n 's/^0:://p' /proc/self/cgroup)
own_1=$(sed -n 's/^[0-9]*:\(.*,\)\{0,1\}memory\(,.*\)\{0,1\}:\//\//p' /proc/self/cgroup)
make "/sys/fs/cgroup${own_2%/}" memory.max || make "/sys/fs/cgroup/memory${own_1%/}" memory.limit_in_bytes ||
  skip "no control group can be made"
for swap in memory.swap.max:0 memory.memsw.limit_in_bytes:$((limit_mib << 20)); do
  if [ -e "$group/${swap%:*}" ]; then
    (echo "${swap#*:}" >"$group/${swap%:*}") 2>"$tmp/swap" || true
  fi
done

status=0
in_group env -u ARENITE_LIMIT "$program" $((4 * limit_mib)) >"$tmp/killed" 2>&1 || status=$?
[ $status -eq 137 ] || skip "a process that passes the limit of its group ends with $status here"

for form in linked preloaded; do
  if [ $form = linked ]; then
    in_group env ARENITE_LIMIT=cgroup "$program" $((4 * limit_mib)) >"$tmp/had" || status=$?
  else
    in_group env ARENITE_LIMIT=cgroup LD_PRELOAD="$ARENITE_MALLOC" "$program-bare" $((4 * limit_mib)) \
      >"$tmp/had" || status=$?
  fi
  [ "$(wc -l <"$tmp/had")" -eq 14 ] || {
    echo "$form: ended with $status after $(wc -l <"$tmp/had") of 14 rounds" >&2
    exit 1
  }
  # A block of 40 MB fits once; all others fill most of what there is.
  awk -v most=$limit_mib '$1 >= most || $1 < most / 2 { print "had " $1 " MiB of " most; bad = 1 }
    END { exit bad }' "$tmp/had" >&2
  echo "$form: $(tr '\n' ' ' <"$tmp/had")MiB"
done
