#!/bin/sh
# `arenite bench allocators`: what it calculates from rows whose times are known, what it does with
# rows that go wrong, a small race of real ones, and command lines that are refused.
# timeout: 300
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
mkdir scratch fake
TMPDIR=$tmp/scratch
export TMPDIR
race() { "$ARENITE" bench allocators "$@"; }
fail() {
  cat table progress >&2 || :
  echo "$*" >&2
  exit 1
}

# A row that says what its time is. jemalloc is lucky in the odd rounds (its first run is the look at
# who serves malloc, and no round), so it is the rival; the ratio comes from the even rounds.
cat > fake/churn <<'ROW'
#!/bin/sh
from=${LD_PRELOAD##*/}
from=${from:-libc.so.6}
echo x >> "$COUNT/$from"
run=$(wc -l < "$COUNT/$from")
mib=10
case $from in
  libjemalloc*) if [ $((run % 2)) = 0 ]; then seconds=1; else seconds=8; fi ;;
  libmimalloc*) seconds=2 mib=5 ;;
  libtcmalloc*) seconds=3 from=libc.so.6 ;;
  libarenite*) seconds=4 mib=6 ;;
  *) seconds=5 mib=1 ;;
esac
echo "{\"row\":\"churn\",\"seconds\":$seconds,\"operations\":7,\"peak_rss_kib\":$((mib * 1024))," \
  "\"malloc_from\":\"$from\",\"wait_ns\":{\"p50\":$seconds.5}}"
ROW
# A row that fails with ours.
cat > fake/factor <<'ROW'
#!/bin/sh
case ${LD_PRELOAD:-} in
  *libarenite*) echo "no such luck" >&2; exit 3 ;;
esac
from=${LD_PRELOAD##*/}
echo "{\"seconds\":1,\"peak_rss_kib\":1024,\"malloc_from\":\"${from:-libc.so.6}\"}"
ROW
chmod +x fake/*
mkdir count
status=0
COUNT=$tmp/count ARENITE_ROWS=$tmp/fake race --rows=churn/1,factor --allocators=glibc,mimalloc,jemalloc,tcmalloc \
  --min-rounds=8 --no-figures --out=known > table 2> progress || status=$?
[ $status = 1 ] || fail "exit status $status although a row failed"
grep -q 'no such luck' progress || fail "the failing row's own words are missing"
cat > known.py <<'PY'
import json
report = json.load(open("known/allocators.json"))
churn, factor = report["rows"]
lanes = churn["allocators"]
assert churn["name"] == "churn/1" and churn["rounds"] == 8, churn
assert lanes["mimalloc"]["seconds"] == 2 and lanes["jemalloc"]["seconds_rounds"] == [1, 8] * 4, lanes
assert "libc.so.6" in lanes["tcmalloc"]["left_out"] and lanes["tcmalloc"]["seconds"] is None
assert lanes["glibc"]["left_out"] is None and lanes["glibc"]["served_by"] == "libc.so.6"
assert lanes["arenite"]["wait_ns"]["p50"] == 4.5 and lanes["arenite"]["operations"] == 7
assert churn["time"]["arenite"] == {"rival": "jemalloc", "ratio": 0.5, "low": 0.5, "high": 0.5}
assert churn["memory"]["arenite"] == {"rival": "mimalloc", "ratio": 1.2, "low": 1.2, "high": 1.2}
assert factor["allocators"]["arenite"]["left_out"] == "failed, status 3"
assert factor["time"]["arenite"]["ratio"] is None
assert abs(report["against"]["arenite"]["glibc"]["time"] - 5 / 4) < 1e-6
asked = {a["id"]: a for a in report["asked"]}
mean = asked["time_mean"]["answers"]["arenite"]
assert abs(mean["measured"] - 0.5) < 1e-6 and mean["rows_missing"] == 1 and mean["verdict"] == "not reached"
assert asked["memory_worst"]["answers"]["arenite"]["row"] == "churn/1"
assert [asked[a]["asked_at_most"] for a in ("time_mean", "time_worst", "memory_mean", "memory_worst")] == \
    [0.98, 1.1, 1, 1.25]
PY
python3 known.py || fail "the known times were not told as they should be"

# Real ones, with two libraries of ours.
ours=$BUILD/lib/libarenite-malloc.so.0
race --quick --rows=churn,sqlite3,redis --allocators=glibc,jemalloc --ours="$ours" --ours="again=$ours" \
  --no-figures --out=real/report > table 2> progress || fail "the small race failed"
[ -z "$(ls scratch)" ] || fail "left behind: $(ls scratch)"
[ "$(ls real/report | tr '\n' ' ')" = 'allocators.html allocators.json ' ] || fail "not two reports"
cat > real.py <<'PY'
import json, re
report = json.load(open("real/report/allocators.json"))
cores = report["machine"]["cores"]
served = {"glibc": "libc.so.6", "jemalloc": "libjemalloc.so.2"}
names = [row["name"] for row in report["rows"]]
assert names == list(dict.fromkeys(["churn/1", f"churn/{cores}", "sqlite3", "redis"])), names
assert [a["name"] for a in report["allocators"]] == ["glibc", "jemalloc", "arenite", "again"]
for row in report["rows"]:
    for name, lane in row["allocators"].items():
        assert lane["left_out"] is None, (row["name"], name, lane)
        assert lane["served_by"].startswith(served.get(name, "libarenite-malloc.so")), lane
        assert lane["seconds"] > 0 and lane["peak_rss_kib"] > 1000, lane
        assert len(lane["seconds_rounds"]) == row["rounds"] == 2
    for ours in "arenite", "again":
        duel = row["time"][ours]
        assert duel["rival"] in served and duel["ratio"] > 0 and row["memory"][ours]["rival"] == "jemalloc"
        rival = row["allocators"][duel["rival"]]["seconds_rounds"]
        assert abs(duel["ratio"] / (row["allocators"][ours]["seconds_rounds"][1] / rival[1]) - 1) < 1e-3, row
# Debian's redis-server is linked with jemalloc: only a library that is preloaded gets it away from it.
assert report["rows"][-1]["allocators"]["glibc"]["preload"] == "libc.so.6"
for asked in report["asked"]:
    for answer in asked["answers"].values():
        reached = answer["measured"] <= asked["asked_at_most"]
        assert answer["verdict"] == ("reached" if reached else "not reached"), asked
page = open("real/report/allocators.html").read()
assert not re.search(r"https?://|<script|<link|<img|src=|href=|@import|url\(", page), "not self-contained"
kinds = 3
assert page.count("<svg") == page.count("</svg>") == page.count("<desc") == 2 * kinds
assert "prefers-color-scheme:dark" in page and "@media print" in page
PY
python3 real.py || fail "the small race's report is not as promised"
grep -q 'Written: ' table && grep -q '^sqlite3 ' table || fail "the table is not as promised"

# The figures, and a library that has no malloc.
race --quick --rows=factor --allocators=glibc,tcmalloc --out=figures > table 2> progress || fail "the figures failed"
cat > figures.py <<'PY'
import json
asked = {a["id"]: a for a in json.load(open("figures/allocators.json"))["asked"]}
for name, most in ("spike", 1.1), ("blocked", 1.3), ("start", 1.1), ("realloc_grow", 0.05), ("calloc_fresh", None):
    figure = asked[name]
    assert figure["asked_at_most"] == most and set(figure["values"]) == {"glibc", "tcmalloc", "arenite"}, figure
    assert all(value is not None for value in figure["values"].values()), figure
    answer = figure["answers"]["arenite"]
    wanted = figure["values"]["arenite"] / figure.get("reference_value", 1)
    assert abs(answer["measured"] / wanted - 1) < 1e-3 if wanted else answer["measured"] == 0, figure
assert asked["blocked"]["reference"] == "tcmalloc" and asked["start"]["reference"] == "an empty library"
PY
python3 figures.py || fail "the figures are not as promised"
status=0
race --quick --rows=factor --allocators=glibc --no-figures --ours="none=$BUILD/bin/libarenite-empty.so" --out=none \
  > table 2> progress || status=$?
[ $status = 1 ] || fail "exit status $status although ours has no malloc"
grep -q 'none, left out of factor: its malloc came from libc.so.6' table || fail "not left out"

# refused STATUS WORDS OPTIONS...
refused() {
  wanted=$1 words=$2 status=0
  shift 2
  race "$@" > out 2> err || status=$?
  if [ $status != "$wanted" ] || ! grep -q -- "$words" err || [ -s out ]; then
    echo "$*: exit status $status, not $wanted; it said:" >&2
    cat out err >&2
    exit 1
  fi
}
refused 2 'no row "chorn"; there are churn, prodcons' --rows=factor,chorn
refused 2 'names no row' --rows=
refused 2 'from 1 to 256 threads' --rows=churn/0
refused 2 'from 1 to 256 threads' --rows=churn/many
refused 2 'no number of threads' --rows=gcc/2
refused 2 'no allocator "hoard"; there are glibc, mimalloc' --allocators=hoard
refused 2 'none to race against' --allocators=
refused 2 'two allocators are called glibc' --ours="glibc=$ours"
refused 2 'a name is up to' --ours="a b=$ours"
refused 1 'no library /nowhere/malloc.so' --ours=/nowhere/malloc.so
refused 1 'does not run under arenite' --ours="$SRC/LICENSE"
refused 2 'whole number from 1 to 99' --rounds=none
refused 2 'whole number from 1 to 99' --min-rounds=0
refused 2 'is more than --rounds' --min-rounds=9 --rounds=3
refused 2 'number of seconds' --budget=long
refused 2 'number from 0.001 to 100' --scale=0
refused 2 'is not an option' churn
refused 2 'usage' --bogus
refused 1 'cannot make the directory /dev/null/report' --rows=factor --out=/dev/null/report
COUNT=$tmp ARENITE_ROWS=$tmp/fake refused 1 'no program random in ARENITE_ROWS' --rows=random
race --help | grep -q -- --min-rounds
[ -z "$(ls scratch)" ] || fail "left behind: $(ls scratch)"

# Interrupted: it ends at once, and nothing stays.
printf '#!/bin/sh\necho $$ > "%s/pid"\nexec sleep 1000\n' "$tmp" > fake/factor
env ARENITE_ROWS="$tmp/fake" "$ARENITE" bench allocators --rows=factor --out=cut > table 2> progress &
tries=0
until [ -s pid ]; do
  tries=$((tries + 1))
  [ $tries -lt 100 ] || fail "the row did not start"
  sleep 0.1
done
kill -TERM $!
status=0
wait $! || status=$?
[ $status = 143 ] || fail "exit status $status after SIGTERM"
[ -z "$(ls scratch)" ] && ! [ -e cut/allocators.json ] || fail "left behind: $(ls scratch cut)"
if kill -0 "$(cat pid)" 2> /dev/null; then
  fail "the row lives on"
fi
echo "known times, real rows, figures and refusals are as promised"
