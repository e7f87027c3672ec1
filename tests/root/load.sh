#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Updates under load: readers open files that do not change, while another extension does, again and again.
. "${TESTS_DIR:?}/lib.sh"
begin
readers=${TESTS_BUILD_DIR:?}/readers
ROUNDS=${ROUNDS-300} # of refreshes, at least

make_tree "$T/erofs" unchanged
make_image erofs "$T/erofs" "$X/unchanged.raw"
# Four versions of one extension wait under hidden names, which are no extensions.
for v in 1 2 3 4; do
	make_tree "$T/tree$v" changing $v
done
cp -a "$T/tree1" "$X/.1"
cp -a "$T/tree2" "$X/.2"
make_image squashfs "$T/tree3" "$X/.3"
make_image squashfs "$T/tree4" "$X/.4"

# Puts the next version in the place of the last one.
change() { # ROUND
	local next=$(($1 % 4 + 1)) suffix=''

	[ ! -e "$X/changing" ] || mv -T "$X/changing" "$X/.$version"
	[ ! -e "$X/changing.raw" ] || mv -T "$X/changing.raw" "$X/.$version"
	[ $next -lt 3 ] || suffix=.raw
	mv -T "$X/.$next" "$X/changing$suffix"
	version=$next
}

# The kernel clears a loop device some time after its last user has gone.
loops_left() {
	await loops_are "$T" 0
	loops_below "$T"
}

# Runs extmerge's verbs, each time with another version, while four readers run: $opens, $missed, and in $wrong
# what else went wrong.
load() { # ROUNDS VERBS [COMMAND-FOR-READERS...]
	local rounds=$1 verbs=$2 i verb pid seen o m
	shift 2

	"$@" "$readers" 4 "$R/usr/bin/unchanged" "$R/usr/bin/host-tool" >"$T/counts" &
	pid=$!
	await runs $pid readers
	for ((i = 0; i < rounds; i++)); do
		change "$i"
		for verb in $verbs; do
			em -q "$verb" || wrong+="round $i: exit status $rc: $err "
		done
		read -r seen <"$R/usr/bin/changing"
		[ "$seen" = "$version" ] || wrong+="round $i shows $seen, not $version "
	done
	reader_mounts=$(awk -v p="$R/usr" '$5 == p' "/proc/$pid/mountinfo" | wc -l)
	kill "$pid"
	wait "$pid"
	read -r o m <"$T/counts"
	opens=$((opens + o)) missed=$((missed + m))
}

load_test() { # NAME LEAST-OPENS ROUNDS [COMMAND-FOR-READERS...]
	local name=$1 least=$2 rounds=$3 tries=0
	shift 3

	opens=0 missed=0 wrong=
	em -q refresh
	while [ "$opens" -lt "$least" ] && [ $((tries += 1)) -le 10 ]; do # a slow machine needs more rounds
		load "$rounds" refresh "$@"
	done
	ok "$name: $opens opens during $((tries * rounds)) refreshes" [ "$opens" -ge "$least" ]
	is "$name: none of them missing" "$missed" 0
	is "$name: every refresh showed the new version" "$wrong" ""
	is "$name: one mount in the readers' namespace, one here" \
		"$reader_mounts $(mounts_below "$R/usr")" "1 1"
	em -q unmerge
	is "$name: nothing is left" "$(mounts_below "$R") $(loops_left)" "0 0"
}

version=0
change 0
load_test private 1000000 "$ROUNDS"
mount --make-rshared "$T"
load_test shared 1000000 "$ROUNDS"
load_test "shared, readers in a slave namespace" 1000000 "$ROUNDS" unshare -m --propagation slave

# A slave needs a master: a namespace that keeps the tmpfs shared, when it is no longer so here.
unshare -m --propagation unchanged sleep 1000 &
master=$!
await runs $master sleep
mount --make-rslave "$T"
like "the tmpfs is a slave" "$(awk -v p="$T" '$5 == p' /proc/self/mountinfo)" 'master:'
load_test slave 100000 100
kill $master

# The same readers do see it where there is a gap.
opens=0 missed=0 wrong=
em -q refresh
load 20 "unmerge merge"
ok "unmerge and merge instead: the readers see the gap ($missed of $opens missing)" \
	[ "$missed" -gt 0 ]
em -q unmerge
finish
