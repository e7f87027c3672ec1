#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Images of extmerge pack in the hands of Debian's tools, and images of systemd-repart in ours (specs: pack.*, proof.*).
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
need_packing "images of others"

new_key friend
mkdir -p "$R/etc/verity.d"
cp "$T/friend.crt" "$R/etc/verity.d/"
make_tree "$T/tree" tool
head -c 3000000 /dev/urandom >"$T/tree/usr/bin/data"

# --- ours, looked at by veritysetup, openssl and systemd-dissect ---
part() { # NUMBER
	local start size
	read -r start size < <(sfdisk -J "$T/tool.raw" | jq -r ".partitiontable.partitions[$1] | \"\(.start) \(.size)\"")
	dd if="$T/tool.raw" of="$T/part$1" bs=512 skip="$start" count="$size" status=none
}

for format in erofs squashfs; do
	make_packed "$T/tool.raw" "$T/tree" friend --format=$format
	em verify --json=short "$T/tool.raw"
	hash=$(jq -r '.images[0].roothash' <<<"$out")
	part 0 && part 1 && part 2
	ok "veritysetup verifies the hash tree: $format" veritysetup verify "$T/part0" "$T/part1" "$hash"
	is "blkid knows the file system: $format" "$(blkid -p -o value -s TYPE "$T/part0")" $format
	tr -d '\0' <"$T/part2" >"$T/json"
	is "the signature partition is JSON about this root hash: $format" "$(jq -r .rootHash "$T/json")" "$hash"
	is "with the certificate's fingerprint: $format" "$(jq -r .certificateFingerprint "$T/json")" \
		"$(openssl x509 -in "$T/friend.crt" -outform der | sha256sum | cut -d' ' -f1)"
	jq -r .signature "$T/json" | base64 -d >"$T/p7s"
	printf %s "$hash" >"$T/content"
	ok "openssl accepts the signature: $format" openssl smime -verify -binary -inform der -in "$T/p7s" -content "$T/content" \
		-certfile "$T/friend.crt" -nointern -noverify
	cp "$T/tool.raw" "$T/$format.raw"
done
make_packed "$T/tool.raw" "$T/tree" none 2>/dev/null && cp "$T/tool.raw" "$T/none.raw"
em verify --json=short "$T/none.raw"
hash=$(jq -r '.images[0].roothash' <<<"$out")

if command -v systemd-dissect >/dev/null; then
	for image in erofs:signed squashfs:signed none:yes; do
		options=()
		# Without a signature, only who runs it can say the root hash.
		[ "$image" != none:yes ] || options=(--root-hash="$hash")
		said=$(systemd-dissect --json=short "${options[@]}" "$T/${image%:*}.raw" 2>"$T/stderr")
		if grep -qE 'loop.*(Operation not permitted|No such file)' "$T/stderr"; then
			skip "systemd-dissect" "there are no loop devices"
			break
		fi
		is "systemd-dissect of this machine calls ${image%:*} ${image#*:}" \
			"$(jq -r '.mounts[] | select(.designator == "root") | .verity' <<<"$said")" "${image#*:}"
	done
else
	skip "systemd-dissect of this machine" "it is not there"
fi

# --- systemd of Debian sid: its tools are run in a tree of their own ---
if ! sid=$("$TESTS_DIR/sid.sh"); then
	skip "systemd of Debian sid" "$(tail -n 1 <<<"$sid")"
	finish
fi
mkdir "$T/sid"
mount --rbind "$sid" "$T/sid" && mount -o remount,bind,ro "$T/sid"
for directory in tmp run var/tmp; do
	mount -t tmpfs sid "$T/sid/$directory"
done
mount -t proc proc "$T/sid/proc" && mount --rbind /dev "$T/sid/dev" && mount --rbind /sys "$T/sid/sys"
cp -r "$T"/{tree,friend.key,friend.crt,erofs.raw,squashfs.raw,none.raw} "$T/sid/tmp/"

dissect_262() { # POLICY IMAGE
	chroot "$T/sid" systemd-dissect --image-policy="$1" --validate "/tmp/$2.raw" 2>&1
}
said=$(dissect_262 root=signed erofs)
if [[ $said =~ loop|permitted ]]; then
	skip "systemd-dissect of sid" "$said"
else
	for format in erofs squashfs; do
		ok "systemd-dissect of sid finds $format signed" dissect_262 root=signed $format
	done
	ok "and an image without key verity" dissect_262 root=verity none
	not_ok "not signed" dissect_262 root=signed none
fi

for format in erofs squashfs; do
	if ! SYSTEMD_REPART_OVERRIDE_FSTYPE_ROOT=$format chroot "$T/sid" systemd-repart --make-ddi=sysext \
		--copy-source=/tmp/tree --offline=yes --private-key=/tmp/friend.key --certificate=/tmp/friend.crt \
		"/tmp/$format.repart.raw" >"$T/stdout" 2>&1; then
		result "not ok" "systemd-repart makes $format"
		sed 's/^/# /' "$T/stdout"
		continue
	fi
	cp "$T/sid/tmp/$format.repart.raw" "$T/tool.raw"
	em verify "$T/tool.raw"
	is "an image of systemd-repart with $format is verified" $rc 0
	like "with its signer" "$out" 'signed by "friend"'
	size=$(stat -c %s "$T/tool.raw")
	flip "$T/tool.raw" $((20480 + size / 4))
	em verify "$T/tool.raw"
	is "and a flipped bit in it is seen" $rc 1
done
finish
