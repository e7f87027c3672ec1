# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154,SC2034
# A root in which extmerge is at home, after lib.sh and begin: $R with extmerge, its libraries and a static busybox, a /proc, a
# /run of its own, and a command line of the kernel that can be said. What programs there are, a test decides.
busybox=$(command -v busybox) || { skip "extmerge in a root of its own" "there is no busybox"; finish; }
! ldd "$busybox" >/dev/null 2>&1 || { skip "extmerge in a root of its own" "busybox is not static"; finish; }

library() { # PATH
	mkdir -p "$R${1%/*}" && cp -L "$1" "$R$1"
}
libraries() {
	local soname path
	ldd "$EXTMERGE" | grep -oE '/[^ ]+\.so[^ ]*'
	for soname in $(grep -aoE '"soname":\["[^"]+' "$EXTMERGE" | cut -d'"' -f4 | sort -u); do
		path=$(ldconfig -p | awk -v soname="$soname" '$1 == soname { print $NF; exit }')
		[ -z "$path" ] || { echo "$path"; ldd "$path" | grep -oE '/[^ ]+'; }
	done
}

make_running_root() {
	local path
	mkdir -p "$R"/{proc,dev,usr/sbin}
	cp "$busybox" "$R/busybox"
	cp "$EXTMERGE" "$R/extmerge"
	while read -r path; do library "$path"; done < <(libraries | sort -u)
	mount -t proc proc "$R/proc"
	mount --bind /dev "$R/dev"
	mount -t tmpfs tmpfs "$R/run"
	command_line quiet
}
command_line() { # WORD...
	umount "$R/proc/cmdline" 2>/dev/null
	echo "$*" >"$T/cmdline"
	mount --bind "$T/cmdline" "$R/proc/cmdline"
}
