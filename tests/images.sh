#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds real extensions from the packages of the running Debian suite, or says why it cannot (77).
#
#   tests/images.sh [DIRECTORY]
#
# DIRECTORY (default: $XDG_CACHE_HOME/extmerge-images or ~/.cache/extmerge-images) gets NAME.erofs and
# NAME.squashfs of the sysexts debug-tools, docker, k8s-node, net-cli, haproxy and of the confext
# haproxy-conf. Images that are there already, made by this same script for this release, stay.
#
# Nothing is installed: packages are downloaded into a directory of their own and unpacked. The
# machine's package lists are read; where they are missing, lists of our own are fetched.
# 160 MB of packages and two minutes on two cores; 3 GB of disk while it works.
set -u
export LC_ALL=C

self=$(readlink -f "$0")
cache=${1-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/extmerge-images}

give_up() { # REASON
	echo "cannot build the real extensions: $*"
	exit 77
}

# Name, whether the libraries that the packages need come along (those of a minimal system apart),
# and the packages.
extensions='
debug-tools  libraries  strace ltrace gdb tcpdump
net-cli      libraries  htop iftop iperf3 mtr-tiny ncdu nethogs nmap tmux tree
haproxy      libraries  haproxy keepalived
docker       alone      docker.io containerd runc tini
k8s-node     alone      containerd runc containernetworking-plugins kubernetes-client conntrack socat ethtool ebtables
'

need() { # PROGRAM...
	local program
	for program; do
		command -v "$program" >/dev/null || give_up "there is no $program"
	done
}

apt() { # APT PROGRAM ARGUMENTS
	local program=$1
	shift
	"$program" -qq -o Dir::Cache="$work/apt" -o Dir::State::status=/dev/null \
		${own_lists:+-o Dir::State::lists="$own_lists"} -o APT::Sandbox::User= \
		-o Debug::NoLocking=true -o Acquire::Retries=2 -o Acquire::http::Timeout=30 "$@"
}

prepare_apt() {
	own_lists=
	mkdir -p "$work/apt/archives/partial" || give_up "no room in $work"
	apt apt-cache show strace >/dev/null 2>&1 && return
	own_lists=$work/lists
	mkdir -p "$own_lists/partial"
	apt apt-get update >"$work/log" 2>&1 || give_up "apt-get update fails: $(tail -n 1 "$work/log")"
	apt apt-cache show strace >/dev/null 2>&1 ||
		give_up "the package lists do not know strace"
}

# What apt would install on an empty system for these packages.
closure() { # PACKAGE...
	apt apt-get install --simulate --no-install-recommends "$@" 2>"$work/log" |
		awk '$1 == "Inst" { print $2 }' | sort -u
}

# The files of the packages of one extension, as a package manager would not leave them: in /usr alone.
unpack() { # TREE PACKAGE-FILE...
	local tree=$1 file directory
	shift
	mkdir -p "$tree"
	for file; do
		dpkg-deb --fsys-tarfile "$file" | tar -x -C "$tree" || return 1
	done
	for directory in bin sbin lib lib64; do
		[ -d "$tree/$directory" ] || continue
		mkdir -p "$tree/usr/$directory"
		cp -a "$tree/$directory/." "$tree/usr/$directory/" && rm -r "${tree:?}/$directory"
	done
	rm -rf "$tree"/usr/share/{doc,man,info,locale,lintian,bug,doc-base}
}

release_file() { # TREE DIRECTORY NAME
	mkdir -p "$1/$2/extension-release.d"
	grep -E '^(ID|VERSION_ID)=' /etc/os-release >"$1/$2/extension-release.d/extension-release.$3"
}

# Both images of a tree; the names appear when the images are complete.
pack() { # TREE NAME
	mksquashfs "$1" "$work/new.squashfs" -comp zstd -Xcompression-level 3 -quiet -no-progress \
		-noappend >"$work/log" 2>&1 || give_up "mksquashfs: $(tail -n 1 "$work/log")"
	mkfs.erofs -zlz4 "$work/new.erofs" "$1" >"$work/log" 2>&1 ||
		give_up "mkfs.erofs: $(tail -n 1 "$work/log")"
	mv -f "$work/new.squashfs" "$cache/$2.squashfs" && mv -f "$work/new.erofs" "$cache/$2.erofs"
}

build() { # NAME libraries|alone PACKAGE...
	local name=$1 how=$2 package packages files=()
	shift 2

	packages=$*
	[ "$how" = alone ] ||
		packages+=" $(closure "$@" | grep '^lib' | comm -23 - "$work/base" | tr '\n' ' ')"
	mkdir -p "$work/packages"
	for package in $packages; do
		[ -e "$work/packages/$package.deb" ] || echo "$package"
	done >"$work/missing"
	if [ -s "$work/missing" ]; then
		mkdir -p "$work/download"
		# shellcheck disable=SC2046
		(cd "$work/download" && apt apt-get download $(cat "$work/missing")) >"$work/log" 2>&1 ||
			give_up "apt-get download fails: $(tail -n 1 "$work/log")"
		for package in "$work"/download/*.deb; do
			mv "$package" "$work/packages/$(dpkg-deb -f "$package" Package).deb"
		done
	fi
	for package in $packages; do
		files+=("$work/packages/$package.deb")
	done
	unpack "$work/tree" "${files[@]}" || give_up "a package of $name cannot be unpacked"
	if [ "$name" = haproxy ]; then
		mkdir -p "$work/conf/etc"
		cp -a "$work"/tree/etc/{haproxy,keepalived} "$work/conf/etc/"
		release_file "$work/conf" etc haproxy-conf
		pack "$work/conf" haproxy-conf
	fi
	rm -rf "$work"/tree/{etc,var,run}
	release_file "$work/tree" usr/lib "$name"
	pack "$work/tree" "$name"
	rm -rf "$work/tree" "$work/conf"
	echo "built $name: $(stat -c %s "$cache/$name.squashfs" "$cache/$name.erofs" |
		awk '{ printf "%s%.1f MB", s, $1 / 1e6; s = " squashfs, " }') erofs, ${#files[@]} packages"
}

build_all() {
	local name how
	local -a packages

	need apt-get apt-cache dpkg-deb mkfs.erofs mksquashfs
	[ "$(. /etc/os-release && echo "${ID-}")" = debian ] || give_up "this is no Debian system"
	mkdir -p "$cache" || give_up "$cache cannot be made"
	work=$(mktemp -d "$cache/work.XXXXXX") || give_up "$cache cannot be written"
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM HUP
	prepare_apt
	# Essential packages, and apt, are what every installation has.
	# shellcheck disable=SC2046
	closure apt $(apt apt-cache dumpavail | awk '/^Package:/ { p = $2 } /^Essential: yes/ { print p }' |
		sort -u) >"$work/base"
	[ -s "$work/base" ] || give_up "apt cannot say what a minimal system is: $(tail -n 1 "$work/log")"
	while read -r name how packages; do
		[ -n "$name" ] || continue
		# shellcheck disable=SC2086
		build "$name" "$how" $packages
	done <<<"$extensions"
}

stamp="$(cksum <"$self") $(grep -E '^(ID|VERSION_ID)=' /etc/os-release | paste -sd' ')"
if [ "$(cat "$cache/stamp" 2>/dev/null)" != "$stamp" ]; then
	rm -f "$cache/stamp"
	build_all
	echo "$stamp" >"$cache/stamp"
fi
echo "$cache"
