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
middle of the data|1500000|1|a block of data.*at byte 1499136
hash tree|2101352|1|hash tree
table of partitions|1100|1|.
signed root hash|3145742|1|.
signature|3146200|1|.
TABLE

make_signed "$T/foreign.raw" stranger
em verify "$T/foreign.raw"
is "an image that a stranger has signed is refused" $rc 4
like "by that reason, and with what would help" "$err" $'nobody who is trusted has signed it\n  hint: .* /etc/verity\\.d'
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

# --- a bare file system and what lies beside it (specs: sidecar.*) ---
bare() { # puts a sound one to $T/side.raw, with all its sidecars
	rm -f "$T"/side.*
	cp "$T/data" "$T/side.raw"
	veritysetup format --root-hash-file="$T/side.roothash" "$T/data" "$T/side.verity" >/dev/null
	sign_hash "$(cat "$T/side.roothash")" friend "$T/side.roothash.p7s"
}
sidecar_case() { # NAME STATUS EXTENDED-REGEX
	em verify "$T/side.raw"
	is "$1" $rc "$2"
	like "and said: $1" "$out$err" "$3"
}
bare
sidecar_case "a bare file system with hash tree and signature beside it is verified" 0 'signed by "friend"'
setfattr -n user.verity.roothash -v "$(cat "$T/side.roothash")" "$T/side.raw" 2>/dev/null &&
	sidecar_case "an attribute that agrees changes nothing" 0 'signed by'
setfattr -n user.verity.roothash -v "$(cat "$T/hash")" "$T/side.raw" 2>/dev/null &&
	sidecar_case "one that does not is refused" 1 'two sources name different root hashes'
setfattr -n user.verity.roothash -v "xyz" "$T/side.raw" 2>/dev/null &&
	sidecar_case "and so is one that is no hash" 1 'user.verity.roothash: a root hash has 16'
bare && rm "$T/side.roothash.p7s"
sidecar_case "without a signature it is not signed" 4 'nobody has signed'
bare && rm "$T/side.roothash"
sidecar_case "a hash tree without a root hash" 1 'nothing names its root hash'
bare && rm "$T/side.verity" "$T/side.roothash.p7s"
sidecar_case "a root hash without a hash tree" 1 'there is no hash tree'
bare && rm "$T/side.verity" "$T/side.roothash"
sidecar_case "a signature without a hash tree" 1 'roothash.p7s file beside it: there is no hash tree'
bare && mv "$T/side.roothash" "$T/side.usrhash"
sidecar_case "a usr hash of a bare file system" 1 'a usr hash is named'
bare && : >"$T/side.roothash.p7s"
sidecar_case "an empty signature" 1 'p7s'
bare && sign_hash "$(cat "$T/side.roothash")" stranger "$T/side.roothash.p7s"
sidecar_case "a stranger's signature" 4 'trust'
bare && sign_hash "$(cat "$T/hash")" friend "$T/side.roothash.p7s"
sidecar_case "a signature of another root hash" 1 'not that of this root hash'
bare && flip "$T/side.verity" 5000
sidecar_case "a flipped bit in the hash tree" 1 'hash tree'
bare && head -c 300K /dev/zero >"$T/side.roothash"
sidecar_case "a root hash of 300 KiB" 1 'too long'
bare && chmod o+w "$T/side.roothash"
sidecar_case "a root hash that everybody can write" 1 'roothash file beside it: it can be written by everybody'
bare && mv "$T/side.verity" "$T/elsewhere" && ln -s "$T/elsewhere" "$T/side.verity"
sidecar_case "a hash tree that is a link" 1 'verity file beside it: it is a link'
bare && rm "$T/side.roothash" && mkfifo "$T/side.roothash"
sidecar_case "a root hash that is a FIFO" 1 'no regular file'
rm -f "$T"/side.* && cp "$T/tool.raw" "$T/side.raw" && cp "$T/tree" "$T/side.verity"
sidecar_case "a disk image with a hash tree beside it" 1 'within'
rm -f "$T"/side.* && cp "$T/tool.raw" "$T/side.raw" && cp "$T/p7s" "$T/side.roothash.p7s"
sidecar_case "a disk image with a second signature" 1 'another one beside it'
rm -f "$T"/side.* && cp "$T/unsigned.raw" "$T/side.raw"
sign_hash "$(cat "$T/hash")" friend "$T/side.roothash.p7s"
sidecar_case "a disk image that is signed beside it" 0 'signed by "friend"'
echo 00000000000000000000000000000000 >"$T/side.roothash"
sidecar_case "but not with another root hash" 1 "UUIDs are not those"
rm -f "$T"/side.*

rm "$R/etc/verity.d/friend.crt"
em verify "$T/tool.raw"
is "without its certificate the friend is a stranger" $rc 4
em verify "$T/missing.raw"
is "an image that is not there" $rc 1

# --- cli.progress: a bar on a terminal, for long work only; each read of the image is held up here ---
cp "$T/friend.crt" "$R/etc/verity.d/"
held_up() { # TERM COMMAND...
	local term=$1
	shift
	TERM=$term script -qec "strace -f -qq -e signal=none -o $T/trace -e trace=pread64 \
		-e inject=pread64:delay_enter=150000 $*" /dev/null </dev/null | tr '\r' '\n' | tr -d '\000'
}
if command -v script >/dev/null && command -v strace >/dev/null && strace -o /dev/null -e inject=getpid:delay_enter=1 true 2>/dev/null; then
	said=$(held_up xterm "$EXTMERGE --root=$R verify $T/tool.raw")
	like "long work shows a bar on a terminal" "$said" "tool.raw  [#.]+ +[0-9]+%  +[0-9.]+[BKMG]/s  [0-9:]+ left"
	is "which is gone in the end" "$(grep -v '^$' <<<"$said" | grep -n 'signed by' | cut -d: -f1)" \
		"$(($(grep -cE '[0-9]% |^ +$' <<<"$said") + 1))"
	not_ok "nothing of it is an escape sequence" grep -q $'\e' <<<"$said"
	is "a dumb terminal shows none" "$(held_up dumb "$EXTMERGE --root=$R verify $T/tool.raw" | grep -c '% ')" 0
	is "nor does --quiet" "$(held_up xterm "$EXTMERGE --root=$R -q verify $T/tool.raw" | grep -c '% ')" 0
	said=$(held_up xterm "$EXTMERGE --root=$R verify --json=short $T/tool.raw >$T/json")
	like "with --json the bar is on stderr" "$said" "tool.raw  [#.]+ +[0-9]+%"
	is "and the object whole" "$(jq -r '.images[0].ok' "$T/json")" true
else
	skip "the progress of long work" "there is no script, or no strace that can hold up calls"
fi

# --- proof.8: dates are shown ---
em verify "$T/tool.raw"
like "the dates of the certificate are shown" "$out" "valid        20[0-9-]{8} to 20[0-9-]{8}"$'\n'
em verify --json=short "$T/tool.raw"
is "JSON has all there is" "$(jq -r '.images[0] | [.version, .class, .size, .blocks * .block_size, (.not_after | length)] | map(tostring) | join(" ")' <<<"$out")" \
	"null sysext $(stat -c %s "$T/tool.raw") $(stat -c %s "$T/data") 20"
for case in 20200101000000Z:20210101000000Z:expired 21200101000000Z:21210101000000Z:valid.yet; do
	IFS=: read -r from to word <<<"$case"
	new_dated_key old "$from" "$to"
	cp "$T/old.crt" "$R/etc/verity.d/old.crt"
	make_signed "$T/old.raw" old
	em verify "$T/old.raw"
	is "a certificate outside of its dates still counts: $word" $rc 0
	like "but it is said: $word" "$out" "valid .*, so it .*$word"
	em verify --certificate-validity=enforce "$T/old.raw"
	like "unless its dates are asked for: $word" "$rc $err" "^4 .*the signer's certificate .*$word"
	em verify --certificate-validity=enforce --json=short "$T/old.raw"
	is "with a code of its own: $word" "$(jq -r '.images[0].code' <<<"$out")" outside-validity
done
em verify --certificate-validity=enforce "$T/tool.raw"
is "one within its dates counts" $rc 0
em verify --certificate-validity=yes "$T/tool.raw"
is "there is no such word" $rc 2

# --- proof.9: what is wrong with each, as a word: how the image is made | code ---
while IFS='|' read -r how code; do
	make_signed "$T/code.raw" friend
	eval "$how"
	em verify --json=short "$T/code.raw"
	is "the code of: $how" "$(jq -r '.images[0].code' <<<"$out")" "$code"
done <<'TABLE'
:|null
make_signed "$T/code.raw" stranger|unknown-signer
make_signed "$T/code.raw" none|unsigned
cp "$T/data" "$T/code.raw"|unprotected
flip "$T/code.raw" 1048576|corrupt
flip "$T/code.raw" 1100|corrupt
TABLE
finish
