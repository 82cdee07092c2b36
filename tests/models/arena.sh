#!/bin/sh
# The model of the arena's word, core/heap/arena.pml: no state that any interleaving reaches breaks an
# assertion, and each rule of the protocol is needed: without it an assertion fails. 75 seconds of one
# processor, 900 MB.
# timeout: 600
set -eu
command -v spin > /dev/null || { echo "spin is not installed"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

# search OPTIMISE DEFINITION...: all states of the model that are reached; what pan says is in `out`.
search() {
  optimise=$1
  shift
  rm -f pan pan.* out
  spin -a "$@" "$SRC/core/heap/arena.pml" > spin.out || { cat spin.out >&2; exit 1; }
  "${CC:-cc}" -w "$optimise" -DSAFETY -DNOFAIR -DCOLLAPSE -o pan pan.c
  ./pan -m2000000 -w24 > out || true
}

holds() {
  search -O1 "$@"
  if ! grep -q 'errors: 0$' out ||
    grep -Eq 'not completed|too small|out of memory|hash-?compact|Bit statespace' out; then
    echo "arena.pml $*: an assertion fails, or the search was not complete:" >&2
    cat out >&2
    exit 1
  fi
  echo "holds: $* ($(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' out) states)"
}

# fails RULE DEFINITION...
fails() {
  rule=$1
  shift
  search -O0 "-DBREAK_$rule" "$@" # compiling takes longer than finding the error
  if ! grep -q 'assertion violated' out; then
    echo "arena.pml $*: no assertion fails with BREAK_$rule" >&2
    cat out >&2
    exit 1
  fi
  echo "fails as it should: BREAK_$rule"
}

# Without ASYMMETRIC there are three times as many states.
holds -DASYMMETRIC -DSLOTS=2
holds -DASYMMETRIC -DSLOTS=1 -DARENAS=2
holds -DASYMMETRIC -DSLOTS=1 -DTHREADS=3

fails HOME_AGAIN -DASYMMETRIC         # home is not read again after a claim
fails ARENA_HOME_AGAIN -DASYMMETRIC   # the same, for a claim of all slots
fails HOME_HELD -DASYMMETRIC          # home changes while some slots are nobody's
fails IDLE_ORDER -DASYMMETRIC         # home changes after the slots were released
fails CLOSE -DASYMMETRIC              # the end of a set resets the word, strangers or not
fails GIVE_ATOMIC -DASYMMETRIC        # a release is a load and a store
fails DIRTY_FIRST -DASYMMETRIC        # dirty is set after the release
fails HINT_LOOK -DASYMMETRIC          # a hint is moved and not looked at again
fails UNCLAIM_HINT -DASYMMETRIC       # who claimed by mistake does not move the hint
fails IDLE_HINT -DASYMMETRIC          # an arena becomes idle without its hint
fails FRESH -DASYMMETRIC -DSLOTS=1 -DARENAS=2   # fresh arenas are stored to, not claimed
fails GIVE_UP -DASYMMETRIC -DSLOTS=1 -DARENAS=2 # half of a run is kept when the rest was not free

# Steps of fullness that more than one number of free slots belong to. What fails: who claimed by
# mistake moves the hint for the release, and not for the claim.
if [ -z "${ARENITE_TEST_QUICK:-}" ]; then
  holds -DASYMMETRIC -DSLOTS=3 -DSTRANGER
  fails STRANGER_HINT -DASYMMETRIC -DSLOTS=3 -DSTRANGER
fi
