#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every way to lie about a hash tree, a signature or a root hash, each refused with its own word while a good image
# beside it is merged (threats 7 to 26; specs: trust.*). $BACKEND: images.bash.
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
need_signing "the tamper table"
. "$TESTS_DIR/tamper/images.bash"
need_backend "the tamper table"
note_mounts
new_key friend && new_key stranger
openssl req -x509 -newkey rsa:1024 -nodes -keyout "$T/short.key" -out "$T/short.crt" -subj /CN=short -days 30 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout "$T/leaf.key" -out "$T/leaf.csr" -subj /CN=leaf 2>/dev/null
openssl x509 -req -in "$T/leaf.csr" -CA "$T/friend.crt" -CAkey "$T/friend.key" -CAcreateserial -out "$T/leaf.crt" -days 30 2>/dev/null
mkdir -p "$R/etc/verity.d" && cp "$T/friend.crt" "$T/short.crt" "$R/etc/verity.d/"

make_protected "$T/foreign.raw" friend
cp "$T/hash" "$T/foreign-hash" && cp "$T/p7s" "$T/foreign-p7s" && cp "$T/tree" "$T/foreign-tree"
make_protected "$X/good.raw" friend
hash=$(cat "$T/hash") p7s=$(base64 -w0 <"$T/p7s")
tree=$(part_start "$X/good.raw" 1)
: >"$T/expected"

# A copy of the good image, that this word and sentence are expected of.
copy() { # NAME CODE EXTENDED-REGEX
	cp "$X/good.raw" "$X/$1.raw"
	printf '%s|%s|%s\n' "$1" "$2" "$3" >>"$T/expected"
}
json() { # NAME CODE EXTENDED-REGEX TEXT
	copy "$1" "$2" "$3" && put_json "$X/$1.raw" "$4"
}
# Signed as openssl's options say: on stdout a signature of the text $2.
signature() { # NAME CODE EXTENDED-REGEX TEXT OPTION...
	local name=$1 code=$2 sentence=$3 text=$4
	shift 4
	printf %s "$text" | openssl "$@" -outform der 2>/dev/null | base64 -w0 >"$T/base64"
	json "$name" "$code" "$sentence" "{\"rootHash\":\"$hash\",\"signature\":\"$(cat "$T/base64")\"}"
}
by() { # KEY
	echo -inkey "$T/$1.key" -signer "$T/$1.crt"
}

# --- threat 11, 12: superblocks that lie ---
while IFS='|' read -r name offset bytes code sentence; do
	copy "sb-$name" "$code" "$sentence" && put "$X/sb-$name.raw" $((tree + offset)) "$bytes"
done <<'TABLE'
magic|0|00|corrupt|no verity superblock
version|8|02000000|corrupt|version
type|12|00000000|corrupt|hash type|type
md5|32|6d64350000000000|corrupt|algorithm
sha1|32|7368613100000000|corrupt|algorithm
sha512|32|7368613531320000|corrupt|cut off
block0|64|00000000|corrupt|block size
block3|64|03000000|corrupt|block size
blockhuge|64|00000080|corrupt|block size
hashblock0|68|00000000|corrupt|block size
hashblockhuge|68|00000080|corrupt|block size
blocks0|72|0000000000000000|corrupt|no data
blockshuge|72|0000000000000080|corrupt|data
blocksfew|72|0100000000000000|corrupt|first block
saltsize|80|ffff|corrupt|salt
salt|88|00|root-hash-mismatch|not the one of its root hash
TABLE
copy tree-block root-hash-mismatch 'not the one of its root hash' && flip "$X/tree-block.raw" $((tree + 4096 + 40))
copy tree-foreign root-hash-mismatch 'not the one of its root hash' && put_part "$X/tree-foreign.raw" 1 "$T/foreign-tree"
copy data-first corrupt 'first block' && flip "$X/data-first.raw" 1048600

# --- threat 13: JSON ---
rest="\"signature\":\"$p7s\"}"
json json-none bad-signature 'no JSON' ''
json json-array bad-signature 'JSON' '[]'
json json-nohash bad-signature 'rootHash' "{$rest"
json json-nosignature bad-signature 'signature' "{\"rootHash\":\"$hash\"}"
json json-upper bad-signature 'rootHash' "{\"rootHash\":\"${hash^^}\",$rest"
json json-short bad-signature 'rootHash' "{\"rootHash\":\"${hash:0:32}\",$rest"
json json-twice bad-signature 'twice' "{\"rootHash\":\"$hash\",\"rootHash\":\"$hash\",$rest"
json json-escaped bad-signature 'twice' "{\"rootHash\":\"$hash\",\"root\\u0048ash\":\"$hash\",$rest"
json json-number bad-signature 'string' "{\"rootHash\":12,$rest"
json json-deep bad-signature 'deep|levels|nested' "{\"x\":$(printf '[%.0s' $(seq 2000)),\"rootHash\":\"$hash\",$rest"
json json-behind bad-signature 'behind' "{\"rootHash\":\"$hash\",${rest}x"
json json-bytes bad-signature 'UTF-8' "{\"rootHash\":\"$hash\",\"x\":\"$(printf '\xff')\",$rest"
json json-base64 bad-signature 'base64' "{\"rootHash\":\"$hash\",\"signature\":\"$p7s!\"}"
json json-two bad-signature '.' "{\"rootHash\":\"$hash\",$rest" && put "$X/json-two.raw" $(($(part_start "$X/json-two.raw" 2) + 12000)) 7b7d

# --- threat 14, 15: somebody else's root hash and signature ---
json hash-foreign root-hash-mismatch 'not the one of its root hash' \
	"{\"rootHash\":\"$(cat "$T/foreign-hash")\",\"signature\":\"$(base64 -w0 <"$T/foreign-p7s")\"}"
json signature-foreign bad-signature 'not that of this root hash' \
	"{\"rootHash\":\"$hash\",\"signature\":\"$(base64 -w0 <"$T/foreign-p7s")\"}"
copy file-disagrees root-hash-mismatch 'two sources' && cp "$T/foreign-hash" "$X/file-disagrees.roothash"
copy attribute-disagrees root-hash-mismatch 'two sources' &&
	setfattr -n user.verity.roothash -v "$(cat "$T/foreign-hash")" "$X/attribute-disagrees.raw"
copy usr-hash corrupt 'usr hash' && echo "$hash" >"$X/usr-hash.usrhash"

# --- threat 16: signatures that others take ---
# shellcheck disable=SC2046 # options of openssl
{
	signature sha1 unsupported-signature 'digest' "$hash" smime -sign -nocerts -noattr -binary -md sha1 $(by friend)
	signature md5 unsupported-signature 'digest' "$hash" smime -sign -nocerts -noattr -binary -md md5 $(by friend)
	signature attributes unsupported-signature 'attributes' "$hash" smime -sign -nocerts -binary $(by friend)
	signature attached unsupported-signature 'content' "$hash" smime -sign -nocerts -noattr -binary -nodetach $(by friend)
	signature two-signers unsupported-signature 'signer' "$hash" smime -sign -nocerts -noattr -binary $(by friend) $(by stranger)
	signature key-id unsupported-signature '.' "$hash" cms -sign -nocerts -noattr -binary -keyid $(by friend)
	signature short-key unsupported-signature 'RSA|bits' "$hash" smime -sign -nocerts -noattr -binary $(by short)
	signature newline bad-signature 'not that of this root hash' "$hash
" smime -sign -nocerts -noattr -binary $(by friend)
	signature leaf unknown-signer 'nobody who is trusted' "$hash" smime -sign -noattr -binary $(by leaf) -certfile "$T/friend.crt"
	signature brings-own unknown-signer 'nobody who is trusted' "$hash" smime -sign -noattr -binary $(by stranger)
}
{ base64 -d <<<"$p7s" && printf x; } | base64 -w0 >"$T/base64"
json trailing bad-signature '.' "{\"rootHash\":\"$hash\",\"signature\":\"$(cat "$T/base64")\"}"
json empty bad-signature 'empty|signature' "{\"rootHash\":\"$hash\",\"signature\":\"\"}"

# --- threat 8, 23, 24, 26: files beside an image ---
beside() { # NAME CODE EXTENDED-REGEX
	cp "$T/beside.raw" "$X/$1.raw"
	for suffix in roothash roothash.p7s verity; do cp "$T/beside.$suffix" "$X/$1.$suffix"; done
	printf '%s|%s|%s\n' "$1" "$2" "$3" >>"$T/expected"
}
make_beside "$T/beside.raw" friend
beside beside-tree root-hash-mismatch 'not the one of its root hash' && cp "$T/foreign-tree" "$X/beside-tree.verity"
beside beside-writable unsafe-path 'written by everybody' && chmod o+w "$X/beside-writable.roothash.p7s"
beside beside-fifo unsafe-path 'no regular file' && rm "$X/beside-fifo.roothash" && mkfifo "$X/beside-fifo.roothash"
beside beside-link unsafe-path 'link' && mv "$X/beside-link.verity" "$T/elsewhere" && ln -s "$T/elsewhere" "$X/beside-link.verity"
beside beside-notree corrupt 'no hash tree' && rm "$X/beside-notree.verity"
beside beside-nohash corrupt 'names its root hash' && rm "$X/beside-nohash.roothash"
beside beside-unsigned unsigned 'asks for a signature' && rm "$X/beside-unsigned.roothash.p7s"
beside beside-long corrupt 'too long' && head -c 70000 /dev/zero >>"$X/beside-long.roothash"
copy second-tree corrupt 'within' && cp "$T/beside.verity" "$X/second-tree.verity"
copy second-signature ambiguous 'another one beside it' && cp "$T/p7s" "$X/second-signature.roothash.p7s"

# --- each of them ---
look --verity="$BACKEND"
while IFS='|' read -r name code sentence; do
	judged "$name" "$code" "$sentence"
done <"$T/expected"
judged good fits
if command -v strace >/dev/null; then
	traced
	is "a refresh merges the good one" "$rc $(cat "$R/usr/bin/good")" "0 good"
	is "and one file system is opened for $(wc -l <"$T/expected") images beside it" \
		"$(grep -cE 'fsopen\("(erofs|squashfs|ext4|btrfs)"' "$T/trace")" 1
else
	em refresh --verity="$BACKEND"
	is "a refresh merges the good one" "$rc $(cat "$R/usr/bin/good")" "0 good"
fi
unmerge_clean "it"

# --- what is sound, although it looks odd: each is signed ---
rm -rf "${X:?}"/* "$T/expected"
odd() { # NAME TEXT
	make_protected "$X/$1.raw" friend && hash=$(cat "$T/hash") && p7s=$(base64 -w0 <"$T/p7s")
}
odd unknown-member && put_json "$X/unknown-member.raw" "{\"x\":[1,{\"y\":null}],\"rootHash\":\"$hash\",\"signature\":\"$p7s\"}"
odd brings-certificate && printf %s "$hash" |
	openssl smime -sign -noattr -binary -inkey "$T/friend.key" -signer "$T/friend.crt" -outform der -out "$T/der" 2>/dev/null &&
	put_json "$X/brings-certificate.raw" "{\"rootHash\":\"$hash\",\"signature\":\"$(base64 -w0 <"$T/der")\"}"
odd other-uuids && put "$X/other-uuids.raw" $((1024 + 16)) 00112233445566778899aabbccddeeff && seal_disk "$X/other-uuids.raw"
is "odd and sound" "$(judgements | paste -sd' ')" "brings-certificate =signed other-uuids =signed unknown-member =signed"
# Threat 10: without a signature such UUIDs name no root hash that fits.
make_protected "$X/uuids.raw" none && put "$X/uuids.raw" $((1024 + 16)) 00112233445566778899aabbccddeeff && seal_disk "$X/uuids.raw"
is "UUIDs alone must be those of the root hash" "$(judgements --trust=verity | grep 'uuids.*mismatch')" "uuids root-hash-mismatch"
# Threat 20.
cp "$X/unknown-member.raw" "$X/sshd.raw"
is "a signed image by another name is not that" "$(judgements | grep sshd)" "sshd name-mismatch"
# Threat 23: what lies beside was opened once.
rm -rf "${X:?}"/*
make_beside "$X/side.raw" friend squashfs
cp "$T/content/usr/bin/side.data" "$T/data.before"
em refresh --verity="$BACKEND"
cp "$T/foreign-tree" "$X/side.new" && mv "$X/side.new" "$X/side.verity"
ok "a hash tree that is swapped changes nothing that is served" cmp "$R/usr/bin/side.data" "$T/data.before"
em refresh --verity="$BACKEND"
is "until the next refresh" "$rc $(judgements)" "4 side root-hash-mismatch"
unmerge_clean "it"
finish
