#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# 8 writers in a hierarchy that is refreshed REFRESHES times (200): everything that was acknowledged is there afterwards, exactly
# once (specs: mutable.11, mutable.12). A fifth of that with a file held open, where what is lost is told, but may be
# (mutable.17), and a quarter by FUSE. They also append to files of the layers, all of them to the same ones, so that trees
# that do not agree on what is in the upper layer are found out.
# shellcheck disable=SC2154 # rc, err: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
writers=${TESTS_BUILD_DIR:?}/writers
[ -x "$writers" ] || { skip "writers" "there is no $writers"; finish; }
REFRESHES=${REFRESHES:-200} FILES=20000 backend=overlay more=()

# Half of the files are the host's, half an extension's; another extension changes with each refresh.
change() { # VERSION
	make_conf_tree "$C/changing" changing "$1"
}

make_files() { # DIRECTORY FIRST LAST
	mkdir -p "$1"
	(cd "$1" && seq "$2" $(($3 - 1)) | sed 's/^/begins /' | split -l 1 -a 5 --numeric-suffixes="$2" - f)
}

run() { # DIRECTORY [hold]
	local pid i failed=0 named=0
	"$writers" 8 "$R/etc/$1" $FILES ${2+"$2"} >"$T/counts" &
	pid=$!
	for ((i = 0; i < REFRESHES; i++)); do
		change $i
		em refresh -v --backend=$backend --class=confext "${more[@]}" || { failed=$((failed + 1)); echo "# $err"; }
		sed -n 's/.*not be written for \([0-9]*\) us.*/\1/p' <<<"$err" >>"$T/pauses"
		[[ $err != *"open for writing, and stay so: writers ("* ]] || named=$((named + 1))
		[ "$(cat "$R/etc/changing.conf")" = $i ] || echo "# refresh $i is not seen"
	done
	ok "they write until the end" kill $pid
	wait $pid
	read -r operations again longest lost <"$T/counts"
	echo "# $REFRESHES refreshes by $backend, $*: $operations operations, $again tries again, longest wait $longest us, lost $lost"
	echo "# extmerge kept them from writing for $(sort -n "$T/pauses" | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] " us at the median, " t[NR] }') us at most"
	rm "$T/pauses"
	is "$REFRESHES refreshes among 8 writers${2:+, one of whom holds a file open}" "$failed" 0
	[ -n "${2-}" ] || is "nothing that was acknowledged is lost, or there twice" "$lost" 0
	[ -z "${2-}" ] || ok "who holds a file is named" [ "$named" -gt $((REFRESHES / 4)) ]
	ok "they did write" [ "$operations" -gt $((REFRESHES * 8)) ]
}

make_conf_tree "$C/files" files
for many in many held fuse; do
	make_files "$R/etc/$many" 0 $((FILES / 2))
	make_files "$C/files/etc/$many" $((FILES / 2)) $FILES
done
change first
em merge --backend=$backend --class=confext --mutable=yes
is "merged" "$rc $(layers etc)" "0 files changing"
run many
is "each file begins as it did" "$(find "$R/etc/many" -name 'f*' -exec head -qn 1 {} + | sort | uniq | wc -l)" $FILES
all=$REFRESHES
more=(--wait=0 --writers=cut-off) REFRESHES=$((all / 5))
run held hold
more=() REFRESHES=$all
if em refresh --backend=fuse --class=confext; then
	backend=fuse REFRESHES=$((REFRESHES / 4))
	run fuse
	em refresh --backend=overlay --class=confext
else
	skip "the same by FUSE" "it cannot be had: ${err%%$'\n'*}"
fi
is "one tree is left, and its record" "$(mounts_below "$R/etc")" 2
is "and one work directory" "$(find "$R/var/lib/extensions.mutable" -maxdepth 1 -name '.etc.*' | wc -l)" 1

# Who has its working directory in a tree that is gone writes into none.
cd "$R/etc/many" || exit
change last
em refresh --class=confext
not_ok "a working directory in the old tree is read-only" bash -c 'echo x >straggler'
not_ok "and nothing comes of it" test -e "$R/etc/many/straggler"
cd / || exit
em unmerge
is "after unmerge nothing is mounted" "$(mounts_below "$R/etc")" 0
is "no work directory is left" "$(find "$R/var/lib/extensions.mutable" -name '.etc.*' | wc -l)" 0
finish
