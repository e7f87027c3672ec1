#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# How fast the union of extmerge-fuse is beside the kernel's overlayfs and, where it is installed, fuse-overlayfs.
#
#   tests/bench/union.sh [ROUNDS [LAYERS...]]     (7, and 1 8 64)
#
# A base of 40,000 files in 4,000 directories below 16, 20,000 of them with 4 KiB, and a directory of 10,000 entries, below
# so many extension layers of 100 files, which lie in two of the 16, and of which the first has a file more in the large
# directory; beside them a layer with a file of 256 MiB, on a tmpfs with huge pages, as disks' file systems keep such
# files in large pieces. All is in memory (tmpfs).
# All unions are mounted at the same time, and each row is measured on one after the other, in turn, so that what else
# the machine does meets all of them. Prints a table: overlayfs' median in milliseconds, and the medians of the others'
# ratios to it in the same round. EXTMERGE_FUSE, TOUCH, FLOOR (make tests/bench/touch tests/bench/floor) and FUSE_OVERLAYFS are
# the programs; ROWS, a regular expression, leaves out what takes long. "floor" answers from nothing, by passthrough and
# cached: what no server of FUSE can be faster than. "native" is the base by itself: what the server reads has to be read there.
set -u
export LC_ALL=C
: "${EXTMERGE_FUSE:=$PWD/extmerge-fuse}" "${TOUCH:=$PWD/tests/bench/touch}" "${FLOOR:=$PWD/tests/bench/floor}" "${ROWS:=.}"
: "${FUSE_OVERLAYFS:=$(type -P fuse-overlayfs)}" "${MOUNT:=$(type -P mount)}"
for program in "$EXTMERGE_FUSE" "$TOUCH" "$FLOOR"; do
	[ -x "$program" ] || { echo "there is no $program" >&2; exit 1; }
done
if [ -z "${BENCH_INSIDE-}" ]; then
	T=$(mktemp -d /tmp/extmerge-bench.XXXXXX) || exit 1
	trap 'rmdir "$T"' EXIT
	export BENCH_INSIDE=1 T EXTMERGE_FUSE TOUCH FLOOR FUSE_OVERLAYFS MOUNT ROWS
	unshare -m --propagation private bash "$0" "$@"
	exit
fi
rounds=${1-7}
shift $(($# > 0))
[ $# -gt 0 ] || set -- 1 8 64
mount -t tmpfs bench "$T" -o mode=755 && cd "$T" || exit 1
unions=(overlayfs passthrough cached grafts floor floor-cached native)
[ -z "$FUSE_OVERLAYFS" ] || unions+=(fuse-overlayfs)
# Column after column of the table below; what the issue asks for.
declare -A aim=(
	[start]="1.0" [walk-first]="1.2, grafts 0.7" [walk-again]="0.75" [stat-again]="0.75" [small-first]="3, grafts 1.0"
	[small-again]="2.7, cached 0.8" [read-first]="1.1" [read-again]="1.1" [random-first]="1.1" [map-first]="0.4"
	[miss-again]="1.0" [list-first]="1.0" [list-again]="0.15"
)

mkdir base data m times
mount -t tmpfs bench data -o mode=755,huge=always || exit 1
mkdir "${unions[@]/#/m/}"
head -c 4096 /dev/urandom >page
for ((i = 0; i < 4000; i++)); do
	mkdir -p "base/d$((i % 16))/e$i"
	for j in 0 1 2 3 4; do
		cat page >"base/d$((i % 16))/e$i/f$j"
		: >"base/d$((i % 16))/e$i/g$j"
	done
done
mkdir base/big && (cd base/big && seq -f entry-%.0f 10000 | xargs touch)
dd if=/dev/urandom of=data/data bs=4M count=64 iflag=fullblock status=none
(cd base && find . -name 'f*' -printf '%P\n') >small
(cd base && find . -printf '%P\n' | grep .) >all

# Sets `command`, which mounts that union; paths are below layers/.
command_of() { # UNION
	local ours=("$EXTMERGE_FUSE" "../m/$1" -o)

	case $1 in
	overlayfs) command=("$MOUNT" -t overlay none ../m/overlayfs -o "ro,lowerdir=$list:../base:../data") ;;
	passthrough | cached) command=("${ours[@]}" "lowerdir=$list:../base:../data,io=$1") ;;
	grafts) command=("${ours[@]}" "lowerdir=$list:../base:../data,grafts=16") ;;
	floor) command=("$FLOOR" ../page "../m/$1") ;;
	floor-cached) command=("$FLOOR" - "../m/$1") ;;
	native) command=("$MOUNT" --bind ../base "../m/$1") ;;
	fuse-overlayfs) command=("$FUSE_OVERLAYFS" -o "lowerdir=$list:../base:../data" "../m/$1") ;;
	esac
}

mount_all() {
	for name in "${unions[@]}"; do
		umount -q -R "m/$name"
		command_of "$name"
		(cd layers && "${command[@]}") || exit 1
	done
}

# Times of one row, each union in turn, beginning with another one in each round.
row() { # TEST FILE ARGUMENT...
	local test=$1 file=$2 i name
	shift 2
	[[ $test =~ $ROWS ]] || return
	for ((i = 0; i < ${#unions[@]}; i++)); do
		name=${unions[(i + round) % ${#unions[@]}]}
		[[ ! $name =~ ^(floor|native) || $file != data ]] || continue
		"$TOUCH" "$1" "m/$name/$file" "${@:2}" <"${input:-/dev/null}" >>"times/$name.$test"
	done
}

# The best of five, as mounting has to wait for what other mounts are doing.
start_row() {
	local name i try best

	[[ start =~ $ROWS ]] || return
	for ((i = 0; i < ${#unions[@]}; i++)); do
		name=${unions[(i + round) % ${#unions[@]}]}
		command_of "$name"
		best=
		for try in 1 2 3 4 5; do
			umount -q -R "m/$name"
			try=$(cd layers && "$TOUCH" start "../m/$name/d2/e2/f0" "${command[@]}")
			best=$(printf '%s\n' ${best:+"$best"} "$try" | sort -n | head -n 1)
		done
		echo "$best" >>"times/$name.start"
	done
}

# Pages that are read for the second time go to another list of the kernel's, once; those of the base are there.
warm_up() {
	local name

	[[ small-again =~ $ROWS ]] || return
	for name in "${unions[@]}"; do
		"$TOUCH" small "m/$name" <small >/dev/null
	done
}

measure() {
	for name in "${unions[@]}"; do
		umount -q -R "m/$name"
	done
	start_row
	mount_all
	row walk-first . walk
	row walk-again . walk
	input=all row stat-again . stat
	for name in passthrough cached grafts; do
		awk '/^VmRSS/ { print $2 / 1024 }' "/proc/$(pgrep -nf "^@extmerge-fuse union .* -- ../m/$name\$")/status" >>"times/$name.memory"
	done
	mount_all
	input=small row small-first . small
	warm_up
	input=small row small-again . small
	mount_all
	row read-first data read
	row read-again data read
	mount_all
	row random-first data random
	mount_all
	row map-first data map
	row miss-first d1 miss
	row miss-again d1 miss
	row list-first big list 1
	row list-again big list 10
}

median() { # NUMBERS on stdin
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

ratio() { # UNION TEST
	[ -e "times/$1.$2" ] || { printf ' |'; return; }
	printf ' %.2f |' "$(paste "times/$1.$2" "times/overlayfs.$2" | awk '{ print $1 / $2 }' | median)"
}

for layers; do
	for name in "${unions[@]}"; do
		umount -q -R "m/$name"
	done
	rm -rf layers times/*
	mkdir layers
	list=
	for ((i = 0; i < layers; i++)); do
		for ((j = 0; j < 100; j++)); do
			echo "layers/$i/d$((j % 2))/e$((j * 16 + j % 2))"
		done
		list+=${list:+:}$i
	done >directories
	mkdir -p layers/0/big
	: >layers/0/big/x
	xargs mkdir -p <directories
	sed 's|$|/x|' directories | xargs touch
	find base data -type f -exec cat {} + >/dev/null
	aim[miss-first]=$((layers < 64 ? 60 : 15))
	aim[miss-first]=0.${aim[miss-first]%0}
	[ "$layers" -gt 1 ] || aim[miss-first]=
	for ((round = 0; round < rounds; round++)); do
		measure
	done
	echo
	echo "### $layers extension layers"
	echo
	printf '| test | overlayfs, ms |'
	printf ' %s |' "${unions[@]:1}" "asked for"
	printf '\n|---|---|---|'
	printf '%s---|' "${unions[@]:1}" | tr -cd '|-'
	echo
	for test in start walk-first walk-again stat-again small-first small-again read-first read-again random-first map-first \
		miss-first miss-again list-first list-again; do
		[[ $test =~ $ROWS ]] || continue
		printf '| %s | %.4g |' "$test" "$(median <"times/overlayfs.$test")"
		for name in "${unions[@]:1}"; do
			ratio "$name" "$test"
		done
		echo " ${aim[$test]-} |"
	done
	printf '| memory after the walk, MiB | |'
	printf ' %.1f |' "$(median <times/passthrough.memory)" "$(median <times/cached.memory)" "$(median <times/grafts.memory)"
	printf '%0.s |' "${unions[@]:4}"
	echo " 8 |"
done
for name in "${unions[@]}"; do
	umount -q -R "m/$name"
done
