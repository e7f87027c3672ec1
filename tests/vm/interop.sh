#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Signed images of extmerge pack, merged under dm-verity by systemd-sysext of Debian sid, in a guest (specs: pack.*).
# shellcheck disable=SC2154 # out, err, rc, X: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/uml.bash"
[ -n "${SID-}" ] || SID=$("$TESTS_DIR/sid.sh") || give_up "$SID"
export SID
GUEST_EXPORTS=SID in_guest mksquashfs mkfs.erofs veritysetup openssl sfdisk jq
. "$TESTS_DIR/vm/verity.bash"
begin shared
need_packing "images of extmerge in systemd-sysext"
mkdir -p /run/systemd
modprobe -a loop dm_verity erofs squashfs
trust_friend
new_key stranger

sysext() { # ARGUMENT...
	said=$("$SID"/usr/lib64/ld-linux-x86-64.so.2 --library-path \
		"$SID/usr/lib/x86_64-linux-gnu:$SID/usr/lib/x86_64-linux-gnu/systemd" \
		"$SID/usr/bin/systemd-sysext" --root="$R" "$@" 2>&1)
	rc=$?
}
policy=--image-policy=root=signed:usr=absent
make_content() { # NAME
	rm -rf "$T/tree.d"
	make_tree "$T/tree.d" "$1" "$1 by extmerge"
	head -c 200000 /dev/urandom >"$T/tree.d/usr/bin/$1.data"
	cp "$T/tree.d/usr/bin/$1.data" "$T/$1.data"
}

for format in erofs squashfs; do
	make_content "pack$format"
	make_packed "$X/pack$format.raw" "$T/tree.d" friend --format=$format
done
sysext "$policy" merge
is "systemd-sysext merges what must be signed" $rc 0 || sed 's/^/# /' <<<"$said"
for format in erofs squashfs; do
	is "its $format image shows what was packed" "$(cat "$R/usr/bin/pack$format")" "pack$format by extmerge"
	ok "all of it" cmp "$T/pack$format.data" "$R/usr/bin/pack$format.data"
done
is "each under a dm-verity device" "$(cat /sys/block/dm-*/dm/uuid | cut -d- -f1,2 | sort | uniq -c | tr -s ' ')" " 2 CRYPT-VERITY"
em status
like "and extmerge says whose that is" "$out$err" "systemd-sysext"
sysext unmerge
is "it is unmerged" "$rc $(ls "$R/usr/bin")" "0 host-tool"

# What makes it take them is the signature: it refuses those without, or by somebody else.
make_content stranger
for key in stranger none; do
	make_packed "$X/stranger.raw" "$T/tree.d" $key 2>/dev/null
	sysext "$policy" merge
	not_ok "one that is signed by $key is refused" [ -e "$R/usr/bin/stranger" ]
	sysext unmerge
done
finish
