#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A service that dies, forks or starts anew while its extensions are renewed, and a number that another process has got since:
# who is left sees the old or the new ones, and nobody else is touched (specs: service.4, service.6).
#
# strace stops extmerge at the system call where it happens. ROUNDS (5) is how often all of it happens at any time.
# shellcheck disable=SC2154 # what lib.sh and service.bash set
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/root/service.bash"
command -v strace >/dev/null || { skip "a service that changes while it is renewed" "there is no strace"; finish; }

conf "$HOST" host
conf /run/confexts.d/other other
for n in 1 2; do make_conf_tree "$T/v$n" xm-changing $n; done
mkdir -p "$OWN"
choose() { # 1|2
	ln -sfn "$T/v$1" "$OWN/xm-changing"
}
# What others see, and which mounts they have: it must not change.
others() {
	sees "$other" /etc/xm-other.conf /etc/xm-host.conf
	cat /proc/self/mountinfo "/proc/$other/mountinfo"
}
slay() { # PID...
	kill -KILL "$@" 2>/dev/null
	wait "$@" 2>/dev/null
}
# Runs extmerge until it, or its child, has made its first CALL, of a file if that is said.
stop_at() { # CALL[:FILE] VERB...
	local call=${1%%:*} file=() i
	[[ $1 != *:* ]] || file=(-P "${1#*:}")
	shift

	rm -f "$T/trace"
	strace -f -qq -o "$T/trace" "${file[@]}" -e trace="$call" -e inject="$call:signal=SIGSTOP:when=1" "$EXTMERGE" "$@" 2>"$T/stderr" &
	strace=$!
	for ((i = 0; i < 6000; i++)); do
		! grep -qs 'stopped by SIGSTOP' "$T/trace" || return 0
		sleep 0.01
	done
	return 1
}
# Each process is stopped once, children too.
go_on() { # $rc, $err
	while kill -0 $strace 2>/dev/null; do
		# shellcheck disable=SC2046
		kill -CONT $(sed -n 's/ *--- stopped by SIGSTOP ---$//p' "$T/trace") 2>/dev/null
		sleep 0.02
	done
	wait $strace
	rc=$?
	err=$(cat "$T/stderr")
}
# A process that has just this number, in a mount namespace of its own.
as_number() { # PID COMMAND...
	local want=$1 i
	shift

	for ((i = 0; i < 100; i++)); do
		echo $((want - 1)) >/proc/sys/kernel/ns_last_pid
		"$@" &
		[ $! != "$want" ] || { await runs $! sleep; return; }
		slay $!
	done
	return 1
}
plain() { exec unshare -m sleep 600; }
of_other() { exec "$EXTMERGE" -q run --service=other -- sleep 600; }

choose 1
start other && other=$pid
before=$(others)

# --- it dies when it has been found: then its number is another's ---
if [ -w /proc/sys/kernel/ns_last_pid ]; then
	for who in plain of_other; do
		for how in name number; do
			start web && web=$pid
			choose 2
			case $how in
			name) stop_at write refresh --service=web ;;
			number) stop_at "openat:/proc/$web/mountinfo" refresh --pid="$web" ;;
			esac
			slay "$web"
			as_number "$web" $who
			table=$(cat "/proc/$web/mountinfo")
			go_on
			is "the number of a dead service is another's ($who, found by $how): that is not touched" \
				"$(sees "$web" /etc/xm-changing.conf) $(cat "/proc/$web/mountinfo")" " $table"
			[ $how = name ] || like "and it is said" "$rc $err" "^1 .*it sees (no extensions of a|the extensions of another) service"
			is "nor is anybody else" "$(others)" "$before"
			slay "$web"
			choose 1
		done
	done
else
	skip "the number of a dead service" "/proc/sys/kernel/ns_last_pid cannot be written"
fi

# --- it dies, forks, or starts anew while its new tree is made ---
start web && web=$pid
choose 2
stop_at setns refresh --service=web
slay "$web"
go_on
is "one that dies meanwhile takes all with it" "$(grep -l '@web' /proc/[0-9]*/mountinfo 2>/dev/null) $(others)" " $before"
choose 1
"$EXTMERGE" -q run --service=web -- sh -c 'sleep 600 & echo $! >"$0"; exec sleep 600' "$T/child" &
web=$!
await runs $web sleep
await test -s "$T/child"
child=$(cat "$T/child")
choose 2
stop_at setns refresh --pid="$web"
slay "$web"
go_on
is "what it has forked goes on with the new ones" "$rc $(sees "$child" /etc/xm-changing.conf)" "0 2"
choose 1
on -q refresh --service=web
is "and is found without it" "$rc $(sees "$child" /etc/xm-changing.conf)" "0 1"
slay "$child"
start web && web=$pid
choose 2
stop_at setns refresh --service=web
slay "$web"
"$EXTMERGE" -q run --service=web -- sleep 600 &
web=$!
go_on
await runs $web sleep
is "one that starts anew meanwhile has the new ones" "$(sees "$web" /etc/xm-changing.conf) $(trees "$web")" "2 extmerge:confext:etc@web"

# --- two renew it at once: neither takes the other for the service ---
choose 1
stop_at setns refresh --service=web
"$EXTMERGE" refresh --service=web 2>"$T/second" &
second=$!
go_on
wait $second
is "two at once: both succeed" "$rc $? $(grep -c error "$T/second" "$T/stderr" | paste -sd' ')" "0 0 $T/second:0 $T/stderr:0"
is "and it has the new ones" "$(sees "$web" /etc/xm-changing.conf) $(trees "$web")" "1 extmerge:confext:etc@web"
slay "$web"

# --- all of it at any time ---
bad=''
restart() {
	local n p

	for ((n = 0; n < 10; n++)); do
		"$EXTMERGE" -q run --service=web -- sh -c 'sleep 600 & exec sleep 600' &
		p=$!
		await runs $p sleep
		kill -KILL $p
		wait $p
	done 2>/dev/null
}
restart &
restarting=$!
for ((i = 0; i < ${ROUNDS:-5}; i++)); do
	choose $((i % 2 + 1))
	on refresh --service=web
	# That it was not there, or that all of its processes have just ended.
	[ $rc = 0 ] || [[ $err == *"no process sees extensions of it"* ]] || bad+="$rc $err "
done
wait $restarting
choose 1
on refresh --service=web
is "refreshes of a service that starts and dies all the time" "$bad$rc" 0
for comm in /proc/[0-9]*/comm; do
	p=${comm//[!0-9]/}
	[ "$(cat "$comm" 2>/dev/null)" != sleep ] || [ "$p" = "$other" ] || bad+=$(sees "$p" /etc/xm-changing.conf)
done
like "those that are left have the new ones" "$bad" '^1+$'
is "nobody else is touched" "$(others)" "$before"
finish
