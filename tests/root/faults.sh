#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every system call failing once: success means that the new set is seen, failure that the old one is. Each fails in one of
# four ways, in turn; in all of them with ALL_ERRORS=1, which takes four times as long.
# shellcheck disable=SC2034,SC2154 # what inject.bash and this share
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/root/inject.bash"
begin
command -v strace >/dev/null || { echo "1..0 # SKIP no strace"; exit 0; }

# What cannot fail, what is the loader's and the C library's, and what only gives something back.
quiet='^(execve|exit_group|close|munmap|mprotect|futex|arch_prctl|set_tid_address|set_robust_list|rseq|prlimit64|getrandom|umask|uname|geteuid|lseek)$'

make_jobs() { # CALLS
	awk -v quiet="$quiet" -v step="$STEP" -v all="${ALL_ERRORS-}" '
		$1 ~ quiet { next }
		$1 == "mmap" || $1 == "brk" { print $0, "error=ENOMEM"; next }
		++n % step == 0 {
			for (i = split("ENOMEM EIO ENOSPC EINTR", e, " "); i > 0; i--)
				if (all || i == n / step % 4 + 1)
					print $0, "error=" e[i]
		}' "$1"
}

# Where nothing was merged before, an extension that cannot be read is left out, and named.
is_named() { # OLD
	[ "$1$rc" = N0 ] && [[ $(<"$W/output") == *warning:* ]]
}

judge() { # OLD NEW
	local h name want

	! is_named "$1" || return
	is_old_or_new "$1" "$2"
	want=$1
	[ "$rc" != 0 ] || want=$2
	for h in usr opt etc; do
		name=seen_$h
		[ "${!name}" = "$(shows "$want" $h)" ] ||
			complain "exit status $rc, but /$h shows ${!name}: $(<"$W/output")"
	done
}

make_sets
STRACE_BY=--seccomp-bpf
SPARE_LOOPS=1 # where erofs could not be mounted from its file, a loop device is the next best
STEP=$((1 * ${STEP_SCALE:-1}))
run_pair A B
is "a refresh with any system call failing: done or not, and the next run heals" "$complaints" ""
ok "as many failed as there are calls" [ "$hits" -gt $((jobs_run * 9 / 10)) ]
ok "and those are many" [ "$hits" -gt $((500 / ${STEP_SCALE:-1})) ]
STEP=$((4 * ${STEP_SCALE:-1}))
run_pair N B
is "the first merge and the unmerge: done or not, and the next run heals" "$complaints" ""
ok "as many failed" [ "$hits" -gt $((jobs_run * 9 / 10)) ]
finish
