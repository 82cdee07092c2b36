#!/bin/sh
# git.sh - what git allocates: init, add, commit, log and gc over a generated tree, one process each
# and more that git starts itself; the whole process tree is one trace.
#
# The tree is made here, outside the recording, in the current directory, which is empty and thrown
# away afterwards. git reads no settings but those below, and asks nobody for a name.
#
#   ARENITE  the arenite command      TRACE  the trace to write      SCALE  size in percent
set -eu

if [ "${1:-}" = run ]; then
  cd tree
  git init -q -b main
  for part in a b c; do
    git add "$part"
    git commit -q -m "Add $part"
  done
  for part in a b c; do
    for file in "$part"/*1/*.txt; do
      echo "one more line" >> "$file"
    done
    git commit -q -a -m "Change $part"
  done
  git log -p --stat > ../log.txt
  git blame a/1/1.txt > ../blame.txt
  git status --short > ../status.txt
  git gc -q --aggressive --prune=now
  git fsck > ../fsck.txt 2>&1
  exit 0
fi

mkdir home tree
awk -v files="$((40 * SCALE / 100 + 1))" 'BEGIN {
  srand(20)
  for (p = 0; p < 3; p++)
    for (d = 1; d <= 12; d++) {
      dir = "tree/" substr("abc", p + 1, 1) "/" d
      system("mkdir -p " dir)
      for (f = 1; f <= files; f++) {
        name = dir "/" f ".txt"
        for (line = 0; line < 40; line++)
          printf "line %d of %s: %d %d\n", line, name, rand() * 1000, rand() * 1000000 > name
        close(name)
      }
    }
}'

HOME=$PWD/home XDG_CONFIG_HOME=$PWD/home GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
GIT_AUTHOR_NAME=Arenite GIT_AUTHOR_EMAIL=arenite@example.invalid
GIT_COMMITTER_NAME=Arenite GIT_COMMITTER_EMAIL=arenite@example.invalid
GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'
GIT_CEILING_DIRECTORIES=$PWD GIT_TERMINAL_PROMPT=0 GIT_PAGER=cat TZ=UTC
export HOME XDG_CONFIG_HOME GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL
export GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_AUTHOR_DATE GIT_COMMITTER_DATE
export GIT_CEILING_DIRECTORIES GIT_TERMINAL_PROMPT GIT_PAGER TZ
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY || :
exec "$ARENITE" record -o "$TRACE" -- sh "$0" run
