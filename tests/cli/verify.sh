#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# extmerge verify: images made by mksquashfs, veritysetup, openssl and sfdisk, then tampered with (specs: proof.*).
. "${TESTS_DIR:?}/lib.sh"
begin unprivileged
need_signing "extmerge verify"

make_tree "$T/content" tool
head -c 900000 /dev/urandom >"$T/content/usr/bin/data"
mksquashfs "$T/content" "$T/data" -quiet -no-progress -noappend >/dev/null
mkdir -p "$R/etc/verity.d"
new_key friend && new_key stranger
cp "$T/friend.crt" "$R/etc/verity.d/"
ok "an image is signed by a friend" make_signed "$T/tool.raw" friend

em verify "$T/tool.raw"
is "a signed image is verified" $rc 0
like "its signer is shown" "$out" 'signed by "friend"'
like "and its root hash" "$out" "$(cat "$T/hash")"
em verify --json=short "$T/tool.raw"
is "JSON says the same" "$(jq -r '.schema, (.images[0] | .ok, .level, .signer, .roothash)' <<<"$out" | paste -sd' ')" \
	"extmerge.verify/1 true signed friend $(cat "$T/hash")"

# One flipped bit in each part; a partition begins at a whole MiB.
while IFS='|' read -r name offset code text; do
	cp "$T/tool.raw" "$T/flipped.raw"
	flip "$T/flipped.raw" "$offset"
	em verify "$T/flipped.raw"
	is "a flipped bit in the $name is seen" $rc "$code"
	like "and said: $name" "$err" "$text"
done <<TABLE
first block of data|1048576|1|a block of data
middle of the data|1500000|1|a block of data
hash tree|2101352|1|hash tree
table of partitions|1100|1|.
signed root hash|3145742|1|.
signature|3146200|1|.
TABLE

make_signed "$T/foreign.raw" stranger
em verify "$T/foreign.raw"
is "an image that a stranger has signed is refused" $rc 4
like "by that reason" "$err" "trust"
make_signed "$T/unsigned.raw" none
em verify "$T/unsigned.raw"
is "an image that nobody has signed is refused" $rc 4
like "though its blocks are right" "$err" "every block is right, but nobody has signed"
em verify --json=short "$T/unsigned.raw"
is "JSON calls it verity" "$(jq -r '.images[0].level' <<<"$out")" verity
em verify "$T/data"
is "what is not called .raw is no image" $rc 1
cp "$T/data" "$T/bare.raw"
em verify "$T/bare.raw"
is "a bare file system carries nothing to verify" $rc 4
em verify "$T/tool.raw" "$T/bare.raw" "$T/flipped.raw"
is "the worst of several images counts" $rc 1
like "and the good one is still named" "$out" 'tool.raw  signed by "friend"'
rm "$R/etc/verity.d/friend.crt"
em verify "$T/tool.raw"
is "without its certificate the friend is a stranger" $rc 4
em verify "$T/missing.raw"
is "an image that is not there" $rc 1
finish
