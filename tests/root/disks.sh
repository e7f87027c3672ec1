#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Disk images with a GPT: what is taken from them, and broken tables (threats 1 to 9; specs/dissect.md).
# shellcheck disable=SC2154 # out, err, rc, list: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
[ "$(uname -m)" = x86_64 ] || { skip "disk images" "the tables here are made for x86-64"; finish; }
make_good

# $T/NAME.part, a file system that brings usr/bin/NAME.
part() { # NAME [FORMAT]
	make_tree "$T/$1" "$1"
	make_image "${2-erofs}" "$T/$1" "$T/$1.part"
}

# --- what is accepted ---
for format in erofs squashfs ext4; do
	for size in 512 4096; do
		part $format$size $format && make_disk "$X/$format$size.raw" $size "root:$T/$format$size.part"
	done
done
truncate -s 64K "$T/zero.part"
part resealed && make_disk "$X/resealed.raw" 512 "root:$T/resealed.part" && seal_disk "$X/resealed.raw"
part verity && make_disk "$X/verity.raw" 512 "root:$T/verity.part" "root-verity:$T/zero.part"
make_tree "$T/both" both && make_image erofs "$T/both/usr" "$T/usr.part"
mkdir -p "$T/both-root"/{opt,usr} && echo both >"$T/both-root/opt/both" && make_image squashfs "$T/both-root" "$T/root.part"
make_disk "$X/both.raw" 512 "root:$T/root.part" "usr:$T/usr.part"
make_tree "$T/only" only && make_image erofs "$T/only/usr" "$T/only.part" && make_disk "$X/only.raw" 4096 "usr:$T/only.part"
make_tree "$T/labels" labels 1.9 && make_image erofs "$T/labels" "$T/old.part"
make_tree "$T/labels" labels 1.10 && make_image erofs "$T/labels" "$T/new.part"
make_disk "$X/labels.raw" 512 "root:$T/old.part:labels_1.9" "root:$T/new.part:labels_1.10"
part skips && make_disk "$X/skips.raw" 512 "root:$T/zero.part:z:0x8000000000000000" "root:$T/zero.part:PRT#_9" \
	"root:$T/zero.part:PND#_9" "root:$T/zero.part:_empty" "root.arm64:$T/zero.part:z" "root:$T/skips.part:a"
part generic && make_disk "$X/generic.raw" 512 "generic:$T/generic.part"
part backup && make_disk "$X/backup.raw" 512 "root:$T/backup.part"
dd if="$X/backup.raw" of="$X/backup.raw" bs=512 skip=1 count=1 seek=$(($(stat -c %s "$X/backup.raw") / 512 - 1)) conv=notrunc status=none
part sfdisk && truncate -s 4M "$X/sfdisk.raw" && printf 'label: gpt\nstart=2048, size=2048, type=%s\n' "$(partition_type root)" |
	sfdisk -q "$X/sfdisk.raw" && dd if="$T/sfdisk.part" of="$X/sfdisk.raw" bs=1M seek=1 conv=notrunc status=none
make_conf_tree "$T/conf" conf && make_image erofs "$T/conf" "$T/conf.part" && make_disk "$C/conf.raw" 512 "root:$T/conf.part"
look
good=(erofs512 erofs4096 squashfs512 squashfs4096 ext4512 ext44096 resealed both only labels skips generic backup sfdisk conf)
for name in "${good[@]}"; do
	judged "$name" fits
done
refresh_beside "good disk images"
is "of two root partitions the one with the newest label is merged" "$(cat "$R/usr/bin/labels")" 1.10
is "root and usr partitions are both merged" "$(cat "$R"/{opt,usr/bin}/both | paste -sd' ')" "both both"
is "the files of the others are seen" \
	"$(cd "$R/usr/bin" && cat {erofs,squashfs,ext4}{512,4096} resealed only skips generic backup sfdisk "$R/etc/conf.conf" | paste -sd' ')" \
	"erofs512 erofs4096 squashfs512 squashfs4096 ext4512 ext44096 resealed only skips generic backup sfdisk conf"
judged verity corrupt 'no verity superblock|magic'
em inspect "$X/verity.raw" --json
is "inspect shows that it is there" "$(jq -r '"\(.gpt) \(.verity) \(.parts[0].designator) \(.parts[0].format) \(.parts[0].offset)"' <<<"$out")" "true true root erofs 1048576"
unmerge_clean "them"
rm "${X:?}"/*.raw "${C:?}"/*.raw

# --- broken tables: name | offset and bytes that are put there | seal | word | sentence ---
cat >"$T/broken" <<'TABLE'
header-crc|580|00||corrupt|checksum of the partition table.s header
entries-crc|1056|ff||corrupt|checksum of the partition entries
revision|520|00000200|seal|corrupt|unknown revision
header-huge|524|ffffffff||corrupt|header size
misplaced|536|02|seal|corrupt|misplaced
count-huge|592|ffffffff|seal|corrupt|too many partition entries
count-none|592|00000000|seal|corrupt|no or too many
entry-none|596|00000000|seal|corrupt|not of 128 bytes
entry-huge|596|ffffffff|seal|corrupt|not of 128 bytes
table-far|584|ffffffffffffff7f|seal|corrupt|out of reach
into-header|584|01|seal|corrupt|overlap the header
usable-table|552|0200000000000000|seal|corrupt|usable range overlaps
usable-end|560|ffffffffffffffff|seal|corrupt|usable range ends beyond
inverted|1064|0100000000000000|seal|corrupt|inverted
wraps|1064|ffffffffffffffff|seal|corrupt|outside of the usable range
into-table|1056|0300000000000000|seal|corrupt|outside of the usable range
overlap|1184|0008000000000000|seal|corrupt|two partitions overlap
cut-short|1064|0608000000000000|seal|corrupt|the image is truncated
only-backup|512|0000000000000000||unknown-format|no known file system
two-tables|4096|4546492050415254||corrupt|tables for two sector sizes
TABLE
while IFS='|' read -r name offset bytes seal _; do
	part "$name" && make_disk "$X/$name.raw" 512 "root:$T/$name.part" "$(case $name in overlap) echo "usr:$T/usr.part" ;; *) echo "generic:$T/zero.part" ;; esac)"
	put "$X/$name.raw" "$offset" "$bytes"
	[ -z "$seal" ] || seal_disk "$X/$name.raw"
done <"$T/broken"

# --- sound tables of unsound disks: name | word | sentence | partitions ---
part any
cat >"$T/unsound" <<'TABLE'
one-uuid|corrupt|same UUID|root:any root-verity:zero
foreign|other-architecture|other architectures|root.arm64:any usr.s390x:zero
nothing|unknown-format|no root, usr or generic|root:any:_empty
two-generic|ambiguous|more than one generic|generic:any generic:zero
no-verity|corrupt|signature without|root:any root-sig:zero
no-data|corrupt|verity without|root-verity:zero
no-file-system|unknown-format|no known file system|root:zero
mixed|ambiguous|verity on root beside usr|root:any root-verity:zero usr:any
TABLE
while IFS='|' read -r name _ _ parts; do
	# shellcheck disable=SC2046 # one word for each partition
	make_disk "$X/$name.raw" 512 $(sed -E "s#:([a-z]+)#:$T/\1.part#; s# ([^ :]+):([a-z]+)# \1:$T/\2.part#g" <<<"$parts")
done <"$T/unsound"
# The second partition's UUID becomes that of the first.
dd if="$X/one-uuid.raw" bs=1 skip=1040 count=16 status=none | dd of="$X/one-uuid.raw" bs=1 seek=1168 conv=notrunc status=none
seal_disk "$X/one-uuid.raw"
make_disk "$X/cut.raw" 512 "root:$T/any.part" && truncate -s 1100K "$X/cut.raw"
make_disk "$X/stub.raw" 512 "root:$T/any.part" && truncate -s 600 "$X/stub.raw"
make_disk "$C/usr-only.raw" 512 "usr:$T/usr.part"

look --force # which overrides a wrong match, and nothing else
while IFS='|' read -r name _ _ _ word sentence; do
	judged "$name" "$word" "$sentence"
done <"$T/broken"
look
while IFS='|' read -r name word sentence _; do
	judged "$name" "$word" "$sentence"
done <"$T/unsound"
judged cut corrupt 'usable range ends beyond the image'
judged stub corrupt 'header is cut off'
judged usr-only unknown-format 'which a confext needs'
refresh_beside "broken disk images"
is "none of them is merged" "$(layers usr)$(layers etc)" good
unmerge_clean "them"
finish
