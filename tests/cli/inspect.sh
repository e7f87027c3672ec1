#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# extmerge inspect: what it tells of images, sound and broken, without privilege (specs: inspect.*).
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin unprivileged
need_signing "extmerge inspect"

make_tree "$T/content" tool
mksquashfs "$T/content" "$T/data" -quiet -no-progress -noappend >/dev/null
mkdir -p "$R/etc/verity.d"
new_key friend && new_key stranger
cp "$T/friend.crt" "$R/etc/verity.d/"
make_signed "$T/tool.raw" friend
hash=$(cat "$T/hash")
print=$(openssl x509 -in "$T/friend.crt" -outform der | sha256sum | cut -d' ' -f1)

line() { # LABEL
	sed -n "s/^  $1 *//p" <<<"$out"
}
value() { # JQ-EXPRESSION
	"$EXTMERGE" --root="$R" inspect --json=short "$T/tool.raw" 2>/dev/null | jq -rc "$1"
}

# --- a signed image ---
em inspect "$T/tool.raw"
like "its parts are a table" "$out" "NR PARTITION +CONTENT +SIZE FOR +FLAGS +LABEL +UUID"
is "a line for each" "$(grep -cE '^ [123] root' <<<"$out")" 3
like "with content and architecture" "$out" $'\n'" 1 root +squashfs +[0-9.]+K x86-64 "
like "and the UUID, which is of the root hash" "$out" " 2 root-verity +hash tree .* ${hash:32:8}-${hash:40:4}-"
is "its root hash is shown" "$(line "root hash")" "$hash"
n=$(($(stat -c %s "$T/data") / 4096))
is "its hash tree" "$(line "hash tree")" "sha256, $n block$( ((n == 1)) || echo s) of 4096 bytes, 32 bytes of salt"
is "its signer" "$(line signature)" 'by "friend", who is trusted here'
is "the certificate" "$(line certificate)" "sha256 $print"
like "and its dates" "$(line valid)" "^20[0-9-]+ to 20[0-9-]+$"
is "the policy, narrowed as there is a certificate" "$(line policy)" "root=signed+absent:usr=signed+absent allows it"
em --no-legend inspect "$T/tool.raw"
is "--no-legend has no headings" "$(grep -c PARTITION <<<"$out")" 0
is "JSON: the schema" "$(value .schema)" extmerge.inspect/1
is "JSON: partitions as sfdisk has them" "$(value '[.partitions[] | [.number, .offset, .size, .uuid, .type]]')" \
	"$(sfdisk -J "$T/tool.raw" | jq -c '[.partitiontable.partitions[] |
		[(.node | .[-1:] | tonumber), .start * 512, .size * 512, (.uuid | ascii_downcase), (.type | ascii_downcase)]]')"
is "JSON: what is in them" "$(value '[.partitions[] | .designator, .content, .used, .architecture] | map(tostring) | join(" ")')" \
	"root squashfs true x86-64 root-verity hash tree true x86-64 root-verity-sig signature true x86-64"
is "JSON: the hash tree" "$(value '.hash_tree | [.algorithm, .blocks, .block_size, .hash_block_size, (.salt | length)] | map(tostring) | join(" ")')" \
	"sha256 $(($(stat -c %s "$T/data") / 4096)) 4096 4096 64"
is "JSON: the salt as veritysetup has it" "$(value .hash_tree.salt)" \
	"$(veritysetup dump "$T/tree" | sed -n 's/^Salt:[[:space:]]*//p')"
is "JSON: the signature" "$(value '.signature | [.state, .signer, .fingerprint, (.not_after | length)] | map(tostring) | join(" ")')" \
	"trusted friend $print 20"
is "JSON: the policy" "$(value '.policy | [.allowed, .text] | map(tostring) | join(" ")')" "true root=signed+absent:usr=signed+absent"

# --- inspect.5: the policy is the one in force ---
mkdir -p "$R/etc/extmerge.conf.d"
printf '[sysext]\nTrust=any\nImagePolicy=root=absent\n' >"$R/etc/extmerge.conf.d/1.conf"
em inspect "$T/tool.raw"
is "that of the configuration" "$(line policy)" \
	"root=absent refuses it: the policy does not allow such a partition"
like "which is the verdict, too" "$(line verdict)" "^policy-refused"
em inspect --image-policy=root=signed "$T/tool.raw"
is "that of the command line" "$(line policy)" "root=signed allows it"
rm -r "$R/etc/extmerge.conf.d"

# --- others: what is done to the image | label | what is said | JQ expression | value ---
while IFS='|' read -r what change label text expression expected; do
	make_signed "$T/tool.raw" friend
	eval "$change"
	em inspect "$T/tool.raw"
	like "$what: $label" "$(line "$label")" "$text"
	is "$what, in JSON" "$(value "$expression | tostring")" "$expected"
done <<'TABLE'
signed by a stranger|make_signed "$T/tool.raw" stranger|signature|does not count: nobody who is trusted|.signature.state|unknown
nobody has signed it|make_signed "$T/tool.raw" none|signature|^none$|.signature.state|none
the signature is damaged|flip "$T/tool.raw" 3146300|signature|does not count|.signature.state|bad
the policy refuses it|make_signed "$T/tool.raw" none|policy|refuses it: .*|.policy.allowed|false
the superblock is damaged|flip "$T/tool.raw" 2097160|hash tree|is malformed|.hash_tree|null
the table is damaged|flip "$T/tool.raw" 1100|verdict|corrupt: wrong checksum of the partition entries|.partitions|[]
a bare file system|cp "$T/data" "$T/tool.raw"|kind|squashfs$|[.gpt, .verity, .parts[0].format]|[false,false,"squashfs"]
TABLE
make_signed "$T/tool.raw" friend

# A fingerprint says where to look for the certificate.
make_packed "$T/tool.raw" "$T/content" stranger --format=squashfs 2>/dev/null &&
	{
		em inspect "$T/tool.raw"
		is "who says to have signed it" "$(line certificate)" \
			"sha256 $(openssl x509 -in "$T/stranger.crt" -outform der | sha256sum | cut -d' ' -f1), as it says itself"
		like "attributes are shown" "$out" " read-only root-x86-64 "
		is "JSON: attributes" "$(value '.partitions[0] | [.read_only, .no_auto, .grow] | map(tostring) | join(" ")')" "true false false"
	}

# --- sidecars: a bare file system with its tree and signature beside it ---
cp "$T/data" "$T/tool.raw"
veritysetup format --root-hash-file="$T/hash" "$T/data" "$T/tool.verity" >/dev/null
cp "$T/hash" "$T/tool.roothash"
em inspect "$T/tool.raw"
is "sidecars count" "$(line "root hash")" "$(cat "$T/hash")"
tr 0-9 1-90 <"$T/hash" >"$T/tool.roothash"
em inspect "$T/tool.raw"
like "and if they are of another image, that is said or nothing is" "$(line "root hash")$(line fault)" "."
rm "$T"/tool.{verity,roothash}

# --- other partitions ---
make_disk "$T/tool.raw" 4096 "root:$T/data:one" "root.arm64:$T/data:two" "usr.riscv64:$T/data" "root:$T/data:zero:9223372036854775808"
is "of several, those are marked that are used here" \
	"$(value '[.partitions[] | .label, .architecture, .used, .no_auto] | map(tostring) | join(" ")')" \
	"one x86-64 true false two arm64 false false  riscv64 false false zero x86-64 false true"
em inspect "$T/tool.raw"
is "others are not used" "$(grep -c 'not used' <<<"$out")" 3
em inspect "$T/content"
is "a directory has no table" "$(grep -c PARTITION <<<"$out")$(value .missing)" 0null
finish
