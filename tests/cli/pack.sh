#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# extmerge pack: what it refuses, and that the same tree makes the same image (specs: pack.*).
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin unprivileged
need_packing "extmerge pack"

new_key friend
mkdir -p "$R/etc/verity.d"
cp "$T/friend.crt" "$R/etc/verity.d/"
make_tree "$T/tree" tool
head -c 300000 /dev/urandom >"$T/tree/usr/bin/data"
make_conf_tree "$T/conf" settings
signed=(--key="$T/friend.key" --cert="$T/friend.crt")

# --- it works, in every form ---
for format in erofs squashfs; do
	em pack "$T/tree" "$T/tool.raw" --format=$format "${signed[@]}" --overwrite
	is "a signed image with $format is made" "$rc$err" 0
	like "and shown" "$out" "tool.raw  sysext, .*, $format for x86-64.*root hash .*signed by    \"friend\""
	em verify "$T/tool.raw"
	is "it is verified: $format" $rc 0
	is "sfdisk is content: $format" "$(sfdisk --verify "$T/tool.raw" 2>&1 | grep -c '^No errors detected')" 1
	start=$(sfdisk -J "$T/tool.raw" | jq '.partitiontable.partitions[0].start')
	dd if="$T/tool.raw" of="$T/data" bs=512 skip="$start" status=none
	case $format in
	erofs) fsck.erofs --extract="$T/out" "$T/data" >/dev/null 2>&1 ;;
	squashfs) unsquashfs -q -n -d "$T/out" "$T/data" >/dev/null 2>&1 ;;
	esac
	ok "what is in it is the tree: $format" diff -r "$T/tree" "$T/out"
	rm -rf "$T/out"
done
em pack --json=short "$T/conf" "$T/settings_0.raw"
like "with JSON, too, that nobody has signed it is said" "$err" "Nobody has signed it"
em pack --json=short "$T/tree" "$T/tool_1.2.raw" "${signed[@]}"
is "JSON says what was made" "$(jq -r '[.schema, .name, .version, .class, .architecture, .format, .level, .signer] | join(" ")' <<<"$out")" \
	"extmerge.pack/1 tool 1.2 sysext x86-64 erofs signed friend"
is "and where its partitions are" "$(jq -c '[.partitions[] | [.label, .offset, .size]]' <<<"$out")" \
	"$(sfdisk -J "$T/tool_1.2.raw" | jq -c '[.partitiontable.partitions[] | [.name, .start * 512, .size * 512]]')"
is "the UUIDs are the root hash" "$(jq -r '.partitions[0].uuid + .partitions[1].uuid' <<<"$out" | tr -d -)" \
	"$(jq -r .roothash <<<"$out")"
em pack "$T/conf" "$T/settings.raw"
is "a confext is told by its release file" $rc 0
like "and an image without a key is called what it is" "$err" "Nobody has signed it"
em verify "$T/settings.raw"
is "verify does not call it signed" $rc 4
em pack --arch=arm64 "$T/tree" "$T/tool_2.raw"
is "for another architecture" "$rc $(sfdisk -J "$T/tool_2.raw" | jq -r '.partitiontable.partitions[0].type')" \
	"0 B921B045-1DF0-41C3-AF44-4C6F280D3FAE"

# --- the same bytes: other time, other place, other order of the directories' entries ---
cp -r "$T/tree" "$T/copy"
(cd "$T/copy/usr/bin" && for file in z y x m c b a; do echo $file >$file; done)
(cd "$T/tree/usr/bin" && for file in a b c m x y z; do echo $file >$file; done)
TZ=UTC touch -d '2002-03-04 05:06' "$T/tree/usr/bin/data"
find "$T/copy" -exec touch -d 2001-02-03 {} +
for format in erofs squashfs; do
	"$EXTMERGE" pack --reproducible --format=$format "$T/tree" "$T/tool_3.raw" "${signed[@]}" --overwrite >/dev/null 2>&1
	mv "$T/tool_3.raw" "$T/first"
	"$EXTMERGE" pack --reproducible --format=$format "$T/copy" "$T/tool_3.raw" "${signed[@]}" --overwrite >/dev/null 2>&1
	ok "--reproducible: the same bytes with $format" cmp "$T/first" "$T/tool_3.raw"
	SOURCE_DATE_EPOCH=86400 "$EXTMERGE" pack --reproducible --format=$format "$T/copy" "$T/tool_3.raw" "${signed[@]}" \
		--overwrite >/dev/null 2>&1
	not_ok "the time is SOURCE_DATE_EPOCH with $format" cmp "$T/first" "$T/tool_3.raw"
	for tree in tree copy; do
		SOURCE_DATE_EPOCH=4000000000 "$EXTMERGE" pack --reproducible --format=$format "$T/$tree" "$T/tool_3.raw" \
			"${signed[@]}" --overwrite >/dev/null 2>&1
		cp "$T/tool_3.raw" "$T/$tree.raw"
	done
	ok "also where it is later than the files' with $format" cmp "$T/tree.raw" "$T/copy.raw"
	"$EXTMERGE" pack --format=$format "$T/tree" "$T/tool_4.raw" "${signed[@]}" --overwrite >/dev/null 2>&1
	mv "$T/tool_4.raw" "$T/first"
	sleep 1.1
	"$EXTMERGE" pack --format=$format "$T/tree" "$T/tool_4.raw" "${signed[@]}" --overwrite >/dev/null 2>&1
	ok "the same tree again: the same bytes with $format" cmp "$T/first" "$T/tool_4.raw"
	dd if="$T/tool_4.raw" of="$T/data" bs=4096 skip=5 status=none
	case $format in
	erofs) said=$(TZ=UTC dump.erofs --path=/usr/bin/data "$T/data" 2>&1) ;;
	squashfs) said=$(TZ=UTC unsquashfs -lls "$T/data" 2>&1 | grep usr/bin/data) ;;
	esac
	like "files keep their times with $format" "$said" "2002-03-04 05:06"
done

# --- names that are taken ---
echo precious >"$T/tool_5.raw"
em pack "$T/tree" "$T/tool_5.raw"
is "an image that is there is not overwritten" "$rc $(cat "$T/tool_5.raw")" "1 precious"
like "and --overwrite is named" "$err" "is there already.*--overwrite"
ln -s tool_5.raw "$T/tool_6.raw"
em pack "$T/tree" "$T/tool_6.raw"
is "nor through a link" "$rc $(cat "$T/tool_5.raw")" "1 precious"
em pack --overwrite "$T/tree" "$T/tool_6.raw"
is "--overwrite replaces the link, not what it leads to" "$rc $(cat "$T/tool_5.raw") $(stat -c %F "$T/tool_6.raw")" \
	"0 precious regular file"
is "a new image can be read by all, and written by its owner" "$(stat -c %a "$T/tool_6.raw")" 644

# --- trees that a merge would refuse: NAME of the image | what is done to a copy of the tree | what is said ---
while IFS='|' read -r name change text hint; do
	rm -rf "$T/bad"
	cp -r "$T/tree" "$T/bad"
	(cd "$T/bad" && eval "$change")
	em pack "$T/bad" "$T/$name"
	is "refused: $text" "$rc$out" 1
	like "and explained: $text" "$err" "$text.*hint: .*$hint"
	[ ! -e "$T/$name" ] || is "nothing is made: $text" "$T/$name" ""
done <<'TABLE'
bad.raw|:|name-mismatch: the image is named "bad" but carries extension-release.tool|bad/usr/lib/extension-release.d/extension-release.bad
bad_1.raw|:|name-mismatch|extension-release.bad
tool_7.raw|rm -r usr/lib/extension-release.d|Cannot tell whether|--class=
tool_7.sysext.raw|rm -r usr/lib/extension-release.d|no-release: it has no /usr/lib/extension-release.d|ID=_any
tool_7.confext.raw|:|no-release: it has no /etc/extension-release.d|etc/extension-release.d/extension-release.tool
tool_7.raw|: >usr/lib/extension-release.d/extension-release.tool|wrong-id: its release file has no ID=|ID=_any
tool_7.raw|echo VERSION_ID=12 >usr/lib/extension-release.d/extension-release.tool|wrong-id: its release file has no ID=|ID=_any
tool_7.raw|echo nonsense >usr/lib/extension-release.d/extension-release.tool|bad-release: .*line 1|os-release
tool_7.raw|echo x >usr/lib/extension-release.d/extension-release.t; rm usr/lib/extension-release.d/extension-release.tool|name-mismatch|ID=_any
tool_7.raw|echo ID=debian >usr/lib/os-release|os-release: /usr/lib/os-release must not be in an extension|without
tool_7.raw|mv usr real; ln -s real usr|bad-hierarchy|plain directory
tool_7.raw|: >opt|bad-hierarchy: its /opt is not a plain directory|plain directory
tool|:|bad-name: is not called NAME.raw|NAME.raw
.hidden.raw|:|bad-name|Rename
TABLE
em pack --class=confext "$T/tree" "$T/tool_7.sysext.raw"
is "suffix and --class that differ are refused" $rc 1
like "by both names" "$err" "name of a sysext, not of a confext"
mkdir "$T/tree/srv"
em pack "$T/tree" "$T/tool_7.raw" "${signed[@]}"
is "what is in no hierarchy is packed" $rc 0
like "with a warning" "$err" "/srv is packed, but a sysext is not merged there"
rmdir "$T/tree/srv"
if setfattr -n user.overlay.opaque -v y "$T/tree/usr" 2>/dev/null; then
	em pack "$T/tree" "$T/tool_8.raw"
	is "attributes of overlayfs are refused" "$rc $(grep -c 'overlay-xattr: /usr/ carries' <<<"$err")" "1 1"
	setfattr -x user.overlay.opaque "$T/tree/usr"
else
	skip "attributes of overlayfs are refused" "no user.* attributes here"
fi
printf 'ID=_any\nARCHITECTURE=arm64\n' >"$T/tree/usr/lib/extension-release.d/extension-release.tool"
em pack "$T/tree" "$T/tool_9.raw" --json=short
is "the release file's architecture is taken" "$rc $(jq -r .architecture <<<"$out")" "0 arm64"
em pack --arch=x86-64 "$T/tree" "$T/tool_10.raw"
is "another one is refused" $rc 1
like "by both" "$err" "--arch=x86-64, but the release file says ARCHITECTURE=arm64"
echo ID=_any >"$T/tree/usr/lib/extension-release.d/extension-release.tool"

# --- places ---
em pack "$T/tree" "$T/tree/tool.raw"
is "the image inside of the directory is refused" $rc 1
like "for that reason" "$err" "inside of what it is made of"
em pack "$T/tree" "$T/tree/usr/tool.raw"
is "deeper inside, too" $rc 1
em pack "$T/missing" "$T/tool_11.raw"
is "a directory that is not there" $rc 1
em pack "$T/friend.crt" "$T/tool_11.raw"
is "a file instead of the directory" $rc 1
em pack "$T/tree" "$T/nowhere/tool_11.raw"
is "a place that is not there" $rc 1
like "is named" "$err" "nowhere/tool_11.raw': No such file"
is "nothing is left behind" "$(find "$T" -name '.#*')" ""

# --- wrong calls ---
while IFS='|' read -r arguments text; do
	# shellcheck disable=SC2086 # several words
	em pack "$T/tree" "$T/tool_12.raw" $arguments
	is "wrong call: $arguments" "$rc$out" 2
	like "explained: $arguments" "$err" "$text"
done <<TABLE
--format=ext4|--format is erofs or squashfs
--key=$T/friend.key|takes both --key and --cert
--cert=$T/friend.crt|takes both --key and --cert
--arch=z80|--arch names no architecture
TABLE
em pack "$T/tree"
is "one operand is too few" $rc 2
em pack --arch=arm64-be "$T/tree" "$T/tool_12.raw"
is "an architecture without partition types" $rc 5
like "is refused for that" "$err" "no partition types of that architecture"
SOURCE_DATE_EPOCH=yesterday em pack --reproducible "$T/tree" "$T/tool_12.raw"
is "a SOURCE_DATE_EPOCH that is no number" $rc 2

# --- keys ---
new_key stranger
openssl req -x509 -newkey rsa:1024 -nodes -keyout "$T/weak.key" -out "$T/weak.crt" -subj /CN=weak 2>/dev/null
openssl req -x509 -newkey ed25519 -nodes -keyout "$T/ed.key" -out "$T/ed.crt" -subj /CN=ed 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$T/ec.key" -out "$T/ec.crt" -subj /CN=ec 2>/dev/null
openssl pkey -aes256 -passout pass:secret -in "$T/friend.key" -out "$T/locked.key" 2>/dev/null
openssl req -new -key "$T/friend.key" -subj /CN=old -out "$T/old.csr" 2>/dev/null
mkdir "$T/ca" && : >"$T/ca/index" && echo 01 >"$T/ca/serial"
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/ca/index\nserial=%s/ca/serial\nnew_certs_dir=%s/ca\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' \
	"$T" "$T" "$T" >"$T/ca/conf"
openssl ca -batch -selfsign -config "$T/ca/conf" -keyfile "$T/friend.key" -in "$T/old.csr" -out "$T/old.crt" \
	-startdate 20200101000000Z -enddate 20210101000000Z -notext 2>/dev/null
while IFS='|' read -r key certificate text; do
	em pack "$T/tree" "$T/tool_13.raw" --key="$T/$key" --cert="$T/$certificate" </dev/null
	is "refused: $key with $certificate" "$rc$out" 1
	like "explained: $key with $certificate" "$err" "$text"
done <<'TABLE'
stranger.key|friend.crt|it is not the key of the certificate
friend.key|stranger.crt|it is not the key of the certificate
weak.key|weak.crt|its RSA key has fewer than 2048 bits
ed.key|ed.crt|its key is neither RSA nor ECDSA
friend.crt|friend.crt|it has no private key in PEM
friend.key|friend.key|it has no certificate in PEM
missing.key|friend.crt|Cannot read '.*missing.key': No such file
friend.key|missing.crt|Cannot read '.*missing.crt': No such file
TABLE
em pack "$T/tree" "$T/tool_14.raw" --key="$T/ec.key" --cert="$T/ec.crt"
is "a P-256 key signs" $rc 0
cp "$T/ec.crt" "$R/etc/verity.d/"
em verify "$T/tool_14.raw"
is "and is verified" $rc 0
em pack --reproducible "$T/tree" "$T/tool_15.raw" --key="$T/ec.key" --cert="$T/ec.crt"
is "but not with --reproducible" $rc 1
like "as each signature is another" "$err" "ECDSA.*RSA"
em pack "$T/tree" "$T/tool_16.raw" --key="$T/friend.key" --cert="$T/old.crt"
is "an expired certificate signs" $rc 0
like "with a warning" "$err" "has expired"
if command -v setsid >/dev/null; then
	err=$(setsid -w "$EXTMERGE" pack "$T/tree" "$T/tool_17.raw" --key="$T/locked.key" --cert="$T/friend.crt" 2>&1 </dev/null)
	like "an encrypted key without a terminal is refused" "$err" "encrypted, and there is no terminal.*openssl pkey"
fi
if command -v script >/dev/null; then
	ask="$EXTMERGE pack $T/tree $T/tool_18.raw --key=$T/locked.key --cert=$T/friend.crt"
	said=$({ sleep 1; echo secret; } | script -qec "$ask" /dev/null)
	like "at a terminal its passphrase is asked for" "$said" "Passphrase of .*locked.key: .*signed by"
	not_ok "and not shown" grep -q secret <<<"$said"
	said=$({ sleep 1; echo wrong; } | script -qec "${ask/tool_18/tool_19}" /dev/null)
	like "a wrong one is refused" "$said" "the passphrase is not that of the key"
	said=$({ sleep 1; printf '\003'; } | script -qec "${ask/tool_18/tool_19}" /dev/null)
	like "Ctrl-C is an answer" "$said" "no passphrase was given"
	[ ! -e "$T/tool_19.raw" ] || is "nothing is made without a passphrase" yes no
else
	skip "the passphrase" "there is no script"
fi
finish
