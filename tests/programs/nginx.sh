#!/usr/bin/env bash
# nginx with two worker processes: the bytes that it served without the library, compressed and not,
# from files and through itself as a proxy; a reload in between; no error under wrk's load.
# timeout: 150
source "$(dirname "$0")/support.bash"
needs nginx wrk

mkdir files
: >files/empty.txt
echo "a line" >files/small.txt
seq 1 30000 >files/medium.txt
head -c 3000000 /dev/urandom >files/large.bin

free_port() {
  /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

configure() {
  cat >nginx.conf <<CONF
$( ((EUID)) || echo "user root root;")
worker_processes 2;
daemon off;
pid $tmp/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  types { text/plain txt; }
  client_body_temp_path $tmp/body;
  proxy_temp_path $tmp/proxy;
  fastcgi_temp_path $tmp/fastcgi;
  uwsgi_temp_path $tmp/uwsgi;
  scgi_temp_path $tmp/scgi;
  gzip on;
  gzip_min_length 100;
  upstream self { server 127.0.0.1:$port; keepalive 4; }
  server {
    listen 127.0.0.1:$port;
    root $tmp/files;
    location /self/ {
      proxy_pass http://self/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
CONF
}

# get PATH [HEADER]: status and body.
get() {
  /usr/bin/python3 - "http://127.0.0.1:$port/$1" "${2-}" <<'PY'
import gzip, hashlib, sys, urllib.error, urllib.request
url, header = sys.argv[1:]
request = urllib.request.Request(url, headers=dict([header.split(": ")] if header else []))
try:
    reply = urllib.request.urlopen(request, timeout=20)
except urllib.error.HTTPError as error:
    reply = error
body = reply.read()
if reply.headers["Content-Encoding"] == "gzip":
    body = b"unpacked " + gzip.decompress(body)
print(url.split("/", 3)[3], header, reply.status, len(body), hashlib.sha256(body).hexdigest())
PY
}

everything() {
  local file
  for file in empty.txt small.txt medium.txt large.bin self/medium.txt self/large.bin absent.txt; do
    get "$file"
  done
  get medium.txt 'Range: bytes=1000-1999'
  get medium.txt 'Accept-Encoding: gzip'
  get self/medium.txt 'Accept-Encoding: gzip'
}

serve() {
  local tries
  for ((tries = 0; tries < 5; tries++)); do
    port=$(free_port)
    configure
    start "$1" nginx -c "$tmp/nginx.conf" -p "$tmp" -e stderr
    while kill -0 "$pid" 2>/dev/null; do
      if get small.txt >/dev/null 2>&1; then
        return
      fi
      sleep 0.1
    done
    grep -q 'Address already in use' "log.$1" || break
  done
  cat "log.$1" >&2
  fail "$1: nginx does not answer"
}

# load PATH: prints nothing unless something is wrong.
load() {
  wrk -t 1 -c 16 -d 1s --timeout 20s "http://127.0.0.1:$port/$1" >wrk.txt
  if ! grep -q 'requests in' wrk.txt || grep -E 'Socket errors|Non-2xx' wrk.txt; then
    cat wrk.txt >&2
    fail "$mode: wrk reports errors for $1"
  fi
}

# renewed: there are new workers, and the old ones ended.
renewed() {
  local now worker
  now=$(<"/proc/$pid/task/$pid/children")
  [[ -n $now ]] || return 1
  for worker in $workers; do
    [[ " $now " != *" $worker "* ]] || return 1
  done
}

for mode in none "${modes[@]}"; do
  serve "$mode"
  everything >"served.$mode"
  if [[ $mode != none ]]; then
    same "$mode" served
    load small.txt
    load medium.txt
    wrk -t 1 -c 16 -d 1s --timeout 20s -H 'Accept-Encoding: gzip' "http://127.0.0.1:$port/medium.txt" >wrk.txt
    load self/medium.txt
    workers=$(<"/proc/$pid/task/$pid/children")
    kill -HUP "$pid"
    answers "$mode" renewed
    load large.bin
    everything >"served.$mode"
    same "$mode" served
  fi
  kill -QUIT "$pid"
  ends "$mode"
  if grep -E '\[(alert|emerg|crit|error)\]' "log.$mode" | grep -v absent.txt; then
    fail "$mode: nginx reports errors"
  fi
  # The process that was started, two workers, and two more after the reload.
  [[ $mode == none ]] || served "$mode" 5 "$pid"
done
