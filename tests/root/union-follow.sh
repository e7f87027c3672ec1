#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The server of a union goes to the CPU of the one who asks again and again, and nowhere else (union.21).
# shellcheck disable=SC2154 # tools, union: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin_union
[ "$(nproc)" -gt 1 ] || { skip "everything" "there is one CPU"; finish; }
[ -z "$(nice -n -1 true 2>&1)" ] || { skip "everything" "nobody here may have a lower nice value"; finish; }
mkdir a b u
stop=$T/stop

server() {
	pgrep -f "^@extmerge-fuse union .* -- $T/u\$"
}
# Of the thread that serves.
cpus() {
	awk '/^Cpus_allowed_list/ { print $2 }' "/proc/$pid/status"
}
is_at_one_cpu() {
	[[ $(cpus) =~ ^[0-9]+$ ]]
}
# Asks for names that nobody has asked for, until there is $stop.
ask() {
	local i

	for ((i = 0; ; i++)); do
		[ ! -e "u/none-$BASHPID-$i" ] && ((i % 100 != 0)) || [ ! -e "$stop" ] || exit 0
	done
}
wait_until() { # COMMAND
	local end=$((SECONDS + 60))

	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
	done
}

ok "mounted" timeout 30 "$union" -o "lowerdir=$T/a:$T/b" "$T/u"
pid=$(server)
all=$(cpus)
not_ok "at first it is kept nowhere" is_at_one_cpu
ask &
asker=$!
ok "one that asks again and again is followed" wait_until is_at_one_cpu
touch "$stop"
wait "$asker"
not_ok "another comes" [ -e u/another ]
is "and it may be anywhere again" "$(cpus)" "$all"
is "as one of the ordinary" "$(awk '{ print $41 }' "/proc/$pid/stat")" "0"
umount u

# Whoever is given one CPU, or another class, keeps that.
ok "mounted by one of the batch class" timeout 30 chrt -b 0 "$union" -o "lowerdir=$T/a:$T/b" "$T/u"
pid=$(server)
for i in {1..500}; do [ ! -e "u/none-$i" ] || break; done
is "nobody is followed" "$(cpus) $(awk '{ print $41 }' "/proc/$pid/stat")" "$all 3"
umount u
finish
