#!/bin/sh
# python3.sh - the program of the row python3: objects of many kinds are built, kept for a while and
# dropped.
#
# Run once in the current directory, which is empty and thrown away afterwards.
#
#   SCALE  size in percent
set -eu

echo "scale = $SCALE / 100" > work.py
cat >> work.py <<'PY'
import json
import random
import sys

random.seed(20)
words = ["w%05x" % random.getrandbits(20) for _ in range(4000)]


class Node:
    def __init__(self, key, left, right):
        self.key, self.left, self.right = key, left, right


def tree(depth):
    return None if depth == 0 else Node(depth, tree(depth - 1), tree(depth - 1))


def count(node):
    return 0 if node is None else 1 + count(node.left) + count(node.right)


def record(i):
    return {"id": i, "name": " ".join(random.sample(words, 3)), "score": random.random(),
            "tags": [random.choice(words) for _ in range(i % 6)], "parent": (i // 7, i % 7)}


kept = []
for i in range(max(1, int(24 * scale))):
    records = [record(i) for i in range(2500)]
    again = json.loads(json.dumps(records))
    if again[7]["name"] != records[7]["name"]:
        sys.exit("the json round trip changed the data")
    by_word = {}
    for one in again:
        for word in one["name"].split():
            by_word.setdefault(word, []).append(one)
    lines = "\n".join("%s %d" % (word, len(ones)) for word, ones in sorted(by_word.items()))
    kept.append((again[::5], lines.split("\n"), tree(12)))
    if count(kept[-1][2]) != 4095:
        sys.exit("the tree is not whole")
    del kept[:-4]
PY
