#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A tree that is written is not replaced before nobody can write to it any more, from wherever (mutable.11, mutable.12, mutable.16, mutable.17).
# shellcheck disable=SC2154 # rc, err: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
slow=${TESTS_BUILD_DIR:?}/root/slow-fuse

# Waits until the command succeeds, for a minute at most.
until_true() { # COMMAND...
	local i
	for ((i = 0; i < 1200; i++)); do
		! "$@" 2>/dev/null || return 0
		sleep 0.05
	done
	return 1
}

in_place() { # PID COMMAND...
	nsenter -t "$1" -m -- "${@:2}"
}

# A process with a mount namespace of its own.
elsewhere() { # PROPAGATION
	unshare -m --propagation "$1" sh -c "touch '$T/there-$1'; exec sleep 1000" &
	place=$!
	until_true test -e "$T/there-$1"
}

# One more extension, as what is changed in one that is there is seen at once.
change() { # NUMBER
	make_conf_tree "$C/n$1" "n$1"
}

newest() { # [COMMAND...]
	"$@" sh -c "ls '$R'/etc/n*.conf" | sed -n '$s/.*n\(.*\).conf/\1/p'
}

mount --bind "$R" "$R"
mount --make-shared "$R"
change 1
echo begun >"$R/etc/log"

# --- other mount namespaces ---
elsewhere slave
slave=$place
em merge --class=confext --mutable=yes
is "merged" "$rc" 0
ok "a namespace that gets the tree by propagation can write it" in_place $slave sh -c "echo x >'$R/etc/by-slave'"
elsewhere private
private=$place
change 2
em refresh --class=confext
is "and replaced" "$rc $(newest)" "0 2"
is "the new one comes there as well" "$(newest in_place $slave)" 2
ok "and is written from there" in_place $slave sh -c "echo y >>'$R/etc/by-slave'"
is "to one upper layer" "$(cat "$R/etc/by-slave")" "x"$'\n'"y"
is "who has a copy of the old tree sees that" "$(newest in_place $private)" 1
not_ok "but does not write to it any more" in_place $private sh -c "echo x >'$R/etc/by-private'"
not_ok "so nothing comes to the upper layer" test -e "$R/var/lib/extensions.mutable/etc/by-private"
kill $private
wait $private 2>/dev/null

# --- a file that is kept open ---
nsenter -t $slave -m sh -c "exec 3>>'$R/etc/log'; touch '$T/held'; exec sleep 1000" &
holder=$!
until_true test -e "$T/held"
change 3
em refresh --class=confext --wait=0
is "an open file keeps the old tree, from another namespace too" "$rc $(newest)" "6 2"
like "with who has it, and where" "$err" "Cannot switch: /etc is being written: open for writing by sleep \([0-9]+\): .*/etc/log"
like "and what to do" "$err" "--wait=SECONDS .*--writers=cut-off"
ok "the old tree can be written" sh -c "echo z >'$R/etc/still'"
ok "from everywhere" in_place $slave sh -c "echo z >'$R/etc/still'"
em commit --class=confext --wait=0 kept
like "nor is it made an extension" "$rc $err" "^6 .*Cannot commit 'kept': a file in /etc is open for writing, by sleep"
ok "and then it can be written" sh -c "echo z >'$R/etc/still'"
em refresh --class=confext --wait=60 &
run=$!
kill $holder
wait $run
is "it is waited for" "$? $(newest)" "0 3"
exec 3>>"$R/etc/log"
change 4
em refresh --class=confext --wait=0 --writers=cut-off
if [ "$STACK" = fuse ]; then
	is "a FUSE tree would not see what is written to it" "$rc $(newest)" "6 3"
else
	is "or not" "$rc $(newest)" "0 4"
	like "which is said" "$err" "/etc  files are open for writing, and stay so: [a-z.-]+ \([0-9]+\): .*/etc/log"
	echo more >&3
	is "what is written to the open file is in the new tree" "$(tail -n 1 "$R/etc/log")" more
fi
exec 3>&-

# --- a file that was removed and is in use: no reason to wait ---
echo old >"$R/etc/library"
exec 4<"$R/etc/library"
rm "$R/etc/library"
change 5
em refresh --class=confext --wait=0
is "a removed file that is in use is no hindrance" "$rc $(newest)" "0 5"
ok "the new tree can be written" sh -c "echo z >'$R/etc/still'"
exec 4<&-

# --- who is just copying a file to the upper layer ---
mkdir "$C/slow"
mkfifo "$T/control"
"$slow" "$C/slow" <>"$T/control" >"$T/said" &
server=$!
if ! until_true grep -q ready "$T/said"; then
	skip "a slow copy" "no FUSE"
else
	em refresh --class=confext
	is "a layer with a slow file" "$rc $(layers etc)" "0 slow n5 n4 n3 n2 n1"
	change 6
	sh -c "echo line >>'$R/etc/slow' && touch '$T/acknowledged'" &
	writer=$!
	until_true grep -q reading "$T/said"
	em refresh --class=confext --wait=0
	is "a file that is being copied keeps the old tree" "$rc $(newest)" "6 5"
	not_ok "and is still being copied" test -e "$T/acknowledged"
	ok "others can write" sh -c "echo z >'$R/etc/still'"
	em refresh --class=confext --wait=60 &
	run=$!
	echo >"$T/control"
	wait $run
	is "its end is waited for" "$? $(newest)" "0 6"
	wait $writer
	is "what was acknowledged is in the new tree" "$(ls "$T/acknowledged") $(tail -n 1 "$R/etc/slow")" "$T/acknowledged line"
	is "and at its place in the upper layer" "$(tail -n 1 "$R/var/lib/extensions.mutable/etc/slow")" line
fi

# --- killed while nobody can write: the last mount of a tree is held up, so that the kill comes there (mutable.13) ---
killed_while_stopped() { # VERB...
	local tracer
	rm -f "$T/trace"
	strace -qq -o "$T/trace" -e trace=move_mount -e inject=move_mount:delay_enter=600s:when="$1" \
		"$EXTMERGE" --root="$R" "${@:2}" >/dev/null 2>&1 &
	tracer=$!
	until_true is_stopped || return 1
	kill -9 "$(pgrep -P $tracer -x extmerge)" # which comes to pass when the tracer lets it go
	kill -9 $tracer
	wait $tracer
	until_true sh -c "echo z >'$R/etc/still'"
}
is_stopped() { ! sh -c "echo z >'$R/etc/still'"; }
if ! command -v strace >/dev/null; then
	skip "a killed run" "no strace"
else
	change 7
	em refresh --class=confext
	change 8
	strace -qq -o "$T/calls" -e trace=move_mount "$EXTMERGE" --root="$R" refresh -q --class=confext
	last=$(grep -c move_mount "$T/calls")
	change 9
	ok "who is killed while nobody can write is followed by who ends that" killed_while_stopped "$last" refresh --class=confext
	is "with the old tree" "$(newest) $(mounts_below "$R/etc")" "8 2"
	em refresh --class=confext
	is "and the next run finds nothing to mend" "$rc $(newest) $(grep -c interrupted <<<"$err")" "0 9 0"
fi
em unmerge
is "nothing is left" "$rc $(mounts_below "$R/etc")" "0 0"
kill $slave
umount "$C/slow" 2>/dev/null
kill $server 2>/dev/null
finish
