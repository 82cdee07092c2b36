#!/usr/bin/env bash
# memcached with two threads: its own protocol tests, the same answers as without the library, and
# nothing amiss under memaslap's load.
# timeout: 150
source "$(dirname "$0")/support.bash"
needs memcached memcaslap memccapable

as_user=()
((EUID)) || as_user=(-u root)

# Bash speaks to it: sends what it reads, and prints the answers until the last one.
ask() {
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  printf '%s\r\n' "$@" quit >&3
  while IFS= read -r line <&3; do
    echo "${line%$'\r'}"
  done
  exec 3>&-
}

requests() {
  local i value
  printf -v value '%*s' 4000 ''
  value=${value// /v}
  for ((i = 0; i < 300; i++)); do
    echo "set key$i $i 0 $((i * 13))"$'\r\n'"${value:0:i * 13}"
    echo "append key$((i / 2)) 0 0 4"$'\r\n'"tail"
  done
  for ((i = 0; i < 300; i += 3)); do
    echo "gets key$i"
    echo "delete key$((i + 1))"
    echo "mg key$i s v f"
  done
  echo "set number 0 0 2"$'\r\n'"41"
  echo "incr number 1"
  echo "get $(printf 'key%d ' {0..99})"
}

for mode in none "${modes[@]}"; do
  rm -f port
  # It takes a free port and says which.
  MEMCACHED_PORT_FILENAME=$tmp/port start "$mode" memcached -l 127.0.0.1 -p -1 -U 0 -t 2 -m 100 "${as_user[@]}"
  answers "$mode" test -s port
  port=$(sed -n 's/^TCP INET: //p' port)
  mapfile -t lines < <(requests)
  # The unique number of a value counts the stores, which are the same.
  ask "${lines[@]}" >"answers.$mode"
  if [[ $mode != none ]]; then
    same "$mode" answers
    memccapable -h 127.0.0.1 -p "$port" -t 20 >"capable.$mode" 2>&1 || {
      cat "capable.$mode" >&2
      fail "$mode: memccapable failed"
    }
    for options in '-X 1500 -v 0.1' '-B -d 10'; do
      # shellcheck disable=SC2086 # several words
      memcaslap -s "127.0.0.1:$port" -T 2 -c 16 -x 100000 $options >"load.$mode" 2>&1 &&
        grep -q '^get_misses: 0$' "load.$mode" && ! grep -q '^verify_failed: [^0]' "load.$mode" || {
        cat "load.$mode" >&2
        fail "$mode: memaslap $options failed"
      }
    done
  fi
  kill -INT "$pid"
  ends "$mode"
  [[ $mode == none ]] || served "$mode" 1 "$pid"
done
