#!/bin/sh
# redis.sh - what the row redis needs: a server's settings, and the load that is put on it.
#
# Run once in the current directory, which is empty and thrown away afterwards. The server listens
# on a socket here: no port can be taken. Nothing is saved to disk. The load comes in batches, so
# that the server is what takes the time and not the round trips.
#
#   SCALE  size in percent
set -eu

cat > redis.conf <<CONF
port 0
unixsocket redis.sock
save ""
appendonly no
daemonize no
loglevel warning
CONF

cat > load.sh <<LOAD
set -e
redis-benchmark -s redis.sock -q -n $((90000 * SCALE / 100)) -c 16 -P 64 -r 50000 -d 120 \\
  -t set,get,lpush,lpop,sadd,hset,zadd
redis-benchmark -s redis.sock -q -n $((40000 * SCALE / 100)) -c 16 -P 16 -r 5000 -d 1500 -t set,get
LOAD
