#!/bin/sh
# timeout: 300
# Real programs under the recorder: they do what they do without it, every call is seen, and they take
# less than five times as long. (The figure is printed; only a far worse one fails.)
set -eu
tmp=$(mktemp -d)
server=
cleanup() {
  [ -z "$server" ] || kill "$server" 2> /dev/null || :
  rm -rf "$tmp"
}
trap cleanup EXIT
cd "$tmp"

now() { date +%s%N; }
member() { "$ARENITE" trace "$1" | sed -n "s/.*\"$2\": \([0-9]*\).*/\1/p"; }
at_least() { # TRACE MEMBER VALUE
  [ "$(member "$1" "$2")" -ge "$3" ] || {
    echo "$1: $2 is $(member "$1" "$2"), not at least $3" >&2
    exit 1
  }
}
# slower WORDS...: how many times longer the program takes with the recorder in it, in percent, the best
# of three. What record does afterwards is not the program's time, so the recorder is loaded by hand.
slower() {
  recorder=$(dirname "$ARENITE")/libarenite-record.so
  best_plain=0 best_recorded=0
  for _ in 1 2 3; do
    begin=$(now)
    "$@" > plain.txt
    middle=$(now)
    rm -rf raw
    mkdir raw
    ARENITE_RECORD_DIR=$tmp/raw LD_PRELOAD=$recorder "$@" > recorded.txt
    end=$(now)
    cmp plain.txt recorded.txt
    plain=$((middle - begin)) recorded=$((end - middle))
    [ $best_plain != 0 ] && [ $best_plain -lt $plain ] || best_plain=$plain
    [ $best_recorded != 0 ] && [ $best_recorded -lt $recorded ] || best_recorded=$recorded
  done
  percent=$((100 * best_recorded / best_plain))
  echo "$1: $((best_plain / 1000000)) ms, with the recorder $((best_recorded / 1000000)) ms: $percent %"
  [ $percent -lt 1000 ] || { echo "the recorder makes $1 ten times slower" >&2; exit 1; }
}

if [ -x /usr/bin/python3 ]; then
  cat > work.py <<'PY'
import json
rows = [{"id": i, "name": "name %d" % i, "tags": [i, i + 1, str(i)]} for i in range(20000)]
for _ in range(3):
    text = json.dumps(rows)
    rows = json.loads(text)
print(len(text))
PY
  PYTHONMALLOC=malloc "$ARENITE" record -o python.arnt -- /usr/bin/python3 -S work.py
  at_least python.arnt calls 2000000
  PYTHONMALLOC=malloc slower /usr/bin/python3 -S work.py
fi

if command -v sqlite3 > sqlite3.path; then
  awk 'BEGIN {
    print "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT); BEGIN;"
    for (i = 1; i <= 40000; i++) printf "INSERT INTO t VALUES(%d, %crow %d%c);\n", i, 39, i * 7, 39
    print "COMMIT; CREATE INDEX i ON t(b); SELECT count(*), max(b) FROM t WHERE b > \"row 2\";"
  }' > work.sql
  "$ARENITE" record -o sqlite3.arnt -- sqlite3 -batch -init /dev/null :memory: '.read work.sql'
  at_least sqlite3.arnt calls 200000
  slower sqlite3 -batch -init /dev/null :memory: '.read work.sql'
fi

if command -v redis-server > redis.path && command -v redis-benchmark >> redis.path; then
  printf '%s\n' 'port 0' 'unixsocket redis.sock' 'io-threads 2' 'io-threads-do-reads yes' \
    'save ""' 'daemonize no' > redis.conf
  "$ARENITE" record -o redis.arnt -- redis-server ./redis.conf > redis.txt 2>&1 &
  server=$!
  tries=0
  until [ "$(redis-cli -s redis.sock ping 2> /dev/null)" = PONG ]; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ]; then
      cat redis.txt >&2
      exit 1
    fi
    sleep 0.1
  done
  redis-benchmark -s redis.sock -q -n 20000 -c 16 -P 16 -r 5000 -d 100 -t set,get,lpush > /dev/null
  redis-cli -s redis.sock shutdown nosave > /dev/null 2>&1 || :
  wait $server
  server=
  tail -n 1 redis.txt
  # Each of 40,000 writes keeps at least one block; a recorder that jemalloc had got past would see few.
  at_least redis.arnt mallocs 80000
  at_least redis.arnt threads 2
  at_least redis.arnt waits 1000
  for mode in system free-threaded gil; do
    "$ARENITE" replay redis.arnt --mode=$mode --threads=own --check --passes=1
  done
fi
echo "real programs are recorded"
