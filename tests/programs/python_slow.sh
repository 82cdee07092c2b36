#!/usr/bin/env bash
# python3 passes its own tests of processes and threads that work for others.
# slow
# timeout: 400
source "$(dirname "$0")/support.bash"
source "$here/regression.bash"

regression test_concurrent_futures test_multiprocessing_fork
