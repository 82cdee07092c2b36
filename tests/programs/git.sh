#!/usr/bin/env bash
# git: a history is written, cloned, packed and checked with the library, and is the same to the last
# object as without it.
# timeout: 150
source "$(dirname "$0")/support.bash"
needs git

export HOME=$tmp GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@example.org
git config --global init.defaultBranch main
git config --global gc.auto 0
git config --global maintenance.auto false
git config --global pack.threads 2
git config --global protocol.file.allow always

# A history of several branches, for fast-import: files of all sizes that change, move and go.
awk 'BEGIN {
  for (c = 1; c <= 400; c++) {
    branch = c % 9 == 0 ? "side" : "main"
    print "commit refs/heads/" branch
    print "committer c <c@example.org> " 1600000000 + c * 1000 " +0000"
    message = "change " c "\n\nwith " c * 7919 % 1009 "\n"
    print "data " length(message) "\n" message
    if (c == 9) print "from refs/heads/main"
    for (f = 0; f < 6; f++) {
      n = (c * 13 + f * 37) % 150
      text = ""
      for (l = 0; l < n; l++) text = text "line " l " of " (l % 11 == c % 11 ? c : f) "\n"
      print "M 100644 inline dir" n % 7 "/file" n
      print "data " length(text) "\n" text
    }
    if (c % 10 == 0) print "D dir" c % 7 "/file" c % 150
  }
}' >history

# everything MODE: the commands that a day with a repository runs.
everything() {
  local mode=$1 status=0
  git init -q work
  git -C work fast-import --quiet <history
  git -C work reset -q --hard main
  git clone -q --no-local work clone
  git -C clone repack -adfq --depth=20 --window=20
  git -C clone gc -q --aggressive --prune=now
  git -C clone fsck --full --strict
  git -C clone log --stat -p --no-color --all
  git -C clone log --graph --oneline --no-color --all -- dir3
  git -C clone blame dir1/file1
  git -C clone grep -n 'line 4 of 3' main | tail -n 30
  git -C clone diff --no-color main~200 main | tail -n 200
  git -C clone checkout -q -b third main~50
  git -C clone merge -q -m merged origin/side || status=$?
  echo "merge: $status"
  git -C clone diff --no-color | head -n 100
  git -C clone merge --abort 2>&1 || :
  git -C clone rebase -q main || :
  seq 1 5000 >clone/added
  git -C clone add added
  git -C clone commit -q -m added --date='2020-01-01T00:00:00Z'
  git -C clone stash list
  git -C clone archive main | sha256sum
  git -C clone bundle create -q ../bundle --all
  git -C clone bundle verify ../bundle >/dev/null 2>&1
  git -C clone rev-list --objects --all | sort | sha256sum
  git -C clone count-objects -v | grep -E '^(in-pack|packs|garbage)'
  git -C clone show-ref
  git -C clone status --short
}

export GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
for mode in none "${modes[@]}"; do
  rm -rf work clone bundle
  (
    under "$mode"
    everything "$mode"
  ) >"output.$mode" 2>&1 || {
    tail -n 40 "output.$mode" >&2
    fail "$mode: git failed"
  }
  [[ $mode != none ]] || continue
  same "$mode" output
  served "$mode" 40
done
grep -q '^packs: 1$' output.none || fail "$(tail -n 40 output.none)"
