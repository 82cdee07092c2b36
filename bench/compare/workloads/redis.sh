#!/bin/sh
# redis.sh - what redis-server allocates under redis-benchmark, with two io threads.
#
# Only the server is recorded. It listens on a socket in the current directory, which is empty and
# thrown away afterwards: no port can be taken, and nothing outside this directory can reach it.
# Nothing is saved to disk, and the server is shut down before this script ends.
#
#   ARENITE  the arenite command      TRACE  the trace to write      SCALE  size in percent
set -eu
requests=$((20000 * SCALE / 100))

cat > redis.conf <<CONF
port 0
unixsocket redis.sock
io-threads 2
io-threads-do-reads yes
save ""
appendonly no
daemonize no
activedefrag no
maxmemory 512mb
loglevel warning
CONF

"$ARENITE" record -o "$TRACE" -- redis-server ./redis.conf > server.txt 2>&1 &
server=$!
trap 'redis-cli -s redis.sock shutdown nosave > /dev/null 2>&1 || kill "$server" 2> /dev/null || :' EXIT
trap 'exit 130' INT TERM HUP

tries=0
until [ "$(redis-cli -s redis.sock ping 2> /dev/null)" = PONG ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 200 ] || ! kill -0 "$server" 2> /dev/null; then
    echo "redis-server did not start:" >&2
    cat server.txt >&2
    exit 1
  fi
  sleep 0.05
done

# In large batches: the io threads spin while they wait, and where there are only two cores a round
# trip costs them a time slice.
redis-benchmark -s redis.sock -q -n "$requests" -c 32 -P 64 -r 20000 -d 100 \
  -t set,get,incr,lpush,rpush,lpop,sadd,hset,spop,zadd,zpopmin,lrange_100 > benchmark.txt
redis-benchmark -s redis.sock -q -n "$((requests / 2))" -c 16 -P 32 -r 20000 -d 1500 -t set,get >> benchmark.txt
redis-cli -s redis.sock flushall > /dev/null
redis-cli -s redis.sock shutdown nosave > /dev/null 2>&1 || :
trap - EXIT
if ! wait "$server"; then
  cat server.txt >&2
  exit 1
fi
