#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SIGKILL at every system call of a change of hierarchies that can be written: the old set or the new one is seen, with all
# that was written; the next run makes it writable, and leaves neither a mount nor a work directory (mutable.13).
# shellcheck disable=SC2034,SC2154 # what inject.bash and this share
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/root/inject.bash"
begin
command -v strace >/dev/null || { echo "1..0 # SKIP no strace"; exit 0; }

# STEP=1 takes every call, STEP=3 every third.
make_jobs() { # CALLS
	awk -v step="$STEP" 'NR % step == 0 { print $0, "signal=SIGKILL" }' "$1"
}

# Each directory is at one place, whichever set var/lib leads to.
make_more() {
	local v
	mkdir -p "$R"/srv/mutable/{usr,etc,opt}
	for v in N A B; do
		ln -s /srv/mutable "$R/var/lib-$v/extensions.mutable"
	done
	echo kept >"$R/srv/mutable/etc/kept"
}

judge() { # OLD NEW
	local kept
	is_old_or_new "$1" "$2"
	[ "$seen_etc" = N ] || { { read -r kept <"$R/etc/kept"; } 2>/dev/null && [ "$kept" = kept ]; } ||
		complain "what was written is not seen"
}

check_more() { # SET
	local h want=()
	case $1 in
	A) want=(etc usr) ;;
	B) want=(etc opt usr) ;;
	esac
	for h in "${want[@]}"; do
		{ echo probe >"$R/$h/probe" && rm "$R/$h/probe"; } 2>/dev/null ||
			complain "healed, but /$h cannot be written"
	done
	h=("$R"/srv/mutable/.*extmerge-work*)
	[ ${#h[@]} = ${#want[@]} ] || complain "healed, but the work directories are: ${h[*]##*/}"
}

make_sets
SPARE_LOOPS=0
STRACE_BY=-qq # no --seccomp-bpf: strace 6.1 injects no signals with it
OPTIONS=(--mutable=auto)
INSIDE=(.extmerge)
STEP=$((2 * ${STEP_SCALE:-1}))
run_pair A B
is "a refresh killed at any system call: old or new, and the next run heals" "$complaints" ""
ok "as many were killed as there are calls" [ "$hits" -gt $((jobs_run * 9 / 10)) ]
STEP=$((5 * ${STEP_SCALE:-1}))
run_pair N B
is "the first merge and the unmerge killed: old or new, and the next run heals" "$complaints" ""
ok "as many were killed" [ "$hits" -gt $((jobs_run * 9 / 10)) ]
finish
