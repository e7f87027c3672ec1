#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing, builds, and runs every test there is. Ends with one line of totals.
#
#   ./check.sh [--fast] [--only STAGE] [--no-install]
#
#   --fast         leaves out what takes long: vm, fuzz, coverage, distcheck
#   --only STAGE   one of: check asan root fuse vm fuzz coverage distcheck lint (may be given again)
#   --no-install   only says which packages are missing
#
# FUZZ_SECONDS (30) is the time for each fuzz target.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=build-aux/setup.sh
. build-aux/setup.sh

stages=(check asan root fuse vm fuzz coverage distcheck lint)
only=() install=()
while [ $# -gt 0 ]; do
	case $1 in
	--fast) only+=(check asan root fuse lint) ;;
	--only)
		shift
		[[ " ${stages[*]} " == *" ${1-} "* ]] || { echo "check.sh: --only needs one of: ${stages[*]}" >&2; exit 2; }
		only+=("$1")
		;;
	--no-install) install=(--no-install) ;;
	--help | -h) sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
	*) echo "check.sh: unknown option $1 (try --help)" >&2; exit 2 ;;
	esac
	shift
done
[ ${#only[@]} -gt 0 ] || only=("${stages[@]}")

passed=0 failed=0 skipped=0
failures=()
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM HUP

good() { passed=$((passed + 1)); echo "  ok    $*"; }
bad() { failed=$((failed + 1)); failures+=("$stage: $*"); echo "  FAIL  $*"; }
skip() { skipped=$((skipped + 1)); echo "  skip: $*"; }

# Runs a command that ends with "N passed, N failed, N skipped", and adds that to the totals.
tests() { # COMMAND...
	local status sum total='^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$'

	"$@" 2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
	sum=$(grep -E "$total" "$log" | tail -n 1)
	if [[ $sum =~ $total ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
		skipped=$((skipped + BASH_REMATCH[3]))
		if [ "${BASH_REMATCH[2]}" != 0 ]; then
			mapfile -t -O ${#failures[@]} failures < <(sed -n "s/^  failed: /$stage: /p" "$log")
			return
		fi
	fi
	# A run that broke before its end has no total, or one that says too little.
	[ -n "$sum" ] && [ "$status" = 0 ] || bad "'$*' ended with exit status $status"
}

# Runs a command that is one test by itself; its output is shown if it fails.
one() { # NAME COMMAND...
	local name=$1
	shift

	if "$@" >"$log" 2>&1 </dev/null; then
		good "$name"
	else
		bad "$name"
		tail -n 60 "$log" | sed 's/^/        | /'
	fi
}

make_in() { # DIR TARGET...
	setup_as_owner env FUZZ_SECONDS="${FUZZ_SECONDS:-30}" make -C "$1" -s --no-print-directory -j"$(nproc)" "${@:2}"
}

build() { # DIR CONFIGURE OPTION...
	setup_build "$@" && setup_log "$1/setup.log" make -C "$1" -s -j"$(nproc)" check-programs && return
	bad "the build in $1"
	return 1
}

stage_check() {
	build _build --enable-werror && tests make_in _build check
}

stage_asan() {
	[ "$(gcc -print-file-name=libasan.so 2>/dev/null)" != libasan.so ] ||
		{ skip "asan # the compiler has no AddressSanitizer here"; return; }
	build _build-asan --enable-asan --enable-ubsan && tests make_in _build-asan check-unit
}

# Builds as the owner of the tree, then runs the finished tests as root.
stage_root() {
	[ "$(id -u)" = 0 ] || { skip "make check-root # needs root"; return; }
	build _build --enable-werror || return
	tests make -C _build -s --no-print-directory check-root
}

# The tests of merged trees once more, where they are made by FUSE.
stage_fuse() {
	[ "$(id -u)" = 0 ] || { skip "make check-root-fuse # needs root"; return; }
	[ -c /dev/fuse ] || { skip "make check-root-fuse # there is no /dev/fuse"; return; }
	build _build --enable-werror || return
	tests make -C _build -s --no-print-directory check-root-fuse
}

stage_vm() {
	build _build --enable-werror && tests make_in _build check-vm
}

stage_fuzz() {
	setup_has fuzzer: || { skip "fuzz # there is no clang with libFuzzer"; return; }
	build _build-fuzz --enable-fuzzing CC=clang && tests make_in _build-fuzz check-fuzz
}

stage_coverage() {
	command -v gcov >/dev/null || { skip "coverage # there is no gcov"; return; }
	build _build-coverage --enable-coverage || return
	if make_in _build-coverage coverage >"$log" 2>&1 </dev/null; then
		sed -n '/ % /p' "$log"
		good coverage
	else
		tail -n 60 "$log"
		bad coverage
	fi
}

stage_distcheck() {
	build _build --enable-werror && one "make distcheck" make_in _build distcheck
}

# scdoc starts every section with a paragraph, which mandoc finds superfluous.
lint_page() { # PAGE
	! mandoc -Tlint -Wwarning "$1" | grep -v 'skipping paragraph macro'
}

stage_lint() {
	local scripts page

	build _build --enable-werror || return
	one "lists of the Makefiles" build-aux/lists.sh
	if command -v shellcheck >/dev/null; then
		mapfile -t scripts < <(find autogen.sh check.sh demo.sh completion/extmerge .ci/run tests/run build-aux/*.sh \
			tests/*.sh tests/cli tests/root tests/vm tests/bench '(' -name '*.sh' -o -name run -o -name extmerge ')' 2>/dev/null | sort)
		one "shellcheck of ${#scripts[@]} scripts" shellcheck -x -P tests -P . --severity=warning "${scripts[@]}"
	else
		skip "shellcheck # is not there"
	fi
	if command -v mandoc >/dev/null && [ -e _build/man/extmerge.8 ]; then
		for page in _build/man/*.[58]; do one "mandoc -Tlint ${page##*/}" lint_page "$page"; done
	else
		skip "mandoc -Tlint # there is no mandoc, or no scdoc to make the page"
	fi
	# Versions of clang-format disagree: only the one that .clang-format was written for judges.
	if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
		one "make format-check" make_in _build format-check
	else
		skip "make format-check # there is no clang-format 14"
	fi
}

setup_packages --tests "${install[@]}" || exit 1
for stage in "${stages[@]}"; do
	[[ " ${only[*]} " == *" $stage "* ]] || continue
	started=$SECONDS
	echo "== $stage"
	"stage_$stage"
	echo "   $stage: $((SECONDS - started)) s"
	echo
done

[ ${#failures[@]} = 0 ] || printf 'failed: %s\n' "${failures[@]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
