#!/bin/sh
# bench/hardened-cost runs, here with this build on both sides, and prints a table of all rows.
set -eu
"$SRC/bench/hardened-cost" --quick --normal="$BUILD" --hardened="$BUILD" | tee cost
[ "$(grep -c '^| `.*` | [0-9.]* | [0-9.]* | [0-9.]* |' cost)" -eq 6 ]
rm cost
