#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# How fast the union of extmerge-fuse is beside the kernel's overlayfs and, where it is installed, fuse-overlayfs.
#
#   tests/bench/union.sh [ROUNDS [LAYERS...]]     (5, and 1 8 64)
#
# A base of 40,000 files in 4,000 directories, 20,000 of them with 4 KiB, a directory of 10,000 entries and a file of 256
# MiB, below so many extension layers with 100 files each; all on a tmpfs, so that the lower side is always in memory.
# Each round mounts all of them anew, one after the other. Prints a table of medians: milliseconds of overlayfs, and the
# others' ratio to it. EXTMERGE_FUSE, TOUCH (make tests/bench/touch) and FUSE_OVERLAYFS are the programs.
set -u
export LC_ALL=C
: "${EXTMERGE_FUSE:=$PWD/extmerge-fuse}" "${TOUCH:=$PWD/tests/bench/touch}"
: "${FUSE_OVERLAYFS:=$(type -P fuse-overlayfs)}"
for program in "$EXTMERGE_FUSE" "$TOUCH"; do
	[ -x "$program" ] || { echo "there is no $program" >&2; exit 1; }
done
if [ -z "${BENCH_INSIDE-}" ]; then
	T=$(mktemp -d /tmp/extmerge-bench.XXXXXX) || exit 1
	trap 'rmdir "$T"' EXIT
	export BENCH_INSIDE=1 T EXTMERGE_FUSE TOUCH FUSE_OVERLAYFS
	unshare -m --propagation private bash "$0" "$@"
	exit
fi
rounds=${1-5}
shift $(($# > 0))
[ $# -gt 0 ] || set -- 1 8 64
mount -t tmpfs bench "$T" && cd "$T" || exit 1
unions=(overlayfs extmerge)
[ -z "$FUSE_OVERLAYFS" ] || unions+=(fuse-overlayfs)

mkdir base m times
head -c 4096 /dev/urandom >page
for ((i = 0; i < 4000; i++)); do
	mkdir -p "base/d$((i % 40))/e$i"
	for j in 0 1 2 3 4; do
		cat page >"base/d$((i % 40))/e$i/f$j"
		: >"base/d$((i % 40))/e$i/g$j"
	done
done
mkdir base/big && (cd base/big && seq -f entry-%.0f 10000 | xargs touch)
head -c 256M /dev/urandom >base/data
(cd base && find . -name 'f*' -printf '%P\n') >small
(cd base && find . -printf '%P\n' | grep .) >all

mount_one() { # UNION
	case $1 in
	overlayfs) (cd layers && mount -t overlay none ../m -o "ro,lowerdir=$list:../base") ;;
	extmerge) (cd layers && "$EXTMERGE_FUSE" ../m -o "lowerdir=$list:../base") ;;
	fuse-overlayfs) (cd layers && "$FUSE_OVERLAYFS" -o "lowerdir=$list:../base" ../m) ;;
	esac
}

note() { # UNION TEST COMMAND...
	local name=$1 test=$2
	shift 2
	"$@" >>"times/$name.$test"
}

fresh() {
	umount m
	mount_one "$1" || exit 1
}

measure() { # UNION
	local begin=${EPOCHREALTIME/./}

	mount_one "$1" && stat m/data >/dev/null || exit 1
	echo "$(((${EPOCHREALTIME/./} - begin) / 100))" | sed 's/.$/.&/' >>"times/$1.start"
	note "$1" walk-first "$TOUCH" walk m
	note "$1" walk-again "$TOUCH" walk m
	note "$1" stat-again "$TOUCH" stat m <all
	[ "$1" != extmerge ] || awk '/^VmRSS/ { print $2 / 1024 }' \
		"/proc/$(pgrep -nf '^@extmerge-fuse union .* -- ../m$')/status" >>times/memory
	fresh "$1"
	note "$1" small-first "$TOUCH" small m <small
	note "$1" small-again "$TOUCH" small m <small
	note "$1" read-first "$TOUCH" read m/data
	note "$1" read-again "$TOUCH" read m/data
	fresh "$1"
	note "$1" random-first "$TOUCH" random m/data
	fresh "$1"
	note "$1" map-first "$TOUCH" map m/data
	note "$1" miss-first "$TOUCH" miss m/d1
	note "$1" miss-again "$TOUCH" miss m/d1
	note "$1" list-first "$TOUCH" list m/big 1
	note "$1" list-again "$TOUCH" list m/big 10
	umount m
}

median() {
	sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

for layers; do
	rm -rf layers times/*
	mkdir layers
	list=
	for ((i = 0; i < layers; i++)); do
		for ((j = 0; j < 100; j++)); do
			mkdir -p "layers/$i/d$((j % 40))/e$((j * 40 + j % 40))" && : >"layers/$i/d$((j % 40))/e$((j * 40 + j % 40))/x$i"
		done
		list+=${list:+:}$i
	done
	for ((round = 0; round < rounds; round++)); do
		for name in "${unions[@]}"; do
			measure "$name"
		done
	done
	echo
	echo "### $layers extension layers; memory of the server after the walk: $(median times/memory) MiB"
	echo
	echo "| test | ${unions[*]} |" | sed 's/ \([ef]\)/ | \1/g; s/overlayfs |/overlayfs, ms |/'
	echo "|---|${unions[*]/*/---|}" | tr -d ' '
	for test in start walk-first walk-again stat-again small-first small-again read-first read-again random-first map-first \
		miss-first miss-again list-first list-again; do
		printf '| %s |' "$test"
		base=$(median "times/overlayfs.$test")
		printf ' %.4g |' "$base"
		for name in "${unions[@]:1}"; do
			awk -v a="$(median "times/$name.$test")" -v b="$base" 'BEGIN { printf " %.2f |", a / b }'
		done
		echo
	done
done
