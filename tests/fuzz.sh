#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs libFuzzer targets, FUZZ_SECONDS (30) each and FUZZ_JOBS (the number of CPUs) at a time.
#
#   tests/fuzz.sh PROGRAM...
#
# The inputs of tests/fuzz/corpus/NAME/ are where fuzz-NAME starts. A finding is kept in the
# current directory as fuzz-NAME-crash-... ; run the program with it to see it again.
set -u

seconds=${FUZZ_SECONDS:-30}
jobs=${FUZZ_JOBS:-$(nproc)}
seeds=$(cd "$(dirname "$0")" && pwd)/fuzz/corpus
tmp=$(mktemp -d) || exit 1
pids=()
trap 'rm -rf "$tmp"' EXIT
trap '[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null; exit 130' INT TERM HUP

start() { # PROGRAM
	local name=${1##*/}
	local seed=$seeds/${name#fuzz-}

	mkdir "$tmp/$name"
	local dirs=("$tmp/$name")
	[ ! -d "$seed" ] || dirs+=("$seed")
	(
		"$(realpath "$1")" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
			-max_len=131072 -print_final_stats=1 -artifact_prefix="$PWD/$name-" \
			"${dirs[@]}" >"$tmp/$name.log" 2>&1 </dev/null
		echo $? >"$tmp/$name.status"
	) &
	pids+=($!)
}

echo "# fuzz targets, $seconds seconds each"
for program; do
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
		wait -n
	done
	start "$program"
done
wait

passed=0 failed=0
for program; do
	name=${program##*/}
	log=$tmp/$name.log
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	# Zero runs is no proof of anything.
	if [ "$(cat "$tmp/$name.status" 2>/dev/null)" = 0 ] && [ "${runs:-0}" -gt 0 ]; then
		passed=$((passed + 1))
		printf '  ok    %-24s %s runs\n' "$name" "$runs"
	else
		failed=$((failed + 1))
		printf '  FAIL  %-24s\n' "$name"
		tail -n 60 "$log" | sed 's/^/        | /'
	fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
