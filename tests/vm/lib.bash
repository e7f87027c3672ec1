# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154 # lib.sh's variables
# What the tests in guests share: packages of other suites, kept in a cache, and the guest's results.
cache=${EXTMERGE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/extmerge}

give_up() {
	echo "1..0 # SKIP $*"
	echo "$*"
	exit 77
}

# A directory $work that is gone afterwards.
make_work() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/extmerge-vm.XXXXXX") || exit 1
	trap 'rm -rf "$work"' EXIT
}

need_tools() {
	local tool

	[ "$(uname -m)" = x86_64 ] || give_up "only for x86_64"
	for tool in "$@"; do
		command -v "$tool" >/dev/null || give_up "there is no $tool"
	done
}

# apt with the machine's own mirror and keys, but of another suite, and with no state of the machine's.
apt_of_suite() { # SUITE ARGUMENT...
	local apt=$work/apt-$1 source

	if [ ! -d "$apt" ]; then
		mkdir -p "$apt"/{lists/partial,archives/partial}
		source=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null | grep -v '^#' |
			grep -oE 'https?://[^ ]+' | grep -v security | head -n 1)
		[ -n "$source" ] || return 1
		echo "deb $source $1 main" >"$apt/sources.list"
	fi
	shift
	apt-get -q -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/nonexistent \
		-o Dir::State::lists="$apt/lists" -o Dir::Cache::archives="$apt/archives" -o Dir::Cache::pkgcache= \
		-o Dir::Cache::srcpkgcache= -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root "$@"
}

# Downloads packages of a suite and unpacks them into a new directory.
unpack_packages() { # SUITE DIRECTORY PACKAGE...
	local suite=$1 directory=$2 package
	shift 2

	[ $# -gt 0 ] || return 1
	rm -rf "$directory"
	mkdir -p "$work/packages-$suite" "$directory" || return 1
	(cd "$work/packages-$suite" && apt_of_suite "$suite" download "$@" >>"$work/apt.log" 2>&1) || return 1
	for package in "$work/packages-$suite"/*.deb; do
		dpkg-deb -x "$package" "$directory" || return 1
	done
}

# Puts the cloud kernel of a suite (in newer suites several packages) into the cache, as $cache/kernel-SUITE.
get_kernel() { # SUITE
	local packages directory=$cache/kernel-$1

	[ ! -d "$directory" ] || return 0
	apt_of_suite "$1" update >"$work/apt.log" 2>&1 || return 1
	mapfile -t packages < <(apt_of_suite "$1" install -s --no-install-recommends linux-image-cloud-amd64 2>/dev/null |
		sed -nE 's/^Inst (linux-(image|binary|modules)-[0-9][^ ]*) .*/\1/p')
	unpack_packages "$1" "$directory.new" "${packages[@]}" && mv "$directory.new" "$directory"
}

# The libraries of the programs, those too that they load when they are needed (their notes name them).
libraries() { # PROGRAM...
	local soname path

	ldd "$@" | grep -oE '/[^ ]+\.so[^ ]*'
	for soname in $(grep -haoE '"soname":\["[^"]+' "$@" | cut -d'"' -f4 | sort -u); do
		path=$(ldconfig -p | awk -v soname="$soname" '$1 == soname { print $NF; exit }')
		[ -z "$path" ] || { echo "$path"; ldd "$path" | grep -oE '/[^ ]+'; }
	done
}

# Passes on what the guest said, with numbers of our own.
take_results() { # FILE
	local line

	while read -r line; do
		case $line in
		"ok "*) result ok "${line#* - }" ;;
		"not ok "*) result "not ok" "${line#* - }" ;;
		"#"*) printf '%s\n' "$line" ;;
		esac
	done < <(tr -d '\r' <"$1")
}
