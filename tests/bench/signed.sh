#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Measures extmerge against systemd-sysext of Debian sid, with signed images under dm-verity, in one user-mode-linux guest
# and on one root. Is no test. Needs what tests/vm/uml.bash needs, and the chroot that bench.sh --sid makes.
#
#   make tests/vm/activate && TESTS_DIR=.../tests TESTS_BUILD_DIR=.../_build/tests EXTMERGE=.../extmerge \
#       tests/bench/dm-verity.sh [IMAGES [ROUNDS]]
#
# Prints a table of medians in milliseconds: of the whole process, fork and dynamic linking included. The guest has one CPU, and
# its system calls cost some microseconds more than a machine's. No kernel there verifies signatures, so both do it
# themselves. systemd-sysext gets shared propagation and no udev to wait for.
# shellcheck disable=SC2154 # R, T, X: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/uml.bash"
export BENCH_IMAGES=${1-${BENCH_IMAGES-32}} BENCH_ROUNDS=${2-${BENCH_ROUNDS-5}}
sid=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/extmerge-bench/sid
export BENCH_SID=${BENCH_SID-$sid}
[ -e "$BENCH_SID/usr/bin/systemd-sysext" ] || give_up "there is no $BENCH_SID: run bench.sh --sid once"
GUEST_SECONDS=1200
GUEST_EXPORTS="BENCH_IMAGES BENCH_ROUNDS BENCH_SID" in_guest mksquashfs veritysetup openssl sfdisk jq
. "$TESTS_DIR/vm/verity.bash"
begin shared
mkdir -p /run/systemd
trust_friend

tool() { # extmerge|systemd VERB
	case $1 in
	extmerge) "$EXTMERGE" --root="$R" "$2" ;;
	systemd)
		"$BENCH_SID"/usr/lib64/ld-linux-x86-64.so.2 --library-path \
			"$BENCH_SID/usr/lib/x86_64-linux-gnu:$BENCH_SID/usr/lib/x86_64-linux-gnu/systemd" \
			"$BENCH_SID/usr/bin/systemd-sysext" --root="$R" "$2"
		;;
	esac
}

measure() { # TOOL WHAT VERB
	local start=${EPOCHREALTIME/./}
	tool "$1" "$3" >"$T/log" 2>&1 || echo "# $1 $3 fails: $(tail -n 1 "$T/log")"
	echo "$1 $2 $((${EPOCHREALTIME/./} - start))" >>"$T/times"
}

median() { # TOOL WHAT
	awk -v t="$1" -v w="$2" '$1 == t && $2 == w { print $3 }' "$T/times" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

modprobe -a loop dm_verity squashfs
for ((i = 1; i <= BENCH_IMAGES; i++)); do
	make_extension "$(printf 'x%02d' "$i")" 1
done
for ((round = 0; round < BENCH_ROUNDS; round++)); do
	for t in extmerge systemd; do
		measure $t merge merge
		[ "$(find "$R/usr/bin" -name 'x??' | wc -l) $(find /sys/block -name 'dm-*' | wc -l)" = "$BENCH_IMAGES $BENCH_IMAGES" ] ||
			echo "# $t has not merged them all by dm-verity"
		measure $t unchanged refresh
		make_extension x01 $((round + 2))
		measure $t changed refresh
		measure $t unmerge unmerge
		sleep 0.5
	done
done
echo "# | $BENCH_IMAGES signed squashfs images, $BENCH_ROUNDS rounds | extmerge | systemd-sysext | ratio |"
echo "# |---|---|---|---|"
for what in merge changed unchanged unmerge; do
	awk -v w="$what" -v a="$(median extmerge "$what")" -v b="$(median systemd "$what")" \
		'BEGIN { printf "# | %s | %.1f | %.1f | %.0f |\n", w, a / 1000, b / 1000, b / a }'
done
finish
