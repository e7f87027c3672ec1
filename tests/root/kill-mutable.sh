#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SIGKILL at every fifth system call (EVERY=1: at every one) of a change of hierarchies that can be written: the old set or the new one is seen, with all
# that was written; the next run makes it writable, and leaves neither a mount nor a work directory (mutable.13).
# shellcheck disable=SC2034,SC2154 # what inject.bash and this share
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/root/inject.bash"
. "${TESTS_DIR:?}/root/mutable.bash"
begin
command -v strace >/dev/null || { echo "1..0 # SKIP no strace"; exit 0; }

# STEP=1 takes every call, STEP=3 every third.
make_jobs() { # CALLS
	awk -v step="$STEP" 'NR % step == 0 { print $0, "signal=SIGKILL" }' "$1"
}

judge() { # OLD NEW
	is_old_or_new "$1" "$2"
	is_kept
}

make_sets
SPARE_LOOPS=0
STRACE_BY=-qq # no --seccomp-bpf: strace 6.1 injects no signals with it
STEP=$((${EVERY:-5} * ${STEP_SCALE:-1}))
run_pair A B
is "a refresh killed at system calls: old or new, and the next run heals" "$complaints" ""
ok "as many were killed as there are calls" [ "$hits" -gt $((jobs_run * 9 / 10)) ]
STEP=$((${EVERY:-5} * ${STEP_SCALE:-1}))
run_pair N B
is "the first merge and the unmerge killed at system calls: old or new, and the next run heals" "$complaints" ""
ok "as many were killed" [ "$hits" -gt $((jobs_run * 9 / 10)) ]
finish
