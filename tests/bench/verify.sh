#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# How fast extmerge verify is on a large signed image, against the bare hash of as many blocks in memory by as many
# threads, and against veritysetup verify (one thread, without the signature).
#
#   tests/bench/verify.sh [MIB [ROUNDS]]     (1024 and 15)
#
# The three run one after the other in each round, on a page cache that is warm; medians of the time on the wall
# and of the CPUs are printed. On a busy machine the CPU time says more. EXTMERGE, and HASHTREE (make
# tests/bench/hashtree), are the programs beside the working directory if not set.
set -u
export LC_ALL=C
here=$(dirname "$(readlink -f "$0")")
: "${EXTMERGE:=$PWD/extmerge}" "${HASHTREE:=$PWD/tests/bench/hashtree}" "${TESTS_DIR:=$here/..}"
mib=${1-1024} rounds=${2-15} threads=$(nproc)
export EXTMERGE TESTS_DIR
# shellcheck source=../lib.sh
. "$TESTS_DIR/lib.sh"
for program in "$EXTMERGE" "$HASHTREE"; do
	[ -x "$program" ] || { echo "there is no $program" >&2; exit 1; }
done
T=$(mktemp -d /var/tmp/extmerge-bench.XXXXXX) || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 130' INT TERM HUP
need_signing "the benchmark"

mkdir -p "$T/root/etc/verity.d" "$T/root/usr/lib"
echo ID=bench >"$T/root/usr/lib/os-release"
new_key friend && cp "$T/friend.crt" "$T/root/etc/verity.d/"
openssl enc -aes-128-ctr -pass pass:bench -nosalt -in /dev/zero 2>/dev/null | head -c "${mib}M" >"$T/data"
make_signed "$T/image.raw" friend || { echo "the image cannot be made" >&2; exit 1; }
hash=$(cat "$T/hash")

timed() { # NAME COMMAND...
	local name=$1 TIMEFORMAT='%R %U %S'
	shift
	{ time "$@" >/dev/null 2>&1; } 2>"$T/time" || { echo "$name fails" >&2; exit 1; }
	awk '{ print $1 * 1000, ($2 + $3) * 1000 }' "$T/time" >>"$T/$name.times"
}
for ((i = 0; i <= rounds; i++)); do
	timed extmerge "$EXTMERGE" --root="$T/root" verify "$T/image.raw"
	timed bare "$HASHTREE" --bare "$mib" "$threads"
	timed veritysetup veritysetup verify "$T/data" "$T/tree" "$hash"
	[ "$i" != 0 ] || rm "$T"/*.times # that one has warmed up
done
median() { # FILE COLUMN
	sort -n -k "$2" "$1" | awk -v c="$2" '{ a[NR] = $c } END { print a[int((NR + 1) / 2)] }'
}
for name in bare extmerge veritysetup; do
	printf '%-12s %6.0f ms   %6.0f ms of CPU\n' $name "$(median "$T/$name.times" 1)" "$(median "$T/$name.times" 2)"
done
awk -v b="$(median "$T/bare.times" 1)" -v e="$(median "$T/extmerge.times" 1)" -v bc="$(median "$T/bare.times" 2)" \
	-v ec="$(median "$T/extmerge.times" 2)" -v mib="$mib" -v n="$rounds" -v t="$threads" 'BEGIN {
	printf "%d MiB, %d threads, %d rounds: %.2f of the speed of the bare hash; by CPU time %.2f\n", mib, t, n, b / e, bc / ec }'
