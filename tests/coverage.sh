#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Prints how many lines of each SOURCE the tests have executed, told by gcov, and the sum.
#
#   tests/coverage.sh SOURCE...      in a build directory made with --enable-coverage
#
# Exit status 1 if the sum is below COVERAGE_LEAST (90) percent, or if a source was never compiled.
set -u

least=${COVERAGE_LEAST:-90}
gcov=${GCOV:-gcov}
lines=0 executed=0 status=0

for source; do
	notes=${source%.c}.gcno
	# gcov -n prints, for each file that went into the object:
	#   File '../merge/class.c'
	#   Lines executed:97.50% of 40
	found=$("$gcov" -n -o "${notes%/*}" "$notes" 2>/dev/null | awk -v "want=$source" '
		/^File / { is = index($0, want "\047") > 0 }
		is && /^Lines executed:/ {
			split($0, part, /[:% ]+/)
			printf "%d %d\n", $NF, part[3] * $NF / 100 + 0.5
			exit
		}')
	if [ ! -e "$notes" ]; then
		printf '  FAIL      %-28s was not compiled with --enable-coverage\n' "$source"
		status=1
		continue
	elif [ -z "$found" ]; then
		printf '  -         %-28s has no line to execute\n' "$source"
		continue
	fi
	read -r all some <<<"$found"
	lines=$((lines + all)) executed=$((executed + some))
	permille=$((all ? some * 1000 / all : 1000))
	printf '  %5s %%   %-28s %d of %d lines%s\n' "$((permille / 10)).$((permille % 10))" "$source" \
		"$some" "$all" "$( ((permille >= least * 10)) || echo '   (low)')"
done

permille=$((lines ? executed * 1000 / lines : 0))
echo "  $((permille / 10)).$((permille % 10)) %   of all $lines lines; at least $least % is asked for"
[ "$permille" -ge $((least * 10)) ] || status=1
exit $status
