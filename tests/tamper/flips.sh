#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Random bits of a signed image are turned round, one at a time: through the merged tree no wrong byte is ever read,
# and each flip in a block that is used is seen (specs: trust.6, trust.10). FLIPS: how many (100); SEED.
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
need_signing "flipped bits"
. "$TESTS_DIR/tamper/images.bash"
need_backend "flipped bits"
: "${FLIPS:=100}" "${SEED:=$$}"
echo "# FLIPS=$FLIPS SEED=$SEED"
RANDOM=$SEED
new_key friend
mkdir -p "$R/etc/verity.d" && cp "$T/friend.crt" "$R/etc/verity.d/"

# Without a table of inode numbers, every block of it is read when all files are.
make_tree "$T/content" many
for i in $(seq 20); do
	head -c $((RANDOM % 30000)) /dev/urandom >"$T/content/usr/bin/file$i"
done
mksquashfs "$T/content" "$T/data" -quiet -no-progress -noappend -no-exports >/dev/null
make_signed "$X/many.raw" friend
mkdir "$T/truth" && cp -r "$T/content/usr/bin" "$T/truth/"
cp "$X/many.raw" "$T/image"

# What a flip came to: "wrong" (must never be), "refused", "errors", or "right": as if nothing were.
read_all() {
	local said
	[ "$(layers usr)" = many ] || { echo refused; return; }
	said=$(cd "$T/truth/bin" && for file in *; do cmp "$file" "$R/usr/bin/$file" 2>&1; done)
	case $said in
	'') echo right ;;
	*differ* | *EOF*) echo wrong ;;
	*) echo errors ;;
	esac
}

# The whole of a part, as offset and size; of a superblock only what means something: the rest is padding.
declare -A start size
start[data]=$(part_start "$X/many.raw" 0) size[data]=$(stat -c %s "$T/data")
start[tree]=$(($(part_start "$X/many.raw" 1) + 4096)) size[tree]=$(($(stat -c %s "$T/tree") - 4096))
start[superblock]=$(part_start "$X/many.raw" 1) size[superblock]=512
start[signature]=$(part_start "$X/many.raw" 2) size[signature]=$(part_size "$X/many.raw" 2)
start[table]=512 size[table]=1024
declare -A seen
for part in data tree superblock signature table; do
	seen[$part]=0
	for outcome in wrong refused errors right; do seen[$part-$outcome]=0; done
done

turn() { # FILE OFFSET BIT
	local byte
	byte=$(od -An -tu1 -j "$2" -N1 "$1")
	printf '%b' "$(printf '\\x%02x' $((byte ^ (1 << $3))))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

parts=(data data data data tree tree signature signature superblock table)
for ((i = 0; i < FLIPS; i++)); do
	part=${parts[i % 10]}
	offset=$((start[$part] + (RANDOM << 15 | RANDOM) % size[$part])) bit=$((RANDOM % 8))
	turn "$X/many.raw" $offset $bit
	em refresh --verity="$BACKEND"
	outcome=$(read_all)
	[ "$outcome" != wrong ] || echo "# wrong bytes: $part, bit $bit of byte $offset"
	[ "$outcome" != right ] || [[ $part == superblock || $part == table ]] || echo "# not seen: $part, bit $bit of byte $offset"
	seen[$part]=$((seen[$part] + 1)) seen[$part-$outcome]=$((seen[$part-$outcome] + 1))
	turn "$X/many.raw" $offset $bit
done
for part in data tree signature superblock table; do
	echo "# $part: ${seen[$part]} flips, ${seen[$part-refused]} refused, ${seen[$part-errors]} read errors, ${seen[$part-right]} without effect, ${seen[$part-wrong]} wrong"
	is "no wrong byte after a flip in: $part" "${seen[$part-wrong]}" 0
	[[ $part == superblock || $part == table ]] || is "every flip seen in: $part" "${seen[$part-right]}" 0
done
cmp "$X/many.raw" "$T/image"
is "the image is what it was" $? 0
em refresh --verity="$BACKEND"
is "and is merged" "$(read_all)" right

# The same while it stays merged: in place, under the tree. What was read before is served from memory.
em unmerge
em refresh --verity="$BACKEND"
for ((at = 0; at < size[data]; at += 4096)); do
	turn "$X/many.raw" $((start[data] + at + RANDOM % 4096)) $((RANDOM % 8))
done
like "turned round under a merged tree, no byte is wrong" "$(read_all)" '^(errors|right)$'
finish
