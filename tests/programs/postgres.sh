#!/usr/bin/env bash
# PostgreSQL 15: initdb, pgbench with four clients, and queries that sort, hash, aggregate, run in
# parallel and are compiled by LLVM give the rows that they give without the library.
# timeout: 180
source "$(dirname "$0")/support.bash"
bin=/usr/lib/postgresql/15/bin
needs $bin/initdb $bin/postgres $bin/pgbench $bin/psql setpriv

# It does not run as root; then everything that it reads and writes is where its own user may.
as_user=()
mkdir data
if ((EUID == 0)); then
  as_user=(setpriv --reuid postgres --regid postgres --clear-groups env HOME="$tmp")
  cp "$library" .
  library=$tmp/${library##*/}
  chmod 755 .
  chown postgres data
  for mode in "${modes[@]}"; do
    mkdir -p "statistics/$mode"
    chown postgres "statistics/$mode"
  done
fi
chmod 700 data
export PGHOST=$tmp/data PGUSER=postgres PGDATABASE=postgres PGPORT=5432

cat >queries.sql <<'SQL'
\pset format unaligned
SELECT count(*), sum(abalance) FROM pgbench_accounts;
SELECT sum(bbalance) FROM pgbench_branches;
SELECT sum(tbalance) FROM pgbench_tellers;
SELECT count(*), sum(delta) FROM pgbench_history;
CREATE TABLE t AS SELECT i AS id, i * 7919 % 30011 AS k, md5(i::text) AS m FROM generate_series(1, 60000) i;
CREATE INDEX ON t(m);
ANALYZE t;
SELECT k % 100, count(*), min(m), max(m) FROM t GROUP BY 1 ORDER BY 1 LIMIT 20;
SELECT a.k, a.m, b.m FROM t a JOIN t b ON a.k = b.id WHERE a.id % 4001 = 0 ORDER BY 1;
SELECT md5(string_agg(m, ',' ORDER BY m DESC)) FROM t;
SELECT md5(jsonb_agg(jsonb_build_object('id', id, 'words', regexp_split_to_array(m, '[aeiou]')) ORDER BY id)::text)
  FROM t WHERE id % 7 = 0;
SELECT id, lag(m) OVER (PARTITION BY k % 10 ORDER BY id) FROM t WHERE id < 40 ORDER BY id;
WITH RECURSIVE f(a, b) AS (SELECT 0::numeric, 1::numeric UNION ALL SELECT b, a + b FROM f WHERE b < 10::numeric ^ 200)
  SELECT max(a) FROM f;
DO $$
DECLARE r record; s text := ''; caught int := 0;
BEGIN
  FOR r IN SELECT m FROM t ORDER BY id LIMIT 3000 LOOP
    BEGIN
      s := s || r.m;
      IF length(s) > 20000 THEN RAISE EXCEPTION 'long'; END IF;
    EXCEPTION WHEN raise_exception THEN caught := caught + 1; s := '';
    END;
  END LOOP;
  RAISE NOTICE 'caught %, left %', caught, length(s);
END $$;
SET work_mem = '64kB';
SELECT md5(string_agg(m, '')) FROM (SELECT m FROM t ORDER BY m, id) sorted_on_disk;
RESET work_mem;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT count(*), sum(length(m)), max(m) FROM t WHERE m LIKE '%a%';
SELECT a.k % 7, count(*) FROM t a JOIN t b USING (m) GROUP BY 1 ORDER BY 1;
SET jit = on;
SET jit_above_cost = 0;
SET jit_inline_above_cost = 0;
SET jit_optimize_above_cost = 0;
SELECT k % 5, sum(id * 2 + k), avg(id)::numeric(20, 4), count(*) FILTER (WHERE m > 'a') FROM t GROUP BY 1 ORDER BY 1;
DELETE FROM t WHERE id % 3 = 0;
VACUUM FULL t;
SELECT count(*) FROM t;
SQL

for mode in none "${modes[@]}"; do
  run "$mode" "${as_user[@]}" $bin/initdb -D data/db -U postgres -A trust -E UTF8 --locale=C --no-sync >"initdb.$mode" 2>&1 || {
    cat "initdb.$mode" >&2
    fail "$mode: initdb failed"
  }
  start "$mode" "${as_user[@]}" $bin/postgres -D data/db -c listen_addresses= \
    -c unix_socket_directories="$tmp/data" -c fsync=off -c shared_buffers=32MB -c max_connections=20
  answers "$mode" $bin/psql -c 'SELECT 1'
  $bin/pgbench -q -i -s 2 >"bench.$mode" 2>&1
  # Of a fixed number of transactions with a fixed seed, so the sums are known.
  $bin/pgbench -c 4 -j 2 -t 1500 --random-seed=1 >>"bench.$mode" 2>&1
  # As many sessions as queries: each is a process that begins, works and ends.
  echo 'SELECT count(*) FROM pg_class;' >short.sql
  $bin/pgbench -n -c 4 -j 2 -C -t 20 -f short.sql >>"bench.$mode" 2>&1
  $bin/psql -X -v ON_ERROR_STOP=1 -f queries.sql >"rows.$mode" 2>&1
  kill -TERM "$pid" # it waits for the sessions to end
  ends "$mode"
  if grep -E "PANIC|FATAL|ERROR|terminated by signal" "log.$mode" "bench.$mode" |
    grep -v -E "administrator command|starting up"; then
    fail "$mode: PostgreSQL reports errors"
  fi
  grep -q 'processed: 6000/6000' "bench.$mode" || fail "$(cat "bench.$mode")"
  rm -rf data/db
  [[ $mode != none ]] || continue
  same "$mode" rows
  # The postmaster, its helpers, and a process for each session.
  served "$mode" 90 "$pid"
done
