#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# File systems: good, damaged, ambiguous, unsupported and endless ones (threats 6 and 40 to 43).
# shellcheck disable=SC2154 # out, err, rc, list: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
mkdir -p "$R/run/extensions" "$DISK/images"
mount --bind "$DISK/images" "$R/run/extensions"
D=$R/run/extensions # on a real disk
make_good

image() { # FORMAT FILE NAME: brings usr/bin/NAME and some more
	make_tree "$T/tree" "$3"
	mkdir -p "$T/tree/usr/share/$3"
	head -c 20000 /dev/urandom >"$T/tree/usr/share/$3/random"
	make_image "$1" "$T/tree" "$2" || echo "# cannot make $2"
	rm -r "$T/tree"
}
magic() { # FILE OFFSET TEXT: 1 MiB with nothing but that
	truncate -s 1M "$1" && printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
formats=(erofs squashfs ext4)
if command -v mkfs.btrfs >/dev/null && [ -z "$(mkfs.btrfs --version | grep -o 'v[0-3]\.')" ]; then
	formats+=(btrfs)
else
	skip "btrfs" "there is no mkfs.btrfs"
fi

# --- good ones, on a tmpfs and on a disk ---
for format in "${formats[@]}"; do
	image "$format" "$X/t-$format.raw" "t-$format"
	image "$format" "$D/d-$format.raw" "d-$format"
done
[[ " ${formats[*]} " != *" btrfs "* ]] || { image btrfs "$T/part" gpt && make_disk "$X/gpt.raw" 512 "root:$T/part" && rm "$T/part"; }
refresh_beside "all formats"
for format in "${formats[@]}"; do
	is "$format is merged, from a tmpfs and from a disk" "$(cat "$R/usr/bin/"{t,d}-"$format" | paste -sd' ')" "t-$format d-$format"
done
[[ " ${formats[*]} " != *" btrfs "* ]] || is "btrfs in a disk image is merged" "$(cat "$R/usr/bin/gpt")" gpt
if losetup -l -n -O BACK-INO,BACK-MAJ:MIN | grep -q "^ *$(stat -c %i "$D/d-erofs.raw") .*$(findmnt -n -o MAJ:MIN -T "$DISK" | tr -d ' ')"; then
	like "erofs on a disk needs a loop device only where the kernel is old" "$(uname -r)" '^([0-5]|6\.[0-9]\.|6\.1[01]\.)'
else
	is "erofs on a disk needs no loop device, the others do" "$(loops_below "$DISK")" $((${#formats[@]} - 1))
fi
is "on a tmpfs, which the kernel cannot mount it from, it is mounted by one as well" "$(loops_below "$T")" "$(find "$X" -name '*.raw' | wc -l)"
unmerge_clean "them"
rm -rf "${X:?}"/*.raw "${D:?}"/*

# --- what is broken, unknown or too much ---
for format in "${formats[@]}"; do
	image "$format" "$X/cut-$format.raw" "cut-$format"
	truncate -s $(($(stat -c %s "$X/cut-$format.raw") / 2)) "$X/cut-$format.raw"
	image "$format" "$X/start-$format.raw" "start-$format"
	truncate -s 1000 "$X/start-$format.raw"
done
image erofs "$X/polyglot.raw" polyglot && put "$X/polyglot.raw" 0 68737173
image erofs "$X/disk-too.raw" disk-too && put "$X/disk-too.raw" 512 4546492050415254
image ext4 "$X/two.raw" two && put "$X/two.raw" $((0x10040)) 5f42485266535f4d
head -c 1M /dev/zero | tr '\0' 'x' >"$X/text.raw"
truncate -s 1M "$X/zeros.raw"
: >"$X/empty.raw"
echo x >"$X/byte.raw"
truncate -s 7E "$X/endless.raw"
image erofs "$D/sparse.raw" sparse && truncate -s 1T "$D/sparse.raw"
image ext4 "$X/dirty.raw" dirty && debugfs -w -R 'feature needs_recovery' "$X/dirty.raw" >/dev/null 2>&1
if image ext4 "$X/folding.raw" folding && debugfs -w -R 'feature casefold' "$X/folding.raw" 2>&1 | grep -q casefold; then
	folding='^folding|corrupt|case folding'
else
	skip "case folding" "this debugfs cannot set it"
fi
image erofs "$X/block-size.raw" block-size && put "$X/block-size.raw" 1036 20
image squashfs "$X/version.raw" version && put "$X/version.raw" 28 03
image squashfs "$X/log.raw" log && put "$X/log.raw" 22 ff
magic "$X/xfs.raw" 0 XFSB
magic "$X/vfat.raw" 54 'FAT16   '
magic "$X/luks.raw" 0 'LUKS\xba\xbe'
magic "$X/iso.raw" 32769 CD001
magic "$X/swap.raw" 4086 SWAPSPACE2
magic "$X/hashes.raw" 0 'verity\0\0'
magic "$X/bigendian.raw" 0 sqsh
! command -v mkfs.vfat >/dev/null || { truncate -s 4M "$X/mkfs.vfat.raw" && mkfs.vfat "$X/mkfs.vfat.raw" >/dev/null; }
! command -v mkfs.xfs >/dev/null || { truncate -s 400M "$X/mkfs.xfs.raw" && mkfs.xfs -q "$X/mkfs.xfs.raw" >/dev/null; }
deep=$(printf '/d%.0s' {1..200})
for name in deep deep-image; do
	make_tree "$T/$name" $name && mkdir -p "$T/$name/usr/share$deep" && touch "$T/$name/usr/share$deep/file"
done
mv "$T/deep" "$X/deep" && make_image erofs "$T/deep-image" "$X/deep-image.raw"

look
while IFS='|' read -r names word sentence; do
	for name in ${names//,/ }; do
		[ ! -e "$X/$name.raw" ] && [ ! -e "$X/$name" ] || judged "$name" "$word" "$sentence"
	done
done <<TABLE
cut-erofs,cut-squashfs,cut-ext4,cut-btrfs|corrupt|truncated
start-squashfs|corrupt|truncated
start-erofs,start-ext4,start-btrfs|unknown-format|no known file system
polyglot,two|ambiguous|more than one file system
disk-too|corrupt|revision of the partition table
text,zeros,byte,endless|unknown-format|no known file system
empty|empty|empty file
dirty|corrupt|journal was not replayed
${folding-}
block-size|corrupt|impossible block size
version|corrupt|major version
log|corrupt|impossible block size
xfs,mkfs.xfs|unsupported|xfs is not supported
vfat,mkfs.vfat|unsupported|vfat is not supported
luks|unsupported|LUKS is not supported
iso|unsupported|iso9660 is not supported
swap|unsupported|swap space
hashes|unsupported|hash tree
bigendian|unsupported|big-endian squashfs
deep,deep-image|too-large|more than 128 directories deep|cannot be read
TABLE
judged sparse fits
refresh_beside "broken file systems" --force # which changes nothing about that
is "none of them is merged" "$(layers usr)" "sparse good"
unmerge_clean "them"
rm -rf "${X:?}"/*.raw "${D:?}"/* "$X/deep"

# --- damaged metadata: refused, or merged with what can be read, but never at the cost of the others ---
for format in erofs squashfs; do
	image $format "$T/sound" damaged
	size=$(stat -c %s "$T/sound")
	for ((i = 0; i < 24; i++)); do
		cp "$T/sound" "$X/damaged$format$i.raw"
		# Half of them anywhere behind the superblock, half in the metadata.
		at=$((1200 + i * (size - 1300) / 12))
		[ $i -lt 12 ] || [ $format = squashfs ] || at=$((1152 + (i - 12) * 83))
		[ $i -lt 12 ] || [ $format = erofs ] || at=$((size - (i - 11) * 83))
		put "$X/damaged$format$i.raw" $at "$(printf '%02x' $((i * 37 % 255 + 1)))ff00ff"
	done
done
started=$SECONDS
refresh_beside "48 damaged images" --force
ok "it took less than 20 seconds" test $((SECONDS - started)) -lt 20
em list --json --force
is "each was judged" "$(jq '[.extensions[] | select(.name | startswith("damaged"))] | length' <<<"$out")" 48
echo "# $(jq -r '[.extensions[] | select(.name | startswith("damaged")) | .reason.code // "fits"] | group_by(.) | map("\(length) \(.[0])") | join(", ")' <<<"$out")"
ok "and the merged tree can be read" ls -R "$R/usr"
unmerge_clean "them"
finish
