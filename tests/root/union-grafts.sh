#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Directories that one layer alone brings, as mounts of their own in a union (union.18).
# shellcheck disable=SC2154 # tools, union: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin_union
mkdir ext base o u

# Twenty directories of one layer, the later ones larger; some that are not to be grafted.
for i in {1..20}; do
	mkdir -p "base/lib/only$i/sub"
	(cd "base/lib/only$i" && seq $((100 + i * 10)) | xargs touch)
	echo "text $i" >"base/lib/only$i/sub/file"
done
many() { # DIRECTORY
	mkdir -p "$1" && (cd "$1" && seq 1000 | xargs touch)
}
many base/both
many ext/both/ours
many base/lib/hidden
many base/lib/replaced
many ext/lib/opaque
many base/lib/opaque/below
mkdir ext/lib/replaced
mknod ext/lib/hidden c 0 0
setfattr -n trusted.overlay.opaque -v y ext/lib/opaque ext/lib/replaced
many ext/lib/redirected
setfattr -n trusted.overlay.redirect -v elsewhere ext/lib/redirected
many 'base/lib/odd name\n'
ln -s only3 base/lib/link
chmod 700 base/lib/only7 && chown 12345 base/lib/only7
cp "$(command -v id)" base/lib/only8/suid && chmod 4755 base/lib/only8/suid

try_mount() { # OPTIONS
	umount -q -R u
	(cd "$T" && timeout 30 "$union" "$T/u" -o "lowerdir=ext:base${1:+,$1}")
}
grafts() {
	findmnt -n -l -R -o TARGET u | sed "1d; s|^$T/u/||"
}
entries() { # DIRECTORY
	find "$1" -printf '%P %y %m %U %G %s %l %T@\n' | sort
}

ok "without the option: mounted" try_mount
is "there are none" "$(grafts)" ""
ok "with grafts=0: mounted" try_mount grafts=0
is "there are none, either" "$(grafts)" ""

ok "with grafts=16: mounted" try_mount grafts=16
if [ -z "$(grafts)" ]; then
	skip "grafts" "the kernel attaches none here"
	finish
fi
is "there are sixteen" "$(grafts | wc -l)" "16"
like "what both layers have is none, but what one has in it is" "$(grafts | grep both)" "^both/ours$"
is "whiteouts, opaque directories and redirects are none" "$(grafts | grep -E 'hidden|replaced|opaque|redirected')" ""
is "the smallest is none" "$(grafts | grep -x lib/only1)" ""
is "nothing is where it is not to be" "$(stat -c %F u/lib/hidden 2>&1 | grep -c 'No such file') $(ls u/lib/replaced | wc -l) $(ls u/lib/opaque | wc -l)" "1 0 1000"
is "which is so by overlayfs' rules" "$(stat u/lib/opaque/below 2>&1 | grep -c 'No such file')" "1"
if mount -t overlay none o -o ro,redirect_dir=nofollow,lowerdir=ext:base 2>/dev/null; then
	entries o 2>/dev/null >want
	entries u 2>/dev/null >got
	ok "the same entries as overlayfs ($(wc -l <want))" diff want got
	is "and the same data" "$(cd u && cat lib/only*/sub/file lib/link/sub/file | md5sum)" "$(cd o && cat lib/only*/sub/file lib/link/sub/file | md5sum)"
	umount o
else
	skip "the same as overlayfs" "it cannot be mounted here"
fi
is "nothing can be written" "$(grafts | while read -r graft; do touch "u/$graft/new" 2>&1 | grep -c 'Read-only'; done | sort -u)" "1"
is "modes are obeyed" "$(setpriv --reuid 12346 --clear-groups ls u/lib/only7 2>&1 | grep -c 'Permission denied')" "1"
is "suid programs are" "$(setpriv --reuid 12345 --clear-groups "$T/u/lib/only8/suid" -u)" "0"
is "the listing above names each once" "$(ls -U u/lib | sort | uniq -d)" ""
like "one file system ends there" "$(find u -xdev 2>/dev/null | wc -l)" "^[0-9]{4}$"

pid=$(pgrep -f "^@extmerge-fuse union .* -- $T/u\$")
ok "umount -R ends it" umount -R u
ok "and the server" await ended $pid

ok "nosuid, nodev, noexec: mounted" try_mount grafts=3,nosuid,nodev,noexec
is "they hold in grafts" "$(findmnt -n -l -R -o OPTIONS u | grep -c 'ro,nosuid,nodev,noexec')" "4"
is "with a smaller number there are fewer" "$(grafts | wc -l)" "3"
umount -R u

# As in the union itself, its own attributes count, and not those of the mount that a layer lies on.
mount --bind base base && mount -o remount,bind,nosuid,nodev,noexec,relatime base
ok "a layer on a mount with others: mounted" try_mount grafts=16
is "those of the union hold, and times of access are not kept" "$(findmnt -n -l -R -o OPTIONS u | sed 1d | tr ',' '\n' | grep -cE '^(nosuid|nodev|noexec|relatime)$') $(findmnt -n -l -R -o OPTIONS u | sed 1d | grep -c noatime)" "0 16"
is "suid programs are, there too" "$(grafts | grep -c only8) $(setpriv --reuid 12345 --clear-groups "$T/u/lib/only8/suid" -u)" "1 0"
umount -R u
umount base

mkdir upper work
like "never where something is to be written" "$(try_mount grafts=1,upperdir=upper,workdir=work 2>&1)" "grafts are for unions that are not written to"
is "and nothing is mounted" "$(mountpoint -q u; echo $?)" "32"

# A layer that contains the mount point.
many base/where/big
mkdir base/where/m
ok "the mount point in a layer: mounted" timeout 30 "$union" base/where/m -o lowerdir=ext:base,grafts=16
is "there is no loop in it" "$(timeout 10 find base/where/m/where/m | wc -l)" "1"
umount -R base/where/m
finish
