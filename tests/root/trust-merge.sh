#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Which kind of image is merged under which word, and that nothing is mounted of the others (specs: trust.*).
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
need_signing "trust at merge time"
. "$TESTS_DIR/tamper/images.bash"
need_backend "trust at merge time"
note_mounts
new_key friend && new_key stranger && new_key other

# --- one of each kind ---
make_protected "$X/friend.raw" friend
make_protected "$X/squash.raw" friend squashfs
make_protected "$X/stranger.raw" stranger
make_protected "$X/hashed.raw" none
make_beside "$X/side.raw" friend
make_beside "$X/sidesquash.raw" friend squashfs
make_beside "$X/sidehash.raw" none
make_data plain && mv "$T/data" "$X/plain.raw"
make_data gpt && make_disk "$X/gpt.raw" 512 "root:$T/data"
make_tree "$X/directory" directory
make_protected "$X/json.raw" friend && put_json "$X/json.raw" '{"rootHash":12}'
make_protected "$X/sha1.raw" none && printf %s "$(cat "$T/hash")" | openssl smime -sign -nocerts -noattr -binary -md sha1 \
	-inkey "$T/friend.key" -signer "$T/friend.crt" -outform der -out "$T/sha1.p7s" 2>/dev/null &&
	cp "$T/sha1.p7s" "$X/sha1.roothash.p7s"
make_protected "$X/foreign.raw" none && sign_hash "$(printf '%064d' 7)" friend "$X/foreign.roothash.p7s"
make_protected "$X/flipped.raw" friend && flip "$X/flipped.raw" $(($(part_start "$X/flipped.raw" 0) + 1030))
make_protected "$X/tree.raw" friend && cp "$T/tree" "$T/own-tree" && make_data tree2 &&
	veritysetup format --root-hash-file="$T/hash" "$T/data" "$T/tree" >/dev/null && put_part "$X/tree.raw" 1 "$T/tree"
make_protected "$X/disagree.raw" friend && printf '%064d' 7 >"$X/disagree.roothash"

# kind | auto, nobody trusted | auto, friend trusted | signed | verity | any
cat >"$T/table" <<'TABLE'
directory|=unprotected|unsigned|unsigned|unprotected|=unprotected
disagree|root-hash-mismatch|root-hash-mismatch|root-hash-mismatch|root-hash-mismatch|root-hash-mismatch
flipped|corrupt|corrupt|corrupt|corrupt|corrupt
foreign|=verity|bad-signature|bad-signature|bad-signature|=verity
friend|=verity|=signed|=signed|=signed|=signed
gpt|=unprotected|unsigned|unsigned|unprotected|=unprotected
hashed|=verity|unsigned|unsigned|=verity|=verity
json|bad-signature|bad-signature|bad-signature|bad-signature|=verity
plain|=unprotected|unsigned|unsigned|unprotected|=unprotected
sha1|unsupported-signature|unsupported-signature|unsupported-signature|unsupported-signature|=verity
side|=verity|=signed|=signed|=signed|=signed
sidehash|=verity|unsigned|unsigned|=verity|=verity
sidesquash|=verity|=signed|=signed|=signed|=signed
squash|=verity|=signed|=signed|=signed|=signed
stranger|=verity|unknown-signer|unknown-signer|unknown-signer|=verity
tree|root-hash-mismatch|root-hash-mismatch|root-hash-mismatch|root-hash-mismatch|root-hash-mismatch
TABLE

# Refreshes, and compares what is merged and how with the column of the table.
column_holds() { # COLUMN WHAT OPTION...
	local column=$1 what=$2 merged
	shift 2
	is "judged $what" "$(judgements "$@")" "$(cut -d'|' -f1,"$column" "$T/table" | tr '|' ' ')"
	em refresh --verity="$BACKEND" "$@"
	is "$what the good ones are merged" "$rc" 0
	merged=$(em status --json=short && jq -r '.hierarchies[].layers[] | .name + " =" + .trust' <<<"$out" | sort)
	is "merged $what is what may be" "$merged" "$(cut -d'|' -f1,"$column" "$T/table" | tr '|' ' ' | grep ' =')"
	is "and their files are seen, those of the others not" \
		"$(cd "$R/usr/bin" && for file in $(cut -d'|' -f1 "$T/table"); do [ ! -e "$file" ] || cat "$file"; done | paste -sd' ')" \
		"$(cut -d'|' -f1,"$column" "$T/table" | sed -n 's/|=.*//p' | paste -sd' ')"
}

column_holds 2 "where nobody is trusted"
em status --json=short
is "an unknown signer is noted there" \
	"$(jq -r '.hierarchies[].layers[] | select(.name == "stranger").note' <<<"$out")" "who has signed it is not known here"
mkdir -p "$R/etc/verity.d" && cp "$T/friend.crt" "$R/etc/verity.d/"
column_holds 3 "where a friend is trusted"
column_holds 4 "under --trust=signed" --trust=signed
column_holds 5 "under --trust=verity" --trust=verity
column_holds 6 "under --trust=any" --trust=any
em status --json=short
like "what is tolerated is named" "$(jq -r '.hierarchies[].layers[] | select(.name == "foreign").note' <<<"$out")" \
	"its signature does not count: the signature is not that of this root hash"
is "the record names root hash, signer and what is in force" \
	"$(jq -r '.hierarchies[].layers[] | select(.name == "side") | .roothash + " " + .signer + " " + .guard' <<<"$out")" \
	"$(cat "$X/side.roothash") friend $([ "$BACKEND" = dm ] && echo dm-verity || echo verified-file)"
[ "$BACKEND" = dm ] || is "one server has them all (vfile.17)" \
	"$(getfattr --only-values -n user.extmerge.0 "$R/usr" 2>/dev/null | jq -r '.layers[].server // empty' | sort -u | wc -l)" 1
em status -v
like "and status -v shows them" "$out" "root hash +$(cat "$X/side.roothash")"
em list --trust=sign
is "no such word" $rc 2
em list --image-policy=root=singed
is "no such policy" $rc 2
em list --image-policy='root=signed+squashfs:=ignore' --json=short
is "an image policy counts" "$(jq -r '.extensions[] | select(.name == "friend" or .name == "squash") |
	.name + " " + (.reason.code // .trust)' <<<"$out" | sort | paste -sd' ')" "friend policy-refused squash signed"
unmerge_clean "the protected images"

# --- nothing of a refused image is mounted ---
if command -v strace >/dev/null; then
	traced --trust=signed
	grep -q 'fsopen("erofs"' "$T/trace"
	is "the trace sees how good images are mounted" $? 0
	# Of the files that extmerge-fuse serves, those of erofs.
	[ "$BACKEND" = dm ] ||
		is "loop devices read past the page cache, but for squashfs (vfile.16)" \
			"$(grep -c 'LOOP_CONFIGURE.*LO_FLAGS_DIRECT_IO' "$T/trace")" "$(grep -c 'fsopen("erofs"' "$T/trace")"
	em unmerge
	mkdir "$T/aside" && mv "$X"/{friend,squash,side,sidesquash}.* "$T/aside/"
	traced --trust=signed
	is "where none can be merged, no driver, loop device or server was asked for" "$(drivers)" 0
	mv "$X/flipped.raw" "$T/aside/"
	traced --trust=signed
	is "where policy has refused them all, the exit status is 4" $rc 4
	mv "$T/aside/friend.raw" "$X/"
	traced --trust=signed
	is "with a good one among them it is 0" $rc 0
	is "and one file system is opened" "$(grep -cE 'fsopen\("(erofs|squashfs|ext4|btrfs)"' "$T/trace")" 1
	mv "$T/aside"/* "$X/"
	em unmerge
else
	skip "nothing is mounted" "there is no strace"
fi

# --- who is trusted changes ---
rm -rf "${X:?}"/* && mkdir -p "$R/etc/verity.d"
cp "$T/other.crt" "$R/etc/verity.d/"
make_protected "$X/friend.raw" friend
make_protected "$X/other.raw" other
em refresh --verity="$BACKEND"
is "two signers are trusted" "$(layers usr)" "other friend"
em refresh --verity="$BACKEND"
like "nothing changes, nothing is done" "$err" "Nothing has changed"
rm "$R/etc/verity.d/friend.crt"
em refresh --verity="$BACKEND"
is "without a certificate its images go" "$rc $(layers usr)" "0 other"
ln -s /dev/null "$R/etc/verity.d/other.crt.new" && mv "$R/etc/verity.d/other.crt.new" "$R/etc/verity.d/other.crt"
cp "$T/stranger.crt" "$R/etc/verity.d/"
em refresh --verity="$BACKEND"
is "a masked one as well, and then all are refused" "$rc $(layers usr)" "4 "
rm -r "$R/etc/verity.d"
mkdir "$R/etc/verity.d" && echo broken >"$R/etc/verity.d/broken.crt"
is "a certificate that cannot be read trusts nobody, and asks for signatures" "$(judgements | paste -sd' ')" \
	"friend unknown-signer other unknown-signer"
em list
like "and is told" "$err" "broken.crt"
rm -r "$R/etc/verity.d"

# --- what an extension brings does not count ---
make_conf_tree "$C/trap" trap && mkdir "$C/trap/etc/verity.d" && cp "$T/stranger.crt" "$C/trap/etc/verity.d/"
make_tree "$X/trapsys" trapsys && mkdir -p "$X/trapsys/usr/lib/verity.d" && cp "$T/stranger.crt" "$X/trapsys/usr/lib/verity.d/"
em refresh --verity="$BACKEND"
ok "certificates of extensions are seen in /etc and /usr" test -e "$R/etc/verity.d/stranger.crt" -a -e "$R/usr/lib/verity.d/stranger.crt"
make_protected "$X/intruder.raw" stranger
em refresh --verity="$BACKEND"
em status --json=short
is "and nobody is trusted by them" \
	"$(jq -r '.hierarchies[].layers[] | select(.name == "intruder").trust' <<<"$out")" verity
is "nor is a signature asked for" "$(layers etc)" trap
is "--trust=signed refuses it" "$(judgements --trust=signed | grep intruder)" "intruder unknown-signer"
em unmerge
mkdir -p "$T/peer/lib" && mv "$X/trapsys/usr/lib/verity.d" "$T/peer/lib/"
mount -t overlay -o "lowerdir=$T/peer:$R/usr" sysext "$R/usr"
ok "certificates in a tree that systemd-sysext has merged are seen as well" test -e "$R/usr/lib/verity.d/stranger.crt"
is "and nobody is trusted by them, either" "$(judgements | grep intruder)" "intruder =verity"
is "whatever is asked for" "$(judgements --trust=signed | grep intruder)" "intruder unknown-signer"
umount "$R/usr"
rm -rf "${C:?}"/* "$X/trapsys"

# --- what lies on the ESP ---
mkdir -p "$R/.extra/sysext" && touch "$R/etc/initrd-release"
make_initrd() { # NAME KEY: an image for the initrd, in .extra
	make_tree "$T/$1" "$1" "$1" ID=_any SYSEXT_SCOPE=initrd && make_image erofs "$T/$1" "$T/data" &&
		make_signed "$R/.extra/sysext/$1.raw" "$2"
}
rm -rf "${X:?}"/*
make_initrd esp friend && make_initrd hashonly none
make_tree "$R/.extra/sysext/dir" dir dir ID=_any SYSEXT_SCOPE=initrd
make_tree "$X/host" host host ID=_any SYSEXT_SCOPE=initrd
for word in auto any verity; do
	[ $word = verity ] && host=unprotected || host="=unprotected"
	is "below /.extra only signed images count: --trust=$word" "$(judgements --trust=$word | paste -sd' ')" \
		"dir unsigned esp unknown-signer hashonly unsigned host $host"
done
mkdir -p "$R/etc/verity.d" && cp "$T/friend.crt" "$R/etc/verity.d/"
em refresh --verity="$BACKEND" --trust=any
is "and those by somebody who is trusted are merged" "$(layers usr)" "host esp"
em unmerge
rm -r "$R/.extra" "$R/etc/initrd-release"

# --- an image that changes after it was verified ---
rm -rf "${X:?}"/*
make_protected "$X/friend.raw" friend
cp "$T/content/usr/bin/friend.data" "$T/data.before"
em refresh --verity="$BACKEND"
make_protected "$T/friend.raw" stranger && mv "$T/friend.raw" "$X/friend.raw"
ok "an image that is replaced changes nothing that is served" cmp "$R/usr/bin/friend.data" "$T/data.before"
em refresh --verity="$BACKEND"
is "until the next refresh, which refuses it" "$rc $(layers usr)" "4 "
make_protected "$X/friend.raw" friend
cp "$T/content/usr/bin/friend.data" "$T/data.before"
em refresh --verity="$BACKEND"
for i in $(seq 0 71); do
	flip "$X/friend.raw" $((1048576 + 4096 * i + 100))
done
like "one that is rewritten in place gives errors" "$(cmp "$R/usr/bin/friend.data" "$T/data.before" 2>&1)" "Input/output error"
not_ok "and not one wrong byte" grep -q differ <(cmp "$R/usr/bin/friend.data" "$T/data.before" 2>&1)
em refresh --verity="$BACKEND"
is "the next refresh refuses it" "$rc $(judgements)" "0 friend corrupt"
unmerge_clean "it"

# --- a kernel without loop devices ---
if [ "$BACKEND" = fuse ]; then
	make_protected "$X/friend.raw" friend
	mkdir "$T/aside" && mv "$X"/[!f]* "$T/aside/" 2>/dev/null
	EXTMERGE_DENY=loop LD_PRELOAD=$TESTS_BUILD_DIR/root/deny.so em refresh --verity=fuse
	is "erofs needs none on a verified file" "$rc $(cat "$R/usr/bin/friend")" "0 friend"
	unmerge_clean "it"
	mv "$T"/aside/* "$X/" 2>/dev/null
fi

# --- a server that dies ---
if [ "$BACKEND" = fuse ]; then
	make_protected "$X/friend.raw" friend
	em refresh --verity=fuse
	em refresh --verity=fuse
	like "it is merged" "$err" "Nothing has changed"
	server=$(getfattr --only-values -n user.extmerge.0 "$R/usr" 2>/dev/null | jq -r '.layers[0].server')
	kill -9 "${server%% *}"
	await ended "${server%% *}"
	em status --json=short
	is "status sees that its server has died" "$(jq -r '.hierarchies[].layers[].dead' <<<"$out")" true
	em plan
	is "there is something to do" $rc 10
	em refresh --verity=fuse
	is "and the next refresh mends it" "$rc $(cat "$R/usr/bin/friend")" "0 friend"
	like "and says so" "$err" '\* mend +friend .*; made anew, as the server of an image had died'
	em status --json=short
	is "for good" "$(jq -r '.hierarchies[].layers[].dead' <<<"$out")" false
	unmerge_clean "it"
fi

# --- without any back end ---
cp "$EXTMERGE" "$T/alone"
EXTMERGE=$T/alone
if [ "$BACKEND" = fuse ]; then
	is "without a back end what must be protected is refused" "$(judgements | paste -sd' ')" "friend no-verity-backend"
	em refresh --verity=fuse
	is "all of it: exit status 4" $rc 4
	like "with what is missing" "$err" "extmerge-fuse"
	em refresh --verity=fuse --trust=any
	is "where it need not be protected it is merged" "$rc $(layers usr)" "0 friend"
	em status --json=short
	like "but not in silence" "$(jq -r '.hierarchies[].layers[] | .trust + " " + .note' <<<"$out")" "^unprotected its hash tree is not in force"
	em unmerge
fi
finish
