#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An initramfs by dracut, and one by initramfs-tools, with extmerge in it: an extension in /.extra is merged into it under the strict
# policy, and an unsigned one is refused; the root is merged before it is entered, and the host's unit has nothing to do (specs: boot.4, boot.7).
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/lib.bash"
. "${TESTS_DIR:?}/vm/boot.bash"
need_tools qemu-system-x86_64 busybox cpio apt-get dpkg-deb mmdebstrap mke2fs debugfs mkfs.erofs openssl jq xz unshare patchelf
[ "$(id -u)" = 0 ] || give_up "needs root, for a chroot"
# The mounts of the chroots are nobody else's.
[ -n "${INITRAMFS_INSIDE-}" ] || exec env INITRAMFS_INSIDE=1 unshare -m --propagation private bash "$0"
make_work
trap 'umount -R -l "$work/root" 2>/dev/null; rm -rf --one-file-system "$work"' EXIT
T=$work
MACHINE=uml
suite=${EXTMERGE_INITRAMFS_SUITE:-trixie}
get_tree "$suite" initramfs systemd systemd-sysv udev dbus dracut-core initramfs-tools-core busybox zstd cpio ||
	give_up "a tree of $suite cannot be had here: no network?"

new_key vendor
make_tree "$work/trees/tool" tool
make_tree "$work/trees/early" early early ID=_any "SYSEXT_SCOPE=initrd" "EXTENSION_RESTART_UNITS=early.service"
mkdir -p "$work/trees/early/usr/lib/systemd/system"
printf '[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c "cat /usr/bin/early >/run/early"\n' \
	>"$work/trees/early/usr/lib/systemd/system/early.service"
make_tree "$work/trees/bad" bad bad ID=_any SYSEXT_SCOPE=initrd
make_conf_tree "$work/trees/conf" conf

# The chroot: the tree, with extmerge as if it were installed, and signed extensions.
make_chroot() {
	local file
	new_payload
	install_extmerge extmerge.service extmerge-late.service
	mkdir -p "$payload"/{var/lib/extensions,var/lib/confexts,etc/verity.d,usr/lib/dracut/modules.d/51extmerge,usr/share/initramfs-tools/hooks} \
		"$payload"/usr/share/initramfs-tools/scripts/{init-premount,init-bottom} "$payload"/etc/initramfs-tools/conf.d
	cp "$work/vendor.crt" "$payload/etc/verity.d/"
	make_packed "$payload/var/lib/extensions/tool.raw" "$work/trees/tool" vendor &&
		make_packed "$payload/var/lib/confexts/conf.raw" "$work/trees/conf" vendor || exit 1
	cp "$TESTS_DIR"/../units/dracut/*.sh "$payload/usr/lib/dracut/modules.d/51extmerge/"
	for file in hook:hooks/extmerge init-premount:scripts/init-premount/extmerge init-bottom:scripts/init-bottom/extmerge; do
		sed 's|@bindir[@]|/usr/bin|g' "$TESTS_DIR/../units/initramfs-tools/${file%:*}" >"$payload/usr/share/initramfs-tools/${file#*:}"
		chmod 755 "$payload/usr/share/initramfs-tools/${file#*:}"
	done
	echo EXTMERGE=y >"$payload/etc/initramfs-tools/conf.d/extmerge"
	{
		cat <<'CHECK'
is "the root was merged before it was entered" "$(cat /usr/bin/tool /etc/conf.conf | paste -sd' ')" "tool conf"
case $(cat /etc/extmerge.conf 2>/dev/null) in *Backend=fuse*) type=fuse.extmerge-fuse ;; *) type=overlay ;; esac
is "there is one tree on each by $type, and none is left of the initramfs" "$(grep -c " - $type extmerge" /proc/self/mountinfo) $(grep -c ' extmerge:' /proc/self/mountinfo)" "2 2"
is "it is the first generation" "$(extmerge status --json=short | grep -o '"generation":[0-9]*' | sort -u | tail -n 1)" '"generation":1'
is "the host's unit found nothing to do" "$(journalctl -b -o cat -t extmerge | tail -n 2 | sort -u)" "Nothing has changed."
is "no hook has run" "$(journalctl -b -o cat -t extmerge | grep -ci hook)" 0
if ! grep -q initramfs=tools /proc/cmdline; then # without a journal, and systemd, the console tells
is "the initramfs was extended by a signed extension in /.extra" "$(cat /run/early 2>&1)" early
is "an unsigned one was refused" "$(cat /run/refused 2>/dev/null || journalctl -b -o cat MESSAGE_ID=fb909c8b84dd4a1b93a2e25f2dc97eb3 | grep -o '/.extra/sysext/bad.raw: [a-z-]*')" "/.extra/sysext/bad.raw: unsigned"
fi
is "nothing of them is in the root" "$(ls /usr/bin/early /usr/bin/bad 2>/dev/null)" ""
is "no unit has failed" "$(systemctl --failed --no-legend --plain | awk '{ print $1 }')" ""
extmerge unmerge
is "it can be unmerged" "$? $(grep -c ' extmerge:' /proc/self/mountinfo) $(ls /usr/bin/tool 2>/dev/null)" "0 0 "
CHECK
	} >"$work/check"
	install_check "$work/check"
	mkdir -p "$work"/{upper,over,root}
	mount -t overlay -o "lowerdir=$cache/system-$suite-initramfs,upperdir=$work/upper,workdir=$work/over" root "$work/root" || exit 1
	cp -a "$payload/." "$work/root/"
	mkdir -p "$work/root/tmp" "$work/root/var/tmp"
	chmod 1777 "$work/root/tmp" "$work/root/var/tmp"
	make_disk_image "$work/root" "$work/disk" || exit 1
	mount -t proc proc "$work/root/proc"
	mount --rbind /dev "$work/root/dev"
	mount -t sysfs sysfs "$work/root/sys"
	version=$(ls "$cache/uml/usr/lib/uml/modules")
	# All that initramfs-tools reads of it is whether the kernel can unpack.
	printf "CONFIG_RD_GZIP=y\nCONFIG_BLK_DEV_INITRD=y\n" >"$work/root/boot/config-$version"
}

# What the boot loader passes on: one that is signed, and one that is not.
make_extra() {
	mkdir -p "$work/extra/.extra/sysext"
	make_packed "$work/extra/.extra/sysext/early.raw" "$work/trees/early" vendor &&
		make_packed "$work/extra/.extra/sysext/bad.raw" "$work/trees/bad" none || exit 1
	(cd "$work/extra" && find . | cpio --quiet -o -H newc) >"$work/extra.cpio"
}

boot_initramfs() { # NAME INITRD
	cat "$work/extra.cpio" "$2" >"$work/initrd-$1"
	boot_system "$suite" initramfs --initrd="$work/initrd-$1" --disk="$work/disk" --append="initramfs=${1##*-}"
	take_boot "$1"
}
# The same where extmerge-fuse shows the root's trees: its servers are started in the initramfs, and nobody ends them there.
boot_initramfs_fuse() { # NAME
	[ -x "${EXTMERGE%/*}/extmerge-fuse" ] || { skip "$1 with FUSE" "built without it"; return; }
	printf '[Extmerge]\nBackend=fuse\n' >"$work/fuse.conf"
	debugfs -w -R "write $work/fuse.conf etc/extmerge.conf" "$work/disk" >/dev/null 2>&1
	boot_system "$suite" initramfs --initrd="$work/initrd-$1" --disk="$work/disk" --append="initramfs=${1##*-}"
	take_boot "$1 with FUSE"
	debugfs -w -R "rm etc/extmerge.conf" "$work/disk" >/dev/null 2>&1
}

make_chroot
make_extra
chroot "$work/root" dracut --force --quiet --no-hostonly --add "systemd extmerge" --no-compress \
	--omit "crypt lvm mdraid dmraid multipath network nfs iscsi nbd plymouth bluetooth i18n resume" --kver "$version" /boot/dracut.img >"$work/dracut.log" 2>&1
if ok "dracut makes an initramfs" test -s "$work/root/boot/dracut.img"; then
	is "and has nothing to complain about extmerge" "$(grep -i 'extmerge' "$work/dracut.log")" ""
	boot_initramfs dracut "$work/root/boot/dracut.img"
	boot_initramfs_fuse dracut
else
	sed 's/^/# /' "$work/dracut.log"
fi
chroot "$work/root" mkinitramfs -c gzip -o /boot/tools.img "$version" >"$work/tools.log" 2>&1
if ok "initramfs-tools makes an initramfs" test -s "$work/root/boot/tools.img"; then
	is "and has nothing to complain about extmerge" "$(grep -i 'extmerge' "$work/tools.log")" ""
	boot_initramfs initramfs-tools "$work/root/boot/tools.img"
	like "the initramfs was extended by a signed extension in /.extra" "$(tr -d '\r' <"$place/console")" "add +early +\(sysext, erofs, signed\)"
	like "an unsigned one was refused" "$(tr -d '\r' <"$place/console")" "/\.extra/sysext/bad\.raw skipped: unsigned"
	boot_initramfs_fuse initramfs-tools
else
	sed 's/^/# /' "$work/tools.log"
fi
finish
