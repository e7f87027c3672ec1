#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Prints the path of a tree of Debian sid with systemd's own tools for disk images (systemd-repart, systemd-dissect,
# systemd-sysext), made once; or says why there is none, and ends with 77.
#
#   tests/sid.sh [DIRECTORY]
#
# DIRECTORY (default: $XDG_CACHE_HOME/extmerge-sid or ~/.cache/extmerge-sid) gets the tree. Needs root, mmdebstrap and
# a network: 90 MB of packages, about a minute. Packages come from the machine's own mirror.
set -u
export LC_ALL=C

tree=${1-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/extmerge-sid}
packages=base-files,systemd,systemd-repart,systemd-container,libfdisk1,libcryptsetup12,libssl3t64,erofs-utils,squashfs-tools

give_up() { # REASON
	echo "no tree of Debian sid: $*"
	exit 77
}

mirror() {
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
		grep -v '^#' | grep -oE 'https?://[^ ]+' | grep -v security | head -n 1
}

if [ ! -e "$tree/usr/bin/systemd-repart" ]; then
	[ "$(id -u)" = 0 ] || give_up "only root can make it"
	command -v mmdebstrap >/dev/null || give_up "there is no mmdebstrap"
	[ -n "$(mirror)" ] || give_up "this is no Debian system"
	new=$tree.new.$$
	mkdir -p "$(dirname "$tree")" || give_up "no room for $tree"
	trap 'rm -rf --one-file-system "$new" "$new.log"' EXIT
	trap 'exit 130' INT TERM HUP
	# Only unpacked: no program of it runs before the tests do.
	mmdebstrap --quiet --variant=extract --include="$packages" --aptopt='Acquire::Check-Valid-Until "false"' \
		--aptopt='Acquire::Retries "2"' sid "$new" "$(mirror)" >"$new.log" 2>&1 </dev/null ||
		give_up "mmdebstrap: $(grep -E '^E:' "$new.log" | head -n 1)"
	# Another run may have been faster.
	mv -T "$new" "$tree" 2>/dev/null || [ -e "$tree/usr/bin/systemd-repart" ] || give_up "$tree cannot be made"
fi
echo "$tree"
