#!/bin/sh
# python.sh - what CPython allocates: a json round trip, then compileall of part of its own library.
#
# PYTHONMALLOC=malloc sends every object to malloc; with pymalloc the recorder would only see the
# arenas behind it. All inputs are made here, outside the recording, in the current directory,
# which is empty and thrown away afterwards.
#
#   ARENITE  the arenite command      TRACE  the trace to write      SCALE  size in percent
set -eu
python=${ARENITE_PYTHON:-/usr/bin/python3}

cat > make_input.py <<'PY'
import json, random, sys
random.seed(20)
words = ["w%05x" % random.getrandbits(20) for _ in range(4000)]
def record(i):
    return {"id": i, "name": " ".join(random.sample(words, 3)), "score": random.random(),
            "tags": random.sample(words, random.randrange(6)), "parent": i // 7 or None,
            "address": {"street": random.choice(words), "number": i % 300, "open": i % 3 == 0}}
json.dump([record(i) for i in range(int(4000 * int(sys.argv[1]) / 100) + 50)], open("in.json", "w"))
PY
cat > work.py <<'PY'
import compileall, json, sys
for _ in range(4):
    data = json.loads(open("in.json").read())
    by_name = {}
    for row in data:
        by_name.setdefault(row["name"].split()[0], []).append(row)
    data = [row for name in sorted(by_name) for row in by_name[name]]
    again = json.dumps(data, indent=1 if len(data) % 2 else None, sort_keys=True)
    if json.loads(again) != data:
        sys.exit("the json round trip changed the data")
if not compileall.compile_dir("library", quiet=2, force=True, workers=1):
    sys.exit("compileall failed")
PY
"$python" make_input.py "$SCALE"

library=$("$python" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
mkdir library
count=0
limit=$((14 * SCALE / 100 + 1))
for name in argparse ast base64 calendar cmd codeop configparser contextlib copy csv dataclasses \
  datetime difflib dis enum fileinput fractions ftplib functools gettext glob gzip heapq imaplib \
  inspect ipaddress locale mailbox; do
  [ "$count" -lt "$limit" ] || break
  if [ -f "$library/$name.py" ]; then
    cp "$library/$name.py" library/
    count=$((count + 1))
  fi
done

PYTHONMALLOC=malloc PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE= PYTHONNOUSERSITE=1
export PYTHONMALLOC PYTHONHASHSEED PYTHONDONTWRITEBYTECODE PYTHONNOUSERSITE
exec "$ARENITE" record -o "$TRACE" -- "$python" -S work.py
