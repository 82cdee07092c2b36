#!/usr/bin/env bash
# sqlite3: the same rows from the same statements, in memory and on a file, and a database file that is
# the same to the byte.
source "$(dirname "$0")/support.bash"
needs sqlite3

cat >work.sql <<'SQL'
PRAGMA page_size = 4096;
PRAGMA cache_size = 200; -- pages come and go
CREATE TABLE item(id INTEGER PRIMARY KEY, kind INTEGER, name TEXT, data BLOB);
CREATE TABLE kind(id INTEGER PRIMARY KEY, name TEXT UNIQUE);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
  INSERT INTO kind SELECT i, 'kind ' || (i * 7919 % 503) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
  INSERT INTO item SELECT i, i * 31 % 500 + 1, printf('item %d %s', i * 7919 % 30011,
    substr('abcdefghijklmnopqrstuvwxyz', i % 26, i % 9)), zeroblob(i % 97 * 13) FROM n;
COMMIT;
CREATE INDEX by_name ON item(name COLLATE NOCASE);
CREATE INDEX by_kind ON item(kind, length(data));
ANALYZE;
SELECT kind.name, count(*), sum(length(data)), min(item.name), max(item.name)
  FROM item JOIN kind ON kind.id = item.kind GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT 40;
SELECT group_concat(name, '|') FROM (SELECT name FROM item WHERE name LIKE 'item 1234%' ORDER BY name);
SELECT kind, name, rank() OVER (PARTITION BY kind ORDER BY name DESC) AS place
  FROM item WHERE kind BETWEEN 10 AND 20 ORDER BY place, kind LIMIT 60;
SELECT json_group_array(json_object('id', id, 'name', name)) FROM item WHERE id % 1000 = 0;
SELECT length(group_concat(hex(data), '')) FROM item;
BEGIN;
UPDATE item SET name = upper(name), data = zeroblob(length(data) * 3) WHERE id % 5 = 0;
SAVEPOINT middle;
DELETE FROM item WHERE id % 3 = 0;
ROLLBACK TO middle;
DELETE FROM item WHERE id % 7 = 0;
COMMIT;
CREATE VIRTUAL TABLE text USING fts5(body);
INSERT INTO text SELECT 'row ' || id || ' ' || name FROM item WHERE id < 3000;
SELECT count(*) FROM text WHERE text MATCH 'item AND abc*';
SELECT name, count(*) FROM item GROUP BY name HAVING count(*) > 1 ORDER BY 1;
SELECT count(*), sum(length(name)), sum(length(data)) FROM item;
VACUUM;
PRAGMA integrity_check;
SQL

for mode in none "${modes[@]}"; do
  run "$mode" sqlite3 -batch -init /dev/null :memory: '.read work.sql' >"memory.$mode" 2>&1
  first=$pid
  rm -f work.db
  run "$mode" sqlite3 -batch -init /dev/null work.db '.read work.sql' >"file.$mode" 2>&1
  second=$pid
  # Grow and trim: a dump of everything, read again.
  run "$mode" sqlite3 -batch -init /dev/null work.db .dump >dump.sql
  run "$mode" sqlite3 -batch -init /dev/null :memory: '.read dump.sql' '.sha3sum' >"sum.$mode" 2>&1
  mv work.db "database.$mode"
  [[ $mode != none ]] || continue
  for name in memory file sum database; do
    same "$mode" $name
  done
  served "$mode" 4 "$first" "$second" "$pid"
done
grep -q '^ok$' file.none || fail "$(cat file.none)"
