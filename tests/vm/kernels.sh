#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The route on other kernels, where what it needs is a module that nobody has loaded: boots the kernel of each
# Debian suite in ${EXTMERGE_SUITES:-bookworm trixie sid} (6.1, 6.12, 7.x) under software emulation and runs
# tests/vm/init there as its only process.
#
# Needs qemu-system-x86_64, busybox-static, cpio, and a network to get the kernels from, once: they are kept in
# ${EXTMERGE_CACHE:-~/.cache/extmerge}. Ends with 77 and the reason where one of these is missing.
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/lib.bash"
modules=(overlay erofs squashfs loop fuse dm-mod dm-verity dm-bufio reed_solomon sha256-ssse3 libcrc32c crc32c_generic crc32c-intel lz4_decompress xxhash)

need_tools qemu-system-x86_64 busybox cpio apt-get dpkg-deb depmod mkfs.erofs mksquashfs veritysetup openssl sfdisk jq
make_work

# What runs in the guest besides busybox; a build without FUSE has no server.
programs=("$EXTMERGE" "$TESTS_BUILD_DIR"/vm/{activate,trustkey} "$TESTS_BUILD_DIR"/{attach,judge})
[ ! -x "$TESTS_BUILD_DIR/../extmerge-fuse" ] || programs+=("$TESTS_BUILD_DIR/../extmerge-fuse")

# The guest: busybox, the program with its libraries, the modules with their index, and the images.
make_guest() { # DIRECTORY MODULES
	local guest=$1 lib=$2 release=${2##*/} library module file path index

	mkdir -p "$guest"/{bin,dev,proc,sys,tmp,lib/modules/"$release"}
	cp "$(command -v busybox)" "${programs[@]}" "$guest/bin/"
	cp "$TESTS_DIR/vm/init" "$guest/init"
	chmod 755 "$guest/init"
	libraries "${programs[@]}" | sort -u | while read -r library; do
		mkdir -p "$guest${library%/*}" && cp -L "$library" "$guest$library"
	done
	for module in "${modules[@]}"; do
		find "$lib" -name "$module.ko*"
	done | while read -r file; do
		path=$guest/lib/modules/$release/${file#"$lib"/}
		mkdir -p "${path%/*}"
		case $file in
		*.xz) xz -dc "$file" >"${path%.xz}" ;;
		*.zst) zstd -qdc "$file" >"${path%.zst}" ;;
		*) cp "$file" "$path" ;;
		esac
	done
	for index in order builtin builtin.modinfo; do
		[ ! -e "$lib/modules.$index" ] || cp "$lib/modules.$index" "$guest/lib/modules/$release/"
	done
	depmod -b "$guest" "$release" 2>/dev/null # without a list of what is built in, it says so
}

# The root that the guest merges into, with images in two versions.
make_guest_root() { # DIRECTORY
	local extensions=$1/r/var/lib/extensions format version

	make_root "$1/r"
	make_tree "$extensions/directory" directory 1
	make_conf_tree "$1/r/var/lib/confexts/conf" conf 1
	for format in erofs squashfs; do
		for version in 1 2; do
			make_tree "$1.trees/$format-$version" "$format" "$version"
			make_image "$format" "$1.trees/$format-$version" "$1/$format-$version.raw"
		done
		cp "$1/$format-1.raw" "$extensions/$format.raw"
	done
	make_verity "$1/verity"
}

# A signed image as tests/vm/activate is given it, its signature, another image's, and the certificate.
make_verity() { # DIRECTORY
	local T=$work/verity

	if [ ! -d "$T" ]; then
		mkdir "$T"
		new_key friend && new_key stranger
		make_tree "$T/tree.d" tool
		head -c 100000 /dev/urandom >"$T/tree.d/usr/bin/data"
		mksquashfs "$T/tree.d" "$T/data" -quiet -no-progress -noappend >/dev/null
		make_signed "$T/other.raw" friend && mv "$T/p7s" "$T/other.p7s" # the salt differs each time
		make_signed "$T/tool.raw" friend
		openssl x509 -in "$T/friend.crt" -outform der -out "$T/friend.der"
		sfdisk -J "$T/tool.raw" | jq -r --arg root "$(cat "$T/hash")" '[.partitiontable.partitions[0, 1] |
			"/verity/tool.raw", .start * 512, .size * 512] + [$root] | join(",")' >"$T/image"
	fi
	mkdir "$1"
	cp "$T"/{tool.raw,data,image,p7s,other.p7s,friend.crt,friend.der,stranger.crt} "$1/"
}

boot() { # KERNEL DIRECTORY
	timeout 300 qemu-system-x86_64 -M q35 -nodefaults -accel tcg -cpu Nehalem,+rdrand -smp 1 -m 1024 -no-reboot \
		-display none -monitor none -serial "file:$2/console" -kernel "$1" -initrd "$2/initrd" \
		-append "console=ttyS0 quiet loglevel=3 panic=-1 random.trust_cpu=on tsc=reliable no_timer_check mitigations=off" \
		>"$2/qemu.log" 2>&1
}

run_suite() { # SUITE
	local kernel=$cache/kernel-$1 place=$work/$1 image lib status

	suite=$1
	mkdir -p "$place"
	if ! get_kernel "$1"; then
		skip "the kernel of $1" "it cannot be had here: no network?"
		return
	fi
	# In newer suites all of it lies in the directory of the modules.
	image=$(find "$kernel" -name 'vmlinuz*' | head -n 1)
	lib=$(find "$kernel" -path '*/lib/modules/*' -prune | head -n 1)
	make_guest "$place/guest" "$lib"
	make_guest_root "$place/guest"
	(cd "$place/guest" && find . | cpio --quiet -o -H newc) >"$place/initrd"
	# Now and then a boot is lost under software emulation, more often on a busy machine; one with a result is never repeated.
	for _ in 1 2 3 4; do
		boot "$image" "$place"
		status=$?
		! grep -q '^1\.\.' "$place/console" || break
		echo "# qemu's exit status $status, $(wc -c <"$place/console") bytes of console: $(tr '\n' ' ' <"$place/qemu.log" | head -c 1000)"
	done
	take_results "$place/console"
	ok "the guest of $1 came to its end" grep -q '^1\.\.' "$place/console"
}

for suite in ${EXTMERGE_SUITES:-bookworm trixie sid}; do
	run_suite "$suite"
done
finish
