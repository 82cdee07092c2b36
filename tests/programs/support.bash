# What the tests of real programs share. Each is a script that runs one program three times: as it is,
# and with the drop-in malloc loaded into it in each of the two modes. The three must do the same, and
# the statistics that the library writes when a process ends must show that it was the library that
# served it, in the mode asked for.
#
# From ctest: BUILD is the build tree. A script that sources this is in an empty directory, $tmp, and
# under a time limit a little shorter than ctest's (its "# timeout:" line), so that it can still stop
# its servers.

set -euo pipefail
if [[ -z ${PROGRAMS_LIMITED-} ]]; then
  limit=$(sed -n '1,5s/^# *timeout: *//p' "$0")
  PROGRAMS_LIMITED=1 exec timeout -k 10 $((${limit:-120} - 15)) bash "$0" "$@"
fi

export LC_ALL=C
unset "${!ARENITE_@}" LD_PRELOAD
modes=(free-threaded gil)
library=$BUILD/lib/libarenite-malloc.so.0
started=()
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
cd "$tmp"

# strays: the processes that know of this directory, whoever started them.
strays() {
  local file
  grep -l -s -F -a "$tmp/" /proc/[0-9]*/environ | while IFS= read -r file; do
    file=${file#/proc/}
    echo "${file%/environ}"
  done
}

stop_all() {
  local process tries=0
  for process in "${started[@]}"; do
    kill "$process" 2>/dev/null || :
  done
  for process in "${started[@]}"; do
    while kill -0 "$process" 2>/dev/null && ((tries++ < 50)); do
      sleep 0.1
    done
    kill -KILL "$process" 2>/dev/null || :
  done
  for process in $(strays); do
    kill -KILL "$process" 2>/dev/null || :
  done
  rm -rf "$tmp" || :
}
trap stop_all EXIT
trap 'exit 143' TERM INT HUP

fail() {
  echo "$*" >&2
  exit 1
}

[[ -e $library ]] || fail "there is no $library"

# needs PROGRAM...: without one of them there is nothing to test.
needs() {
  local program
  for program in "$@"; do
    if ! type "$program" >/dev/null 2>&1; then
      echo "$program is not installed"
      exit 77
    fi
  done
}

# under MODE: what this shell starts from now on has the library in it (with `none`, has not).
under() {
  [[ $1 != none ]] || return 0
  mkdir -p "$tmp/statistics/$1"
  export ARENITE_MODE=$1 ARENITE_STATS=json:$tmp/statistics/$1/%p LD_PRELOAD=$library
}

# run MODE COMMAND...: runs it; $pid is then the process that it was.
run() {
  local mode=$1 status=0
  shift
  (
    echo "$BASHPID" >"$tmp/pid.$mode"
    under "$mode"
    exec "$@"
  ) || status=$?
  pid=$(<"$tmp/pid.$mode")
  return $status
}

# start MODE COMMAND...: the same in the background, its output in log.MODE. It is killed at the end,
# if it is still there.
start() {
  local mode=$1
  shift
  (
    trap - EXIT TERM INT HUP
    under "$mode"
    exec "$@"
  ) >"log.$mode" 2>&1 &
  pid=$!
  started+=("$pid")
}

# answers MODE COMMAND...: waits until the command succeeds, as long as the process $pid lives.
answers() {
  local mode=$1 tries
  shift
  for ((tries = 0; tries < 300; tries++)); do
    if "$@" >/dev/null 2>&1; then
      return
    fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  cat "log.$mode" >&2
  fail "$mode: the server does not answer"
}

# ends MODE: waits for $pid, which is about to end, and well.
ends() {
  local mode=$1 status=0 process kept=()
  wait "$pid" || status=$?
  for process in "${started[@]}"; do
    [[ $process == "$pid" ]] || kept+=("$process")
  done
  started=("${kept[@]}")
  ((status == 0)) || {
    cat "log.$mode" >&2
    fail "$mode: the server's exit status is $status"
  }
}

# same MODE NAME: the file NAME.MODE is what NAME.none is.
same() {
  cmp "$2.none" "$2.$1" || {
    diff "$2.none" "$2.$1" | head -n 40 >&2 || :
    fail "$1: $2 is not what it is without the library"
  }
}

# served MODE COUNT [PROCESS...]: the library served COUNT processes at least since the last call, and
# these among them.
served() {
  /usr/bin/python3 - "$tmp/statistics/$1" "$@" <<'PY'
import json, pathlib, sys

directory, mode, count, *processes = sys.argv[1:]
files, cut, arenas = [], [], 0
for path in sorted(pathlib.Path(directory).glob("*")):
    text = path.read_text()
    try:
        stats = json.loads(text)
    except ValueError:
        cut.append(path.name)  # killed while it wrote, or writing still: not counted
        continue
    if stats["mode"] != mode or stats["arenas_allocated"] < 1:
        sys.exit(f"{mode}: process {path.name} was not served by the library in this mode: {text[:400]}")
    files.append(path.name)
    arenas += stats["arenas_allocated"]
for process in processes:
    if process not in files:
        sys.exit(f"{mode}: process {process} left no statistics; these did: {files[:20]}, these not all: {cut}")
if len(files) < int(count):
    sys.exit(f"{mode}: {len(files)} processes left statistics, not {count}")
print(f"{mode}: {len(files)} processes served, {arenas} arenas")
PY
  # Some program's grandchild may end just now and leave one more.
  rm -rf "$tmp/statistics/$1" 2>/dev/null || :
}
