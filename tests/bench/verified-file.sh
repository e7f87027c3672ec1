#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Measures the verified file against the same image on a plain loop device. Needs root; is no test.
#
#   tests/bench/verified-file.sh [--rounds N] [--size MIB] [--into FILE] [--threads N]
#
#   --rounds N   rounds of every measurement (7); what is written down are medians
#   --size MIB   of the file in the image (512)
#   --into FILE  where the table goes (VERIFIED-FILE.md beside this script)
#
# BUILD is the build directory (the working directory), with extmerge-fuse, tests/attach and tests/bench/reads made.
#
# Everything is done to a plain loop device, to the verified file, and to a loop device on the verified file, one right
# after the other, with a new device and a new server each time; ratios are the medians of the rounds' ratios. "cold" is after the image has been dropped from the page cache, "first"
# with the image in it but nothing read through the device or the file yet, "warm" once more after that.
set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
rounds=7 size=512 into=$here/VERIFIED-FILE.md threads=0
: "${BUILD:=$PWD}"
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=$2; shift ;;
	--size) size=$2; shift ;;
	--into) into=$2; shift ;;
	--threads) threads=$2; shift ;;
	*) sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 2 ;;
	esac
	shift
done
if [ -z "${BENCH_INSIDE-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "verified-file.sh needs root" >&2; exit 1; }
	for program in extmerge-fuse tests/attach tests/bench/reads; do
		[ -x "$BUILD/$program" ] || { echo "there is no $BUILD/$program" >&2; exit 1; }
	done
	W=$(mktemp -d /var/tmp/extmerge-bench.XXXXXX) || exit 1
	export W BUILD BENCH_INSIDE=1
	trap 'rm -rf --one-file-system "$W"' EXIT
	unshare -m --propagation private bash "$0" --rounds "$rounds" --size "$size" --into "$into" --threads "$threads"
	exit
fi

mkdir "$W/content" "$W/m"
head -c "${size}M" /dev/urandom >"$W/content/file"
mkfs.erofs "$W/data" "$W/content" >/dev/null || exit 1
rm -r "$W/content"
veritysetup format --root-hash-file="$W/hash" "$W/data" "$W/tree" >/dev/null || exit 1
hash=$(cat "$W/hash")
sync
load_before=$(cut -d' ' -f1 /proc/loadavg)

# The three sides; what follows is the command.
plain() { # [OPTION...] -- COMMAND...
	attach --plain --loop "$@"
}
verified() {
	attach --threads="$threads" "$@"
}
both() {
	attach --threads="$threads" --loop "$@"
}
attach() {
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	"$BUILD/tests/attach" --server="$BUILD/extmerge-fuse" "${options[@]}" "$W/data" "$W/tree" "$hash" "$@"
}

# All sides of one thing; "WHAT SIDE FIRST WARM" for each.
sides() { # WHAT OPTIONS COMMAND...
	local what=$1 extra=$2 side
	shift 2
	for side in plain verified both; do
		# shellcheck disable=SC2086 # several options, or none
		echo "$what $side $($side $extra -- "$@" | paste -sd' ')"
		umount "$W/m" 2>/dev/null
	done
}

measure() {
	local round way reads=$BUILD/tests/bench/reads
	for ((round = 0; round < rounds; round++)); do
		sides "mount" "--time --mount=erofs:$W/m" echo 0
		for way in sequential random mapped; do
			cat "$W/data" "$W/tree" >/dev/null
			sides "device:first:$way" "" "$reads" $way /proc/self/fd/9
			sides "device:cold:$way" "" "$reads" $way /proc/self/fd/9 "$W/data" "$W/tree"
			cat "$W/data" "$W/tree" >/dev/null
			sides "erofs:first:$way" "--mount=erofs:$W/m" "$reads" $way "$W/m/file"
			sides "erofs:cold:$way" "--mount=erofs:$W/m" "$reads" $way "$W/m/file" "$W/data" "$W/tree"
		done
	done
}

# Medians in milliseconds, and of the ratios of pairs; the warm time of a first read is a row of its own.
table() {
	awk '
	function median(a, n,   i, j, t) {
		for (i = 2; i <= n; i++)
			for (j = i; j > 1 && a[j] < a[j - 1]; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
		return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
	}
	function add(what, side, us) {
		if (!(what in seen)) { seen[what] = 1; order[++rows] = what }
		times[what, side, ++n[what, side]] = us
	}
	{
		add($1, $2, $3)
		split($1, part, ":")
		if (part[2] == "first") add(part[1] ":warm:" part[3], $2, $4)
	}
	END {
		for (r = 1; r <= rows; r++) {
			what = order[r]; k = n[what, "plain"]
			for (i = 1; i <= k; i++) {
				p[i] = times[what, "plain", i]; v[i] = times[what, "verified", i]; b[i] = times[what, "both", i]
				vp[i] = v[i] / p[i]; bp[i] = b[i] / p[i]
			}
			split(what, part, ":")
			printf "| %s | %s | %s | %.1f | %.1f | %.2f | %.1f | %.2f |\n", part[1], part[3], part[2],
				median(p, k) / 1000, median(v, k) / 1000, median(vp, k), median(b, k) / 1000, median(bp, k)
		}
	}' | LC_ALL=C sort -s -t'|' -k2,3
}

measured=$(measure)
{
	echo "# The verified file and a plain loop device"
	echo
	echo "Written by \`tests/bench/verified-file.sh\` on $(date +%F), Linux $(uname -r | cut -d. -f1,2), $(uname -m), $(nproc) cores, image"
	echo "on $(findmnt -n -o FSTYPE -T "$W"): medians of $rounds rounds, in milliseconds, of a file of $size MiB; 20,000 random reads of 4 KiB."
	echo "The load average was $load_before before and $(cut -d' ' -f1 /proc/loadavg) after: with more than the cores in it the times are those"
	echo "of a busy machine. One core hashes $(openssl speed -seconds 1 -bytes 4096 -evp sha256 2>/dev/null |
		awk 'END { sub(/k$/, "", $NF); printf "%.0f", $NF / 1000 }') MB/s (SHA-256, blocks of 4 KiB)."
	echo
	echo "| what | reads | cache | loop device | verified file | ratio | loop device on it | ratio |"
	echo "|---|---|---|---|---|---|---|---|"
	table <<<"$measured"
} >"$into"
cat "$into"
