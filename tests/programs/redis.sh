#!/usr/bin/env bash
# redis-server with two io threads: the same data after the same commands, a background save and a
# reload in between, and nothing amiss under redis-benchmark.
# timeout: 150
source "$(dirname "$0")/support.bash"
needs redis-server redis-cli redis-benchmark

cat >redis.conf <<'CONF'
port 0
unixsocket redis.sock
io-threads 2
io-threads-do-reads yes
save ""
appendonly no
daemonize no
enable-debug-command yes
loglevel warning
CONF

# Strings that grow, short and long lists, sets, hashes and sorted sets, counters, deletions; few
# enough for a moment, many enough for every size of block. Replies do not depend on hash order.
awk 'BEGIN {
  pad = "0123456789abcdef"
  while (length(pad) < 5000) pad = pad pad
  for (i = 0; i < 3000; i++) {
    n = i * 7919 % 5000
    print "SET string:" i, substr(pad, 1, n + 1)
    print "APPEND string:" i % 100, substr(pad, 1, i % 300 + 1)
    print "GETRANGE string:" i % 50, i % 40, i % 90
    print "RPUSH list:" i % 37, i, n, substr(pad, 1, n % 200 + 1)
    print "LPOP list:" i % 31
    print "SADD set:" i % 41, n, "member" i
    print "HSET hash:" i % 43, "field" n, substr(pad, 1, n % 700 + 1), i, n
    print "HGET hash:" i % 43, i
    print "ZADD zset:" i % 47, n, "member" i % 600
    print "ZRANGE zset:" i % 47, "0 5 WITHSCORES"
    print "INCRBY counter:" i % 11, n
    if (i % 3 == 0) print "UNLINK string:" int(i / 3)
    if (i % 500 == 0) print "LRANGE list:" i % 37 " 0 -1"
  }
  print "SORT set:7 ALPHA"
  print "SETRANGE huge 3000000 end"
  print "EVAL \"local t = {} for i = 1, 20000 do t[i] = (i * i) .. string.char(65 + i % 26) end" \
    " redis.call(\x27SET\x27, \x27lua\x27, table.concat(t)) return #t\" 0"
  print "STRLEN lua"
  print "DBSIZE"
}' >commands

ask() { redis-cli -s redis.sock "$@"; }
saved() { ask info persistence | grep -q 'rdb_bgsave_in_progress:0'; }

for mode in none "${modes[@]}"; do
  rm -f dump.rdb
  start "$mode" redis-server ./redis.conf
  answers "$mode" ask ping
  ask <commands >"replies.$mode"
  ask debug digest >"digest.$mode"
  if [[ $mode == none ]]; then
    ask shutdown nosave
    ends "$mode"
    continue
  fi
  same "$mode" replies
  same "$mode" digest

  # In batches, which is when the io threads get work.
  ask bgsave >/dev/null
  redis-benchmark -s redis.sock -q -n 20000 -c 32 -P 32 -r 20000 -d 100 \
    -t set,get,incr,lpush,rpush,lpop,sadd,hset,spop,zadd,zpopmin,lrange_100 >"benchmark.$mode"
  redis-benchmark -s redis.sock -q -n 10000 -c 16 -P 16 -r 5000 -d 3000 -t set,get >>"benchmark.$mode"
  if grep -i error "benchmark.$mode"; then
    fail "$mode: redis-benchmark reports errors"
  fi
  answers "$mode" saved
  ask info persistence | grep -q 'rdb_last_bgsave_status:ok' || fail "$mode: the background save failed"
  before=$(ask debug digest)
  [[ $(ask debug reload) == OK && $(ask debug digest) == "$before" ]] || fail "$mode: other data after a reload"
  [[ $(ask flushall async) == OK && $(ask dbsize) == 0 ]] || fail "$mode: not empty after flushall"

  # And what was there can be made once more.
  ask <commands >"replies.$mode"
  ask debug digest >"digest.$mode"
  same "$mode" replies
  same "$mode" digest
  ask shutdown nosave
  ends "$mode"
  served "$mode" 1 "$pid"
done
