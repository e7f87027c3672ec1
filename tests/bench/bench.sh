#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Measures extmerge against systemd-sysext and against the bare system calls. Needs root; is no test.
#
#   tests/bench/bench.sh [--rounds N] [--sizes "1 8 32 64"] [--kinds LIST] [--files N] [--append]
#                        [--no-peers] [--sid] [--into DIRECTORY]
#
#   --rounds N        rounds of every measurement (9); what is written down is the median
#   --sizes LIST      how many images; directories are measured at the same sizes
#   --kinds LIST      of directory, erofs, squashfs (all)
#   --files N         how many files an extension has (10; in 6 directories). extmerge looks at each, in
#                     directories also to notice a change; systemd-sysext at none. So the result
#                     depends on it, for directories most of all: measure more than one number
#   --append          adds to the results that are there: another run, with its own head
#   --no-peers        only extmerge and the bare calls
#   --sid             also systemd-sysext of Debian sid, from a chroot that mmdebstrap makes once in
#                     ${XDG_CACHE_HOME:-~/.cache}/extmerge-bench (150 MB); it runs on this kernel
#   --into DIRECTORY  where RESULTS.md and results.csv go (the directory of this script)
#
# EXTMERGE is the program to measure (extmerge beside the working directory).
#
# All run in one mount namespace of their own, on one root on a disk below /var/tmp, one after the
# other within each round, so that what disturbs the machine disturbs all of them. Time is that of
# the whole process, fork and dynamic linking included. systemd-sysext wants shared propagation, and
# gets it. Four things are measured:
#
#   merge      onto the bare root
#   changed    refresh after one extension of the set was replaced by another version
#   unchanged  refresh with nothing new (systemd-sysext 252 has no such thing, it merges all again)
#   bare       tests/bench/bare.c --look: the system calls that a merge of this set cannot do without: each
#              layer is mounted, its release file is read, and every entry of it is looked at once
#   mounts     tests/bench/bare.c: of these only the mounting
set -u
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
rounds=9 sizes="1 8 32 64" files=10 kinds="directory erofs squashfs" append=no peers=yes sid=no into=$here
: "${EXTMERGE:=$PWD/extmerge}"
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=$2; shift ;;
	--sizes) sizes=$2; shift ;;
	--files) files=$2; shift ;;
	--kinds) kinds=$2; shift ;;
	--append) append=yes ;;
	--no-peers) peers=no ;;
	--sid) sid=yes ;;
	--into) into=$2; shift ;;
	*) sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 2 ;;
	esac
	shift
done
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/extmerge-bench
sid_root=$cache/sid

# Outside of the namespace: what is made once.
if [ -z "${BENCH_INSIDE-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "bench.sh needs root" >&2; exit 1; }
	[ -x "$EXTMERGE" ] || { echo "there is no $EXTMERGE; set EXTMERGE" >&2; exit 1; }
	if [ "$sid" = yes ] && [ ! -e "$sid_root/usr/bin/systemd-sysext" ]; then
		mkdir -p "$cache"
		mmdebstrap --quiet --variant=minbase --include=systemd,systemd-container \
			--aptopt='Acquire::Check-Valid-Until "false"' sid "$sid_root" >&2 ||
			{ echo "no chroot of sid: going on without" >&2; rm -rf --one-file-system "$sid_root"; sid=no; }
	fi
	DISK=$(mktemp -d /var/tmp/extmerge-bench.XXXXXX) || exit 1
	trap 'rm -rf --one-file-system "$DISK"' EXIT
	trap 'exit 130' INT TERM HUP
	${CC:-cc} -O2 -o "$DISK/bare" "$here/bare.c" || exit 1
	export DISK EXTMERGE BENCH_INSIDE=1
	options=(--rounds "$rounds" --sizes "$sizes" --files "$files" --kinds "$kinds" --into "$into")
	[ "$append" = no ] || options+=(--append)
	[ "$peers" = yes ] || options+=(--no-peers)
	[ "$sid" = no ] || options+=(--sid)
	unshare -m --propagation private "${BASH:-bash}" "$0" "${options[@]}"
	exit
fi

mount -t tmpfs bench /run && mkdir /run/systemd
mount --make-rshared /
R=$DISK/root X=$DISK/root/var/lib/extensions
mkdir -p "$R"/{usr/bin,usr/lib,etc,opt,run,tmp} "$X"
printf 'ID=debian\nVERSION_ID=12\n' >"$R/usr/lib/os-release"
ln -s ../usr/lib/os-release "$R/etc/os-release"
echo host >"$R/usr/bin/host"

csv=$DISK/results.csv
echo "kind,files,size,tool,what,round,microseconds" >"$csv"

sysext() { # TOOL VERB
	case $1 in
	extmerge) "$EXTMERGE" --root="$R" "$2" ;;
	machine) systemd-sysext --root="$R" "$2" ;;
	# It does not see a changed directory unless told to look.
	sid)
		"$sid_root"/usr/lib64/ld-linux-x86-64.so.2 --library-path \
			"$sid_root/usr/lib/x86_64-linux-gnu:$sid_root/usr/lib/x86_64-linux-gnu/systemd" \
			"$sid_root/usr/bin/systemd-sysext" --root="$R" \
			${always:+--always-refresh=yes} "$2"
		;;
	esac
}

# Runs the command and writes down how long it took; a run that fails is no result.
measure() { # TOOL WHAT COMMAND...
	local tool=$1 what=$2 start end
	shift 2
	start=${EPOCHREALTIME/./}
	if ! "$@" >"$DISK/log" 2>&1; then
		echo "$kind $size $tool $what: failed: $(tail -n 1 "$DISK/log")" >&2
		return 1
	fi
	end=${EPOCHREALTIME/./}
	echo "$kind,$files,$size,$tool,$what,$round,$((end - start))" >>"$csv"
}

# One extension: the release file, a program, and the rest in two directories of its own.
make_tree() { # DIRECTORY NAME VERSION
	local directory file
	mkdir -p "$1/usr/lib/extension-release.d" "$1/usr/bin"
	printf 'ID=debian\nVERSION_ID=12\n' >"$1/usr/lib/extension-release.d/extension-release.$2"
	echo "$3" >"$1/usr/bin/$2"
	for directory in lib/$2 share/$2; do
		mkdir -p "$1/usr/$directory"
		for ((file = 2; file < files; file += 2)); do
			echo "$2 $3 $file" >"$1/usr/$directory/$file"
		done
	done
}

# The set of this kind and size, and the two versions of the one that changes.
make_set() {
	local i name version tree
	rm -rf "$X" "$DISK"/{v1,v2}*
	mkdir -p "$X"
	extensions=()
	for ((i = 1; i <= size; i++)); do
		name=$(printf 'x%02d' "$i")
		for version in 1 2; do
			[ "$version" = 1 ] || [ "$i" = 1 ] || continue
			tree=$DISK/v$version.$name
			make_tree "$tree" "$name" "$version"
			case $kind in
			squashfs) mksquashfs "$tree" "$tree.raw" -quiet -no-progress -noappend >/dev/null ;;
			erofs) mkfs.erofs "$tree.raw" "$tree" >/dev/null 2>&1 ;;
			esac
		done
		if [ "$kind" = directory ]; then
			cp -a "$DISK/v1.$name" "$X/$name"
			extensions+=("$X/$name")
		else
			cp "$DISK/v1.$name.raw" "$X/$name.raw"
			extensions+=("$X/$name.raw")
		fi
	done
}

change() { # VERSION
	if [ "$kind" = directory ]; then
		rm -rf "$X/x01"
		cp -a "$DISK/v$1.x01" "$X/x01"
	else
		cp "$DISK/v$1.x01.raw" "$X/new"
		mv "$X/new" "$X/x01.raw"
	fi
}

one_round() {
	local tool always=
	for tool in "${tools[@]}"; do
		change 1
		measure "$tool" merge sysext "$tool" merge || continue
		[ "$(cat "$R/usr/bin/x01")" = 1 ] || echo "$kind $size $tool: the merge is not there" >&2
		change 2
		[ "$kind" != directory ] || always=yes
		measure "$tool" changed sysext "$tool" refresh
		always=
		[ "$(cat "$R/usr/bin/x01")" = 2 ] || echo "$kind $size $tool: the change is not there" >&2
		measure "$tool" unchanged sysext "$tool" refresh
		sysext "$tool" unmerge >"$DISK/log" 2>&1
	done
	measure bare merge "$DISK/bare" --look "$R/usr" "${extensions[@]}" && umount "$R/usr"
	measure mounts merge "$DISK/bare" "$R/usr" "${extensions[@]}" && umount "$R/usr"
	measure nothing start /bin/true
}

tools=(extmerge)
[ "$peers" = no ] || ! command -v systemd-sysext >/dev/null || tools+=(machine)
[ "$peers" = no ] || [ "$sid" = no ] || tools+=(sid)
load_before=$(cut -d' ' -f1 /proc/loadavg)
for kind in $kinds; do
	for size in $sizes; do
		make_set
		for ((round = 0; round <= rounds; round++)); do
			one_round
		done
		echo "measured: $kind $size" >&2
	done
done

median() { # KIND SIZE TOOL WHAT: in milliseconds, round 0 left out
	awk -F, -v k="$1" -v s="$2" -v t="$3" -v w="$4" \
		'($1 == k || k == "") && ($3 == s || s == "") && $4 == t && $5 == w && $6 > 0 { print $7 }' "$csv" |
		sort -n | awk '{ v[NR] = $1 }
			END { if (NR) printf "%.1f", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2000 }'
}

version_of() { # TOOL
	local always=
	sysext "$1" --version 2>/dev/null | head -n 1 | grep -o '[0-9][0-9.]*' | head -n 1
}

ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", a / b }'
}

peer_times() { # PEER: the three cells of a row, each with how much longer it takes than extmerge
	local what ours theirs
	for what in merge changed unchanged; do
		ours=$(median "$kind" "$size" extmerge "$what") theirs=$(median "$kind" "$size" "$1" "$what")
		awk -v o="$ours" -v t="$theirs" 'BEGIN {
			if (t == "") printf " – |"; else printf " %.1f (%.*f×) |", t, t / o < 10, t / o }'
	done
}

report() {
	local peer ours bare mounts

	echo
	echo "## Extensions of $files files ($kinds)"
	echo
	echo "Written by \`tests/bench/bench.sh\` on $(date -u +%Y-%m-%d), Linux $(uname -r | grep -oE '^[0-9]+\.[0-9]+')," \
		"$(uname -m), $(nproc) cores, $(findmnt -no FSTYPE -T "$DISK"): medians of $rounds rounds, in milliseconds."
	echo "Each extension has $files files in 6 directories. What is measured, and how, is said at the head of that script; every single time is in results.csv."
	echo "The load average was $load_before before and $(cut -d' ' -f1 /proc/loadavg) after: with more than the"
	echo "cores in it the times are those of a busy machine, and small ratios are not to be trusted."
	echo "A process that does nothing takes $(median "" "" nothing start) ms here, which is in all numbers."
	echo
	echo "### extmerge $(version_of extmerge) and the system calls that a merge cannot do without"
	echo
	echo "| what | n | merge | bare calls | ratio | only mounting | ratio | changed refresh | unchanged refresh |"
	echo "|---|---|---|---|---|---|---|---|---|"
	for kind in $kinds; do
		for size in $sizes; do
			ours=$(median "$kind" "$size" extmerge merge) bare=$(median "$kind" "$size" bare merge)
			mounts=$(median "$kind" "$size" mounts merge)
			echo "| $kind | $size | $ours | $bare | $(ratio "$ours" "$bare") | $mounts | $(ratio "$ours" "$mounts")" \
				"| $(median "$kind" "$size" extmerge changed) | $(median "$kind" "$size" extmerge unchanged) |"
		done
	done
	for peer in "${tools[@]:1}"; do
		echo
		echo "### systemd-sysext $(version_of "$peer"), and how many times longer it takes"
		echo
		echo "| what | n | merge | changed refresh | unchanged refresh |"
		echo "|---|---|---|---|---|"
		for kind in $kinds; do
			for size in $sizes; do
				echo "| $kind | $size |$(peer_times "$peer")"
			done
		done
	done
}

if [ "$append" = no ]; then
	echo "# extmerge, systemd-sysext and the bare system calls" >"$into/RESULTS.md"
	head -n 1 "$csv" >"$into/results.csv"
fi
report | tee -a "$into/RESULTS.md"
tail -n +2 "$csv" >>"$into/results.csv"
