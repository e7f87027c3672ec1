#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SIGKILL while fusermount3 exchanges trees (switch.18): who is killed leaves another process that puts the old tree back; who is killed with
# that one leaves the host's own directory, which status and refresh tell of and mend.
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin processes
. "${TESTS_DIR:?}/root/fusermount.bash"

# Two sets; a tree changes by the link that leads to one of them.
for v in A B; do
	mkdir -p "$R/var/lib-$v/confexts" && make_tree "$R/var/lib-$v/extensions/set" set "$v"
done
rm -r "$R/var/lib"
choose() { # A|B
	ln -sfn "lib-$1" "$R/var/lib"
}
choose A
chown -R "$user" "$R"
before=$(mounts_below "$R")
seen() { # as_user|as_contained
	"$1" sh -c "cat $R/usr/bin/host-tool $R/usr/bin/set" 2>/dev/null | paste -sd' '
}
shows() { # as_user|as_contained TEXT...
	local who=$1 now

	now=$(seen "$who")
	shift
	for text; do
		[ "$now" != "host tool $text" ] || return 0
	done
	return 1
}
servers() {
	pgrep -fc "^@extmerge-fuse union .* -- extmerge:sysext:"
}
is_healed() { # TEXT: after a refresh
	shows as_user "$1" && [ "$(mounts_below "$R")" = $((before + 1)) ] && [ "$(servers)" = 1 ]
}

# --- at every call from the first child on ---
# STEP=1 takes every call, STEP=6 every sixth.
STEP=${STEP:-6}
at_each_call() {
	local from=A to=B name index n=0 hits=0 wrong=

	by as_user merge -q
	choose B
	strace -u nobody -qq -o calls "$T/bin/extmerge" --root="$R" refresh -q
	awk -v step="$STEP" '/^[a-z]/ { sub(/\(.*/, ""); n[$1]++; on = on || /^v?fork|^clone/; if (on && ++k % step == 0) print $1, n[$1] }' calls >todo
	from=B to=A
	while read -r name index; do
		choose $to
		strace -u nobody -qq -o /dev/null -e trace="$name" -e inject="$name:signal=SIGKILL:when=$index" \
			"$T/bin/extmerge" --root="$R" refresh -q >/dev/null 2>&1
		[ $? != 137 ] || hits=$((hits + 1))
		n=$((n + 1))
		await shows as_user $from $to || wrong+="$name $index shows $(seen as_user), neither $from nor $to; "
		by as_user refresh -q
		await is_healed $to || wrong+="$name $index is not healed: $rc $err, $(seen as_user), $(mounts_below "$R") mounts, $(servers) servers; "
		[ $to = A ] && from=A to=B || from=B to=A
	done <todo 2>/dev/null # the shell says of each that it was killed
	echo "# killed at $hits of $n calls"
	is "a refresh killed at any of these calls: old or new without another run, and the next one leaves one tree" "$wrong" ""
	ok "and these are many" [ "$hits" -gt $((90 / STEP)) ]
	by as_user unmerge
	is "nothing is left" "$rc $(seen as_user) $(mounts_below "$R")" "0 host tool $before"
}
if command -v strace >/dev/null; then
	at_each_call
else
	skip "at every call" "there is no strace"
fi

# --- in the gap, which is held open ---
chown -R root "$R"
if ! begin_stand_in; then
	skip "in the gap" "there is no python3"
	finish
fi
choose A
by as_contained merge
runs_of() { # who is not the keeper first
	pgrep -f "^$T/bin/extmerge .*refresh"
}
begin_gap() { # in which there are two
	rm -f socket.held
	: >socket.hold
	choose "$1"
	as_contained "$T/bin/extmerge" --root="$R" refresh >said 2>&1 &
	await test -e socket.held
}
begin_gap B
is "in the gap the host's own is seen" "$(seen as_contained)" "host tool"
kill -KILL "$(runs_of | head -n 1)"
rm socket.hold
ok "who is killed alone is survived by the old tree" await shows as_contained A
by as_contained refresh
is "and a refresh goes on" "$rc $(seen as_contained) $(mounts_below "$R")" "0 host tool B $((before + 1))"

begin_gap A
# shellcheck disable=SC2046 # two numbers
kill -KILL $(runs_of) $(pgrep -f "$T/proxy")
rm socket.hold
is "who is killed with the keeper leaves the host's own" "$(seen as_contained) $(mounts_below "$R")" "host tool $before"
by as_contained status
like "status says so" "$out" "/usr +not merged.*There are extensions, and none is merged"
is "as JSON, too" "$("$T/bin/extmerge" --root="$R" status --json=short | jq .pending)" true
chown -R "$user" "$R"
by as_user status
like "to an ordinary user as well" "$out" "There are extensions, and none is merged"
chown -R root "$R"
by as_contained refresh
is "and a refresh mends it" "$rc $(seen as_contained) $(mounts_below "$R")" "0 host tool A $((before + 1))"

begin_gap B
kill -KILL "$(runs_of | tail -n 1)"
rm socket.hold
wait $!
is "who loses the keeper goes on" "$? $(seen as_contained) $(mounts_below "$R")" "0 host tool B $((before + 1))"
end_stand_in
finish
