#!/bin/sh
# The whole of `arenite compare`, small: what it writes has the documented fields, it can be
# repeated from kept recordings, and it leaves nothing behind.
# timeout: 300
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
mkdir scratch
TMPDIR=$tmp/scratch
export TMPDIR

"$ARENITE" compare --quick --programs=python,redis --out report --keep-traces traces > table 2> progress ||
  { cat table progress >&2; exit 1; }
[ -s traces/python.trace ] && [ -s traces/redis.trace ]
[ -z "$(ls scratch)" ] || { echo "left behind: $(ls scratch)" >&2; exit 1; }
[ "$(ls report | tr '\n' ' ')" = 'compare.html compare.json ' ] || { ls report >&2; exit 1; }

cat > check.py <<'PY'
import json, re, sys

report = json.load(open(sys.argv[1] + "/compare.json"))
programs = sys.argv[2].split(",")
modes = {"null", "system", "gil", "free-threaded"}
assert {"machine", "run", "rows", "safepoints", "as_recorded", "figures", "sentence"} <= set(report)
for name in "cores", "cpu", "kernel", "geometry", "arenite", "date":
    assert name in report["machine"] or name == "cpu", name

keys = [(row["program"], row["mode"], row["threads"]) for row in report["rows"]]
assert len(keys) == len(set(keys)), "a row is there twice"
threads = {key[2] for key in keys}
assert 1 in threads and report["machine"]["cores"] in threads, threads
assert set(keys) == {(p, m, t) for p in programs for m in modes for t in threads}, keys
for row in report["rows"] + report["safepoints"] + report["as_recorded"]:
    assert row["mops"] > 0 and row["peak_rss_kib"] > 0 and row["ops"] > 0, row
    assert 0 <= row["gil_wait_share"] <= 1 and row["gil_switches"] >= 0, row
    assert len(row["mops_rounds"]) == report["run"]["rounds"], row
    if row["mode"] != "gil":
        assert row["gil_switches"] == 0, row
    if row["mode"] == "system":
        assert row["against_system"] == 1, row
most = max(threads)
assert {(r["program"], r["safepoint"]) for r in report["safepoints"]} == \
    {(p, s) for p in programs for s in (10, 1000)}
assert all(r["mode"] == "gil" and r["threads"] == most for r in report["safepoints"])
assert all(r["threads"] == "own" and r["program"] == "redis" for r in report["as_recorded"])

# The figures follow from the rows.
speed = {key: row["mops"] for key, row in zip(keys, report["rows"])}
figures = {figure["id"]: figure for figure in report["figures"]}
product = 1
for p in programs:
    product *= speed[p, "gil", 1] / speed[p, "system", 1]
measured = figures["gil_against_system_1"]["measured"]
assert abs(measured / product ** (1 / len(programs)) - 1) < 1e-3, (measured, product)
for figure in report["figures"]:
    low, high = figure["asked_at_least"], figure["asked_at_most"]
    if figure["measured"] is None or (low is None and high is None):
        continue
    met = (low is None or figure["measured"] >= low) and (high is None or figure["measured"] <= high)
    assert figure["verdict"] == ("met" if met else "short of"), figure
assert "GIL" in report["sentence"] and report["sentence"].endswith(".")

page = open(sys.argv[1] + "/compare.html").read()
assert not re.search(r"https?://|<script|<link|<img|src=|href=|@import|url\(", page), "not self-contained"
assert page.count("<svg") == 2 * len(programs) and page.count("</svg>") == page.count("<svg")
assert page.count("<desc") == page.count("<svg"), "a chart without words"
assert "prefers-color-scheme:dark" in page and "@media print" in page
assert report["sentence"] in page
PY
python3 check.py report python,redis
grep -q 'against gil' table && grep -q 'Written: ' table
tail -n 3 table | grep -q GIL
grep -q 'left' progress || { echo "no progress line" >&2; exit 1; }

"$ARENITE" compare --quick --rounds=2 --programs=python --traces traces --out again/and/deeper > table 2> progress ||
  { cat table progress >&2; exit 1; }
python3 check.py again/and/deeper python
grep -q Recording progress && { echo "recorded although the traces were there" >&2; exit 1; }
echo "the report is as promised"
