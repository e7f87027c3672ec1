# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154
# Guests that boot as machines do, after lib.sh and lib.bash: a Debian with systemd, or another init, on a disk of its own,
# with extmerge installed in it; a test runs in it as a unit and writes TAP to $OUT. Needs root, for mmdebstrap.
#
#   get_system SUITE NAME PACKAGE...   a disk image $cache/system-SUITE-NAME.ext4, made once (a minute)
#   get_tree SUITE NAME PACKAGE...     the same as a directory $cache/system-SUITE-NAME
#   new_payload                        a directory $payload, which is copied onto the guest's root before it starts
#   install_extmerge                   into $payload, as make install would
#   boot_system SUITE NAME [OPTION...]  boots it; what the guest wrote is in $place/out, its console in $place/console
#
# $MACHINE is qemu or uml: the suite's own kernel under emulation, or sid's as a process.
# OPTION: --append=WORDS --initrd=FILE (in place of the one that copies the payload) --disk=IMAGE (in place of NAME's)

. "${TESTS_DIR:?}/vm/uml.bash"
MACHINE=qemu

# What extmerge's programs are linked with; and what is left out, as it only takes time here.
guest_libraries=(libmount1 libcryptsetup12 libjson-c5 libeconf0 libsmartcols1 libkmod2 libxxhash0 libssl3t64 kmod)
needless=(apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
	systemd-tmpfiles-clean.timer systemd-timesyncd.service systemd-firstboot.service systemd-hwdb-update.service
	systemd-journal-catalog-update.service systemd-update-done.service systemd-pcrphase.service systemd-pcrmachine.service
	systemd-tpm2-setup.service systemd-tpm2-setup-early.service getty.target systemd-random-seed.service
	systemd-boot-random-seed.service systemd-journal-flush.service systemd-update-utmp.service systemd-networkd-persistent-storage.service)

need_uml() {
	[ -d "$cache/uml" ] || get_uml "$cache/uml"
}

suite_mirror() {
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
		grep -v '^#' | grep -oE 'https?://[^ ]+' | grep -v security | head -n 1
}

# The tree with the kernel's modules; everything that a test changes comes with its payload.
make_tree_of_suite() { # SUITE DIRECTORY PACKAGE...
	local suite=$1 tree=$2 unit version IFS=,
	shift 2

	mmdebstrap --quiet --variant=minbase --include="${guest_libraries[*]},$*" \
		--aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Retries "2"' \
		"$suite" "$tree" "$(suite_mirror)" >"$work/mmdebstrap.log" 2>&1 </dev/null || return 1
	cp -a "$cache/kernel-$suite"/usr/lib/modules "$tree/usr/lib/" || return 1
	for version in "$cache"/uml/usr/lib/uml/modules/*; do
		[ -d "$version" ] || continue
		mkdir -p "$tree/usr/lib/modules/${version##*/}"
		(cd "$version" && tar c modules.builtin* modules.order kernel/fs kernel/drivers/{md,block} kernel/crypto kernel/lib) |
			tar -x -C "$tree/usr/lib/modules/${version##*/}"
	done
	for version in "$tree"/usr/lib/modules/*; do
		depmod -b "$tree" "${version##*/}" 2>/dev/null
	done
	rm -rf "$tree"/var/cache/apt/*.bin "$tree"/var/lib/apt/lists/* "$tree"/usr/share/{doc,locale,man,zoneinfo}
	echo 0123456789abcdef0123456789abcdef >"$tree/etc/machine-id"
	echo "/dev/root / ext4 defaults 0 0" >"$tree/etc/fstab"
	for unit in "${needless[@]}"; do
		ln -sf /dev/null "$tree/etc/systemd/system/$unit" 2>/dev/null
	done
}

make_disk_image() { # TREE IMAGE
	rm -f "$2.new"
	truncate -s 1G "$2.new" && mke2fs -q -t ext4 -O ^has_journal -d "$1" "$2.new" && mv "$2.new" "$2"
}

get_system() { # SUITE NAME PACKAGE...
	local suite=$1 image=$cache/system-$1-$2.ext4 tree=$work/tree
	shift 2

	{ get_kernel "$suite" && need_uml; } || return 1
	[ ! -e "$image" ] || return 0
	[ "$(id -u)" = 0 ] || give_up "only root can make a tree of $suite"
	rm -rf --one-file-system "$tree"
	make_tree_of_suite "$suite" "$tree" "$@" && make_disk_image "$tree" "$image" || return 1
	rm -rf --one-file-system "$tree"
}

# The tree itself, to be root of in a chroot.
get_tree() { # SUITE NAME PACKAGE...
	local suite=$1 tree=$cache/system-$1-$2
	shift 2

	{ get_kernel "$suite" && need_uml; } || return 1
	[ ! -d "$tree" ] || return 0
	[ "$(id -u)" = 0 ] || give_up "only root can make a tree of $suite"
	rm -rf --one-file-system "$tree.new"
	make_tree_of_suite "$suite" "$tree.new" "$@" && mv "$tree.new" "$tree"
}

new_payload() {
	payload=$work/payload
	rm -rf "$payload"
	mkdir -p "$payload"
}

# The programs, libraries that the guest's suite has under another name, and the units as they are built.
install_extmerge() { # [UNIT...]
	local build=$TESTS_BUILD_DIR/.. library unit

	mkdir -p "$payload"/usr/{bin,lib/systemd/system,lib/systemd/catalog,lib/x86_64-linux-gnu} "$payload/etc/systemd/system"
	cp "$EXTMERGE" "$payload/usr/bin/extmerge"
	if [ -x "$build/extmerge-fuse" ]; then
		cp "$build/extmerge-fuse" "$payload/usr/bin/"
		library=$(ldd "$build/extmerge-fuse" | grep -oE '/[^ ]*libfuse3[^ ]*')
		[ -z "$library" ] || cp -L "$library" "$payload/usr/lib/x86_64-linux-gnu/"
	fi
	for unit in "$TESTS_DIR"/../units/*.service.in; do
		unit=${unit##*/}
		sed 's|@bindir[@]|/usr/bin|g' "$TESTS_DIR/../units/$unit" >"$payload/usr/lib/systemd/system/${unit%.in}"
	done
	cp "$TESTS_DIR"/../units/*.path "$TESTS_DIR"/../units/*.socket "$payload/usr/lib/systemd/system/"
	cp "$TESTS_DIR"/../units/extmerge.catalog "$payload/usr/lib/systemd/catalog/"
	for unit; do
		mkdir -p "$payload/etc/systemd/system/sysinit.target.wants"
		ln -s "/usr/lib/systemd/system/$unit" "$payload/etc/systemd/system/sysinit.target.wants/$unit"
	done
}

# What runs in the guest when it has booted: a script, with the words of TAP; then the guest ends.
install_check() { # SCRIPT
	mkdir -p "$payload/etc/systemd/system/multi-user.target.wants" "$payload/usr/lib/check"
	cp "$1" "$payload/usr/lib/check/check"
	cat >"$payload/usr/lib/check/run" <<'SCRIPT'
#!/bin/bash
n=0
out=$(sed -n 's/.*guest\.out=\([^ ]*\).*/\1/p' /proc/cmdline)
if [ -n "$out" ]; then
	mkdir -p /run/out && mount -t hostfs -o hostfs="$out" none /run/out
	OUT=/run/out/out
else
	for OUT in /dev/virtio-ports/out /dev/vport*p1; do [ ! -c $OUT ] || break; done
fi
exec >$OUT 2>&1
is() { # NAME ACTUAL EXPECTED
	n=$((n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		printf '%s\n' "expected: $3" "actual:   $2" | sed 's/^/# /'
	fi
}
like() { # NAME ACTUAL EXTENDED-REGEX
	if [[ $2 =~ $3 ]]; then is "$1" yes yes; else is "$1" "$2" "$3"; fi
}
. /usr/lib/check/check
echo "1..$n"
exec >/dev/null 2>&1
${END:-systemctl poweroff}
SCRIPT
	chmod 755 "$payload/usr/lib/check/run"
	cat >"$payload/etc/systemd/system/check.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=exec
ExecStart=/usr/lib/check/run
UNIT
	ln -sf /etc/systemd/system/check.service "$payload/etc/systemd/system/multi-user.target.wants/check.service"
}

# An initrd that puts the payload onto the root, and enters it.
make_copier() { # SUITE FILE
	local guest=$work/copier lib module

	lib=$(find "$cache/kernel-$1" -path '*/lib/modules/*' -prune | head -n 1)
	rm -rf "$guest"
	mkdir -p "$guest"/{bin,dev,proc,root}
	cp "$(command -v busybox)" "$guest/bin/"
	module=$(find "$lib" -name 'virtio_blk.ko*')
	case $module in
	*.xz) xz -dc "$module" ;;
	*.zst) zstd -qdc "$module" ;;
	*) cat "$module" ;;
	esac >"$guest/virtio_blk.ko" || return 1
	cat >"$guest/init" <<'SCRIPT'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
[ -e /dev/ubda ] || /bin/busybox insmod /virtio_blk.ko
for try in 1 2 3 4 5 6 7 8 9 10; do [ -e /dev/vda ] || [ -e /dev/ubda ] && break; /bin/busybox sleep 0.2; done
/bin/busybox mount -t ext4 /dev/vda /root || /bin/busybox mount -t ext4 /dev/ubda /root || /bin/busybox poweroff -f
/bin/busybox cp -a /payload/. /root/
/bin/busybox umount /dev
/bin/busybox umount /proc
exec /bin/busybox switch_root /root /sbin/init
SCRIPT
	chmod 755 "$guest/init"
	mv "$payload" "$guest/payload"
	(cd "$guest" && find . | cpio --quiet -o -H newc) >"$2"
	mv "$guest/payload" "$payload"
}

# The guest's clock counts its instructions, 2 ns each, and what it waits for: it hardly tells how busy the machine is.
run_qemu() { # SUITE DISK INITRD APPEND
	local kernel

	kernel=$(find "$cache/kernel-$1" -name 'vmlinuz*' | head -n 1)
	timeout "${BOOT_SECONDS:-240}" qemu-system-x86_64 -M q35 -nodefaults -accel tcg,thread=single -icount shift=1 -cpu max -smp 1 -m 1024 -no-reboot \
		-display none -monitor none -serial "file:$place/console" -kernel "$kernel" -initrd "$3" \
		-append "console=ttyS0 quiet loglevel=3 panic=-1 random.trust_cpu=on no_timer_check mitigations=off root=/dev/vda rw $4" \
		-drive if=none,id=d0,format=raw,snapshot=on,file="$2",cache=unsafe -device virtio-blk-pci,drive=d0 \
		-device virtio-serial-pci -chardev "file,id=o,path=$place/out" -device virtserialport,chardev=o,name=out \
		>"$place/qemu.log" 2>&1
}

# The kernel of sid as a process: no emulation, so it is the faster by far.
run_uml() { # SUITE DISK INITRD APPEND
	(
		ulimit -c 0
		timeout "${BOOT_SECONDS:-240}" "$cache/uml/usr/bin/linux.uml" mem=1024M ubd0="$place/cow,$2" initrd="$3" root=/dev/ubda rw \
			quiet panic=-1 con=null con0=null,fd:1 guest.out="$place" $4 </dev/null >"$place/console" 2>&1
		rm -f "$place/cow"
	) 2>/dev/null
}

boot_system() { # SUITE NAME [OPTION...]
	local suite=$1 disk=$cache/system-$1-$2.ext4 initrd='' append='' option
	shift 2

	for option; do
		case $option in
		--append=*) append+=" ${option#*=}" ;;
		--initrd=*) initrd=${option#*=} ;;
		--disk=*) disk=${option#*=} ;;
		esac
	done
	place=$work/place
	rm -rf "$place"
	mkdir -p "$place"
	: >"$place/out"
	if [ -z "$initrd" ]; then
		initrd=$place/initrd
		make_copier "$suite" "$initrd" || return 1
	fi
	run_$MACHINE "$suite" "$disk" "$initrd" "$append"
	# Now and then a boot is lost under software emulation; one with a result is never repeated.
	for _ in 1 2 3; do
		! grep -q '^1\.\.' "$place/out" || break
		echo "# a boot without a result"
		run_$MACHINE "$suite" "$disk" "$initrd" "$append"
	done
}

# The guest's results become ours.
take_boot() { # WHAT
	local before=$n_results

	take_results "$place/out"
	ok "$1: the guest came to its end" grep -q '^1\.\.' "$place/out" && return
	tail -n 30 "$place/console" | tr -d '\r' | sed 's/^/# /'
	[ "$n_results" -gt "$before" ]
}
