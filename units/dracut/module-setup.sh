#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# dracut: extmerge in the initramfs, for the initramfs itself and for the root that it enters (specs: boot.7).
# Only where it is asked for: add_dracutmodules+=" extmerge "

check() {
	require_binaries extmerge || return 1
	return 255
}

depends() {
	return 0
}

installkernel() {
	# What is not there may be built in; which one an image needs is not known yet.
	hostonly='' instmods overlay erofs squashfs loop dm-verity fuse =crypto/sha256
}

install() {
	local program soname library unit file

	inst_multiple extmerge
	inst_multiple -o extmerge-fuse
	# Libraries that are loaded only when they are needed; the programs' notes name them.
	for program in extmerge extmerge-fuse; do
		program=$(find_binary "$program" 2>/dev/null) || continue
		for soname in $(grep -aoE '"soname":\["[^"]+' "${dracutsysrootdir-}$program" | cut -d'"' -f4 | sort -u); do
			library=$(ldconfig -p | awk -v soname="$soname" '$1 == soname { print $NF; exit }')
			[ -n "$library" ] || { dwarn "extmerge: there is no $soname: what needs it will not work in the initramfs"; continue; }
			# dracut looks for what programs need, and libraries are none where they cannot be executed.
			for file in "$library" $(ldd "$library" | grep -oE '/[^ ]+'); do
				inst "$file"
			done
		done
	done
	# Who is trusted, and what is asked.
	for file in "${dracutsysrootdir-}"/{etc,run,usr/local/lib,usr/lib}/{verity.d/*.crt,extmerge.conf,extmerge.conf.d/*.conf}; do
		[ ! -e "$file" ] || inst_simple "${file#"${dracutsysrootdir-}"}"
	done
	[ -n "$(find "$initdir"/{etc,run,usr/local/lib,usr/lib}/verity.d -name '*.crt' 2>/dev/null)" ] ||
		dwarn "extmerge: there is no certificate in verity.d: nothing from /.extra will be merged"
	if dracut_module_included systemd; then
		for unit in extmerge-initrd.service extmerge-sysroot.service; do
			inst_simple "${systemdsystemunitdir:?}/$unit"
			$SYSTEMCTL -q --root "$initdir" enable "$unit"
		done
	else
		inst_hook pre-pivot 20 "${moddir:?}/merge-root.sh"
	fi
}
