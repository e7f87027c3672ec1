#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Measures the verified file against the same image on a plain loop device. Needs root; is no test.
#
#   tests/bench/verified-file.sh [--rounds N] [--size MIB] [--into FILE] [--threads N]
#
#   --rounds N   rounds of every measurement (15); what is written down are medians
#   --size MIB   of the file in the image (192)
#   --into FILE  where the table goes (VERIFIED-FILE.md beside this script)
#
# BUILD is the build directory (the working directory), with extmerge-fuse, tests/attach, tests/bench/reads and
# tests/bench/hashtree made.
#
# Everything is done to a plain loop device, to a loop device on the verified file, which is what extmerge mounts, and to
# the verified file itself, one right after the other and each round in another order, with a new device and a new server
# each time; ratios are the medians of the rounds' ratios, and those of the shortest times of all rounds ("best"). "cold" is after the image has been dropped from the page cache,
# "first" with the image in it but nothing read through the device or the file yet, "warm" five times more after that. In
# the same round as many bytes are hashed in memory, by one thread and by as many as there are CPUs.
#
# A measurement begins when the machine has been idle for a moment, which is waited for; how often in vain is said.
set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
rounds=15 size=192 into=$here/VERIFIED-FILE.md threads=0
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
	for program in extmerge-fuse tests/attach tests/bench/reads tests/bench/hashtree; do
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

# Ticks since the start, of all CPUs: "IDLE ALL".
ticks() {
	local user nice system idle iowait irq softirq steal rest
	read -r _ user nice system idle iowait irq softirq steal rest </proc/stat
	echo $((idle + iowait)) $((user + nice + system + idle + iowait + irq + softirq + steal))
}
wait_for_quiet() {
	local idle all idle_then all_then
	echo tried >>"$W/waits"
	for _ in {1..4}; do
		read -r idle_then all_then < <(ticks)
		sleep 0.1
		read -r idle all < <(ticks)
		[ $((100 * (idle - idle_then))) -lt $((90 * (all - all_then))) ] || return 0
	done
	echo busy >>"$W/waits"
}

attach() { # [OPTION...] -- COMMAND...
	local given=()
	while [ "$1" != -- ]; do given+=("$1"); shift; done
	shift
	"$BUILD/tests/attach" --server="$BUILD/extmerge-fuse" --threads="$threads" "${given[@]}" "$W/data" "$W/tree" "$hash" "$@"
}
declare -A options=([plain]="--plain --loop" [looped]=--loop [file]='')

# All sides of one thing; "WHAT SIDE FIRST WARM" for each.
sides() { # WHAT OPTIONS COMMAND...
	local what=$1 extra=$2 side order
	shift 2
	case $((round % 3)) in
	0) order="plain looped file" ;;
	1) order="looped file plain" ;;
	2) order="file plain looped" ;;
	esac
	for side in $order; do
		wait_for_quiet
		# shellcheck disable=SC2086 # several options, or none
		echo "$what $side $(attach ${options[$side]} $extra -- "$@" | paste -sd' ')"
		umount "$W/m" 2>/dev/null
	done
}
hash_alone() { # WHAT THREADS
	wait_for_quiet
	echo "hash:$1:sequential plain $("$BUILD/tests/bench/hashtree" --bare "$size" "$2")"
}

measure() {
	local round way reads=$BUILD/tests/bench/reads
	for ((round = 0; round < rounds; round++)); do
		sides "mount" "--time --mount=erofs:$W/m" echo 0
		hash_alone one 1
		hash_alone all "$(nproc)"
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

# Medians in milliseconds, and of the ratios of rounds, for each row "WHAT:CACHE:READS". The warm times after first reads
# are a row of their own; what was hashed alone is "hash".
medians() {
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
	function column(what, side, base, k,   i) { # sets `middle` and `ratio`
		for (i = 1; i <= k; i++) { a[i] = times[what, side, i]; b[i] = a[i] / times[base, "plain", i] }
		middle = median(a, k) / 1000
		ratio = median(b, k)
	}
	{
		add($1, $2, $3)
		split($1, part, ":")
		if (part[2] == "first") add(part[1] ":warm:" part[3], $2, $4)
	}
	END {
		for (r = 1; r <= rows; r++) {
			what = order[r]; k = n[what, "plain"]
			column(what, "plain", what, k); least = a[1]
			line = sprintf("%s %.1f", what, middle)
			if (what ~ /^hash/) { print line; continue }
			column(what, "looped", what, k); line = line sprintf(" %.1f %.2f %.2f", middle, ratio, a[1] / least)
			column(what, "file", what, k); line = line sprintf(" %.1f %.2f", middle, ratio)
			column(what, "looped", "hash:one:sequential", k); line = line sprintf(" %.2f", ratio)
			column(what, "looped", "hash:all:sequential", k); line = line sprintf(" %.2f", ratio)
			print line
		}
	}' | sort
}
table() {
	awk '$1 !~ /^hash/ {
		split($1, part, ":")
		printf "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", part[1], part[3], part[2], $2, $3, $4, $5, $6, $7 }'
}

# What the times come to; the numbers are those of the table, of a loop device on the verified file.
verdicts() {
	awk '
	{ split($1, part, ":"); plain[$1] = $2; ratio[$1] = $4; best[$1] = $5; one[$1] = $8; all[$1] = $9 }
	part[2] == "warm" { warm = warm sprintf(", %s %s %.2f", part[1], part[3], $4); if ($4 > 1.05) slow = slow sprintf(", %s %s", part[1], part[3]) }
	function cold(what,   key) {
		key = what ":cold:sequential"
		return sprintf("%s %.2f of the speed of the plain loop device, best against best %.2f (%.2f times as long as hashing as much with one thread, %.2f with all)",
			what, 1 / ratio[key], 1 / best[key], one[key], all[key])
	}
	END {
		printf "* **Warm, within 1.05**: %s: %s.\n", slow ? "not all, see " substr(slow, 3) : "all", substr(warm, 3)
		printf "* **Cold, sequential, at least 0.7 of the speed**: %s; %s.\n", cold("erofs"), cold("device")
		printf "* **Hash alone**: %.1f ms with one thread, %.1f ms with all; the plain loop device takes %.1f ms to read as much.\n",
			plain["hash:one:sequential"], plain["hash:all:sequential"], plain["erofs:cold:sequential"]
	}'
}

measured=$(measure)
tried=$(grep -c tried "$W/waits") busy=$(grep -c busy "$W/waits")
{
	echo "# The verified file and a plain loop device"
	echo
	echo "Written by \`tests/bench/verified-file.sh\` on $(date +%F), Linux $(uname -r | cut -d. -f1,2), $(uname -m), $(nproc) cores, image"
	echo "on $(findmnt -n -o FSTYPE -T "$W"): medians of $rounds rounds, in milliseconds, of a file of $size MiB; 5,000 random reads of 4 KiB."
	echo "The load average was $load_before before and $(cut -d' ' -f1 /proc/loadavg) after; $busy of $tried measurements began while others used the CPUs."
	echo "What extmerge mounts is the loop device on the verified file."
	[ "$((2 * busy))" -le "$tried" ] ||
		printf '\n%s\n' "**Most measurements began on a busy machine: this run decides nothing about what is aimed at.**"
	echo
	medians <<<"$measured" | verdicts
	echo
	echo "| what | reads | cache | loop device | loop device on verified file | ratio | best / best | verified file itself | ratio |"
	echo "|---|---|---|---|---|---|---|---|---|"
	medians <<<"$measured" | table
} >"$into"
cat "$into"
