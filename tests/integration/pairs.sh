#!/bin/sh
# `arenite bench pairs`: every row has a time for each allocator, and each was really the one measured.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

"$ARENITE" bench pairs --json --rounds=1 > pairs.json 2> progress || { cat progress >&2; exit 1; }
cat > check.py <<'PY'
import json
pairs = json.load(open("pairs.json"))
names = ["free-threaded", "gil", "system", "mimalloc", "jemalloc"]
assert {(r["pattern"], r["bytes"]) for r in pairs["rows"]} == \
    {(p, b) for p in ("lifo", "fifo", "random") for b in (16, 64, 512)}
for row in pairs["rows"]:
    assert set(row["ns"]) == set(names) and all(0.3 < ns < 10000 for ns in row["ns"].values()), row
    rivals = {name: row["ns"][name] for name in names[2:]}
    assert row["best_rival"] == min(rivals, key=rivals.get), row
    wanted = min(rivals.values()) / row["ns"]["gil"]
    assert abs(row["gil_ratio"] / wanted - 1) < 0.01, row
for name, file in zip(names, ["libarenite", "libarenite", "libc.so", "libmimalloc.so.2.0", "libjemalloc.so.2"]):
    assert file in pairs["libraries"][name], pairs["libraries"]
for mode in names[:2]:
    assert set(pairs["geometric_mean_ratio"][mode]) == set(names[2:] + ["best_rival"])
PY
python3 check.py
"$ARENITE" bench pairs --rounds=1 > table 2> progress
[ "$(grep -c -E '^(lifo|fifo|random) ' table)" = 9 ] || { cat table >&2; exit 1; }
grep -q 'against the best of each row' table
echo "nine rows, five allocators"
