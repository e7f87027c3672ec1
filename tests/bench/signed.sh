#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Measures extmerge with signed images, by device-mapper and by verified files, against systemd-sysext of Debian sid, in
# one user-mode-linux guest, on one root, in one run. Is no test. Needs what tests/vm/uml.bash and tests/sid.sh need.
#
#   make && TESTS_DIR=.../tests TESTS_BUILD_DIR=.../_build/tests EXTMERGE=.../extmerge \
#       tests/bench/signed.sh [IMAGES [ROUNDS]]
#
# Prints a table of medians in milliseconds: of the whole process, fork and dynamic linking included. The guest has one CPU, and
# its system calls cost some microseconds more than a machine's. No kernel there verifies signatures, so all do it
# themselves. systemd-sysext gets shared propagation and no udev to wait for.
# shellcheck disable=SC2154 # R, T, X: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/uml.bash"
export BENCH_IMAGES=${1-${BENCH_IMAGES-32}} BENCH_ROUNDS=${2-${BENCH_ROUNDS-5}}
[ -n "${BENCH_SID-}" ] || BENCH_SID=$("$TESTS_DIR/sid.sh") || give_up "$BENCH_SID"
export BENCH_SID
GUEST_SECONDS=1200
GUEST_EXPORTS="BENCH_IMAGES BENCH_ROUNDS BENCH_SID" in_guest mksquashfs veritysetup openssl sfdisk jq
. "$TESTS_DIR/vm/verity.bash"
begin shared
mkdir -p /run/systemd
trust_friend

run_tool() { # dm|fuse|systemd VERB
	case $1 in
	dm | fuse) "$EXTMERGE" --root="$R" --verity="$1" "$2" ;;
	systemd)
		"$BENCH_SID"/usr/lib64/ld-linux-x86-64.so.2 --library-path \
			"$BENCH_SID/usr/lib/x86_64-linux-gnu:$BENCH_SID/usr/lib/x86_64-linux-gnu/systemd" \
			"$BENCH_SID/usr/bin/systemd-sysext" --root="$R" "$2"
		;;
	esac
}

measure() { # TOOL WHAT VERB
	local start=${EPOCHREALTIME/./}
	run_tool "$1" "$3" >"$T/log" 2>&1 || echo "# $1 $3 fails: $(tail -n 1 "$T/log")"
	echo "$1 $2 $((${EPOCHREALTIME/./} - start))" >>"$T/times"
}

# How many images are seen, devices of dm-verity are there, and servers of verified files.
merged() {
	local devices=(/sys/block/dm-*)

	echo "$(find "$R/usr/bin" -name 'x??' | wc -l) ${#devices[@]} $(grep -lsa '^@extmerge-fuse' /proc/[0-9]*/cmdline | wc -l)"
}

median() { # TOOL WHAT
	awk -v t="$1" -v w="$2" '$1 == t && $2 == w { print $3 }' "$T/times" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

modprobe -a loop dm_verity squashfs fuse
for ((i = 1; i <= BENCH_IMAGES; i++)); do
	make_extension "$(printf 'x%02d' "$i")" 1
done
declare -A expected=([dm]="$BENCH_IMAGES $BENCH_IMAGES 0" [systemd]="$BENCH_IMAGES $BENCH_IMAGES 0"
	[fuse]="$BENCH_IMAGES 0 1")
for ((round = 0; round < BENCH_ROUNDS; round++)); do
	for tool in dm fuse systemd; do
		measure $tool merge merge
		[ "$(merged)" = "${expected[$tool]}" ] || echo "# $tool has merged other than it should: $(merged)"
		measure $tool unchanged refresh
		make_extension x01 $((round + 2))
		measure $tool changed refresh
		measure $tool unmerge unmerge
		sleep 0.5
	done
done
echo "# | $BENCH_IMAGES signed squashfs images, $BENCH_ROUNDS rounds | dm-verity | ratio | verified files | ratio | systemd-sysext |"
echo "# |---|---|---|---|---|---|"
for what in merge changed unchanged unmerge; do
	awk -v w="$what" -v d="$(median dm "$what")" -v f="$(median fuse "$what")" -v s="$(median systemd "$what")" \
		'BEGIN { printf "# | %s | %.1f | %.1f | %.1f | %.1f | %.1f |\n", w, d / 1000, s / d, f / 1000, s / f, s / 1000 }'
done
finish
