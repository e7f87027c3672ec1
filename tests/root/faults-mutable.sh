#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every system call of a change of hierarchies that can be written failing once: success means that the new set is seen,
# failure that the old one is; either way it can be written at once, and what was written is there (mutable.11).
# shellcheck disable=SC2034,SC2154 # what inject.bash and this share
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/root/inject.bash"
. "${TESTS_DIR:?}/root/mutable.bash"
begin
command -v strace >/dev/null || { echo "1..0 # SKIP no strace"; exit 0; }

# What faults.sh leaves out, and all that comes before trees are built: faults.sh has that.
calls='^(mkdirat|unlinkat|mount|umount2|move_mount|open_tree|mount_setattr|fsopen|fsmount|fsconfig|fspick|fchdir|setns|unshare|fsetxattr|fchmod|fchown|sched_setscheduler)$'

make_jobs() { # CALLS
	awk -v calls="$calls" -v step="$STEP" '
		$1 ~ calls && ++n % step == 0 {
			for (i = split("ENOMEM EIO EROFS EBUSY", e, " "); i > 0; i--)
				print $0, "error=" e[i]
		}' "$1"
}

judge() { # OLD NEW
	local h name want=$1 writable=()

	[ "$1$rc" != N0 ] || [[ $(<"$W/output") != *warning:* ]] || return # as in faults.sh
	is_old_or_new "$1" "$2"
	is_kept
	[ "$rc" != 0 ] || want=$2
	for h in usr opt etc; do
		name=seen_$h
		[ "${!name}" = "$(shows "$want" $h)" ] ||
			complain "exit status $rc, but /$h shows ${!name}: $(<"$W/output")"
		[ "${!name}" = N ] || [ "${!name}" = none ] || writable+=("$h")
	done
	can_write "exit status $rc" "${writable[@]}"
}

make_sets
STRACE_BY=--seccomp-bpf
SPARE_LOOPS=1
STEP=$((${EVERY:-3} * ${STEP_SCALE:-1})) # EVERY=1: each call
run_pair A B
is "a refresh with a system call failing: done or not, and it can be written" "$complaints" ""
ok "as many failed as there are calls" [ "$hits" -gt $((jobs_run * 9 / 10)) ]
finish
