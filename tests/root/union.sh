#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The union of extmerge-fuse shows what overlayfs shows, makes none of the known mistakes, and ends as it should.
# shellcheck disable=SC2154 # tools, union: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin_union
mkdir layers o u

# Empty layers 0 to N-1 in layers/, each on a file system of its own where asked for; $list names them for overlayfs.
new_layers() { # N [own]
	local i

	umount_both
	find layers -mindepth 1 -maxdepth 1 -exec umount -q {} \; 2>/dev/null
	rm -rf layers/*
	list=
	for ((i = 0; i < $1; i++)); do
		mkdir "layers/$i"
		[ "${2-}" != own ] || mount -t tmpfs extmerge-test "layers/$i" -o mode=755
		list+=${list:+:}$i
	done
}

umount_both() {
	umount -q -l o 2>/dev/null
	umount -q -l u 2>/dev/null
}

# Both, on o and u. overlayfs follows nothing there either.
mount_overlay() { # [OPTIONS]
	(cd layers && mount -t overlay none "$T/o" -o "ro,redirect_dir=nofollow,metacopy=off,lowerdir=$list${1:+,$1}")
}
mount_union() { # [OPTIONS]
	(cd layers && timeout 30 "$union" "$T/u" -o "lowerdir=$list${1:+,$1}")
}
mount_both() { # [OPTIONS]
	umount_both
	mount_overlay "$@" && mount_union "$@"
}

# The process that serves u.
server() {
	pgrep -f "^@extmerge-fuse union .* -- $T/u\$"
}

# --- the same tree (union.3 to union.12) ---

if new_layers 2 && mount_overlay; then
	for case in 1:2 2:3 3:8 4:5 5:20 6:64; do
		new_layers "${case#*:}"
		"$tools/wild" "${case%:*}" "${case#*:}" layers || exit 1
		ok "${case#*:} layers: mounted" mount_both
		ok "${case#*:} layers: the same tree as overlayfs" timeout 200 "$tools/alike" o u
	done
	new_layers 6 own
	"$tools/wild" 7 6 layers || exit 1
	ok "layers on file systems of their own: mounted" mount_both
	ok "layers on file systems of their own: the same tree" timeout 200 "$tools/alike" o u

	new_layers 3
	"$tools/wild" 8 3 layers user.overlay. || exit 1
	ok "userxattr: mounted" mount_both userxattr
	ok "userxattr: the same tree" timeout 200 "$tools/alike" o u
else
	skip "the same tree as overlayfs" "overlayfs cannot be mounted here"
fi

# --- known mistakes of other unions, as far as they concern reading (union.16) ---

# 1: a layer in which the mount point lies; 2: the mount point is a layer.
new_layers 2
mkdir layers/0/inside layers/0/dir
echo text >layers/0/dir/file
(cd layers && timeout 30 "$union" 0/inside -o lowerdir=0:1)
is "a layer that contains the mount point does not hang" "$(timeout 10 cat layers/0/inside/dir/file)" "text"
is "and there is no loop in it" "$(timeout 10 ls layers/0/inside/inside)" ""
umount layers/0/inside
(cd layers && timeout 30 "$union" 0 -o lowerdir=0:1)
is "a layer that is the mount point does not hang" "$(timeout 10 cat layers/0/dir/file)" "text"
umount layers/0

# 4, 5: fds
new_layers 3
for i in {1..400}; do
	mkdir -p "layers/$((i % 3))/d$((i % 50))/e$i"
	echo "$i" >"layers/$((i % 3))/d$((i % 50))/e$i/f"
done
mount_union
find u -type f -exec cat {} + >/dev/null
stat u/nothing{1..500} >/dev/null 2>&1
fds=$(find "/proc/$(server)/fd" -mindepth 1 | wc -l)
ok "no more fds than a bound ($fds)" [ "$fds" -le 300 ]

# 6, 7, 8: layers with the same inode numbers on different file systems
new_layers 3 own
mkdir layers/{0,1,2}/both
for i in 0 1 2; do echo $i >"layers/$i/f$i"; echo $i >"layers/$i/both/g$i"; done
umount_both
mount_union
is "all entries are listed though inode numbers meet below" "$(find u -mindepth 1 -printf '%P\n' | sort | paste -sd' ')" \
	"both both/g0 both/g1 both/g2 f0 f1 f2"
is "each has a number of its own" "$(find u -printf '%i\n' | sort | uniq -d)" ""
is "which is the one in the listing" "$(find u -mindepth 1 -printf '%i\n' | sort)" "$(ls -RiU u | awk '$1 ~ /^[0-9]+$/ { print $1 }' | sort)"

# 9, 10, 11: whiteouts
new_layers 3
mkdir -p layers/{0,1,2}/d layers/2/other
setfattr -n trusted.overlay.opaque -v y layers/1/d
mknod layers/1/d/gone c 0 0
touch layers/2/d/{gone,below} layers/1/d/seen layers/2/other/gone layers/2/{link,gone2}
mknod layers/1/link c 0 0
ln -s target layers/0/link
mknod layers/0/gone2 c 0 0
mkdir layers/2/sub && touch layers/2/sub/gone2
umount_both
mount_union
is "a whiteout in an opaque directory hides, and is not seen" "$(ls -A u/d)" "seen"
is "a symlink above a whiteout is there" "$(readlink u/link)" "target"
is "a whiteout of the root hides nothing elsewhere" "$(ls u/other u/sub | paste -sd' ')" "u/other: gone  u/sub: gone2"
not_ok "and hides its own" stat u/gone2
not_ok "also from those who know the name" stat u/d/below

# 14: what is refused is refused at the beginning
is "a layer that is there twice is refused" "$(timeout 30 "$union" u -o lowerdir=layers/0:layers/0 2>&1; echo $?)" \
	"extmerge-fuse: cannot mount on 'u': cannot use the layers: Too many levels of symbolic links
1"
umount_both
mkdir layers/0/nested && mkdir layers/0/nested/x
(timeout 30 "$union" u -o lowerdir=layers/0:layers/0/nested)
like "a layer inside of another is not entered" "$(ls u/nested 2>&1)" "Too many levels"
like "a name that is too long" "$(stat "u/$(printf 'n%.0s' {1..256})" 2>&1)" "File name too long"

# 15: a listing has the same order each time, also by another server
umount_both
new_layers 3
"$tools/wild" 9 3 layers
mount_union
first=$(ls -U u/big u | md5sum)
is "a listing has one order" "$(ls -U u/big u | md5sum)" "$first"
umount_both
mount_union
is "also with another server" "$(ls -U u/big u | md5sum)" "$first"

# 13: suid and capabilities, and what the mount options say of them
new_layers 2
cp "$(command -v id)" layers/0/suid && chmod 4755 layers/0/suid
mknod layers/1/null c 1 3 && chmod 666 layers/1/null
# cap_dac_read_search, effective and permitted
cp "$(command -v cat)" layers/1/capable && setfattr -n security.capability -v 0x0100000204000000000000000000000000000000 layers/1/capable
echo secret >secret && chmod 600 secret
umount_both
mount_union
is "suid programs are" "$(setpriv --reuid 12345 --clear-groups "$T/u/suid" -u)" "0"
is "file capabilities are" "$(setpriv --reuid 12345 --clear-groups "$T/u/capable" secret)" "secret"
ok "devices are" sh -c 'echo >u/null'
umount_both
mount_union nosuid,nodev,noexec
like "nosuid, nodev, noexec" "$(findmnt -n -o OPTIONS u)" "ro,nosuid,nodev,noexec"
not_ok "devices are not with nodev" sh -c 'echo >u/null'
umount_both
mount_union nosuid
not_ok "capabilities are not with nosuid" setpriv --reuid 12345 --clear-groups "$T/u/capable" secret
is "nor are suid programs" "$(setpriv --reuid 12345 --clear-groups "$T/u/suid" -u)" "12345"

# unionfs #7: nothing is written to a layer
umount_both
mount_union
find layers >/dev/null # which sets times of access itself
before=$(find layers -printf '%p %T@ %C@ %A@\n' | md5sum)
for try in 'touch u/new' 'echo >>u/suid' 'rm u/suid' 'mkdir u/dir' 'chmod 0 u/suid' 'setfattr -n user.x -v y u/suid' \
	'mv u/suid u/other' 'ln u/suid u/other' 'truncate -s 0 u/suid'; do
	like "read-only: $try" "$(sh -c "$try" 2>&1)" "Read-only file system"
done
cat u/suid >/dev/null
is "the layers are untouched, also their times of access" "$(find layers -printf '%p %T@ %C@ %A@\n' | md5sum)" "$before"

# union.25: Linux 6.6 and later ask for it
new_layers 2
touch layers/0/file layers/1/low && ln -s low layers/1/link
umount_both
mount_union
if [ "$(stat -c %W layers/0/file)" != 0 ] && printf '6.6\n%s\n' "$(uname -r)" | sort -CV; then
	is "the time of birth is the layer's" "$(stat -c '%w' u u/file u/low u/link)" "$(stat -c '%w' layers/0 layers/0/file layers/1/low layers/1/link)"
else
	skip "the time of birth is the layer's" "this kernel does not know it"
fi

# --- who may read what (union.9, union.12) ---

new_layers 2
mkdir -m 700 layers/0/private && echo secret >layers/0/private/file
echo acl >layers/0/acl && chmod 600 layers/0/acl
setfattr -n system.posix_acl_access -v 0x0200000001000600ffffffff020004003930000004000000ffffffff10000400ffffffff20000000ffffffff layers/0/acl
umount_both
mount_union
not_ok "modes are obeyed" setpriv --reuid 12345 --clear-groups cat u/private/file
is "others may what they may" "$(setpriv --reuid 12345 --clear-groups ls u | paste -sd' ')" "acl private"
is "access control lists are obeyed" "$(setpriv --reuid 12345 --clear-groups cat u/acl)" "acl"
not_ok "and for those they do not name" setpriv --reuid 12346 --clear-groups cat u/acl

# --- options (union.1) ---

mkdir 'layers/a:b' 'layers/c,d' 'layers/e\f'
touch 'layers/a:b/1' 'layers/c,d/2' 'layers/e\f/3'
umount_both
(cd layers && timeout 30 "$union" none "$T/u" -o 'nosuid,lowerdir=a\:b:c\,d:e\\f')
is "colons, commas and backslashes are escaped as for overlayfs" "$(ls u | paste -sd' ')" "1 2 3"
umount_both
(cd layers && timeout 30 "$union" "$T/u" -o lowerdir+=0 -o lowerdir+=1)
is "lowerdir+ adds one" "$(ls u | paste -sd' ')" "acl private"
umount_both
for refused in "upperdir=x,lowerdir=0:given both" "lowerdir=0,redirect_dir=on:neither followed nor made" "nosuid:lowerdir is missing" \
	"lowerdir=0?:a path is empty" "lowerdir=nowhere:No such file" "lowerdir=0/acl:Not a directory"; do
	like "refused: ${refused%:*}" "$(cd layers && timeout 30 "$union" "$T/u" -o "$(tr '?' : <<<"${refused%:*}")" 2>&1)" "${refused##*:}"
done
is "and nothing is mounted" "$(mountpoint -q u; echo $?)" "32"

# mount(8) finds a helper beside its own
mkdir sbin
mount --bind /usr/sbin sbin 2>/dev/null
mkdir helper && ln -s "$union" helper/mount.fuse.extmerge-fuse
if mount -t overlay none /usr/sbin -o "ro,lowerdir=$T/helper:$T/sbin" 2>/dev/null; then
	is "mount -t fuse.extmerge-fuse" "$(cd layers && mount -t fuse.extmerge-fuse none "$T/u" -o lowerdir=0:1,nosuid && ls "$T/u" | paste -sd' ')" "acl private"
	umount_both
	umount /usr/sbin
else
	skip "mount -t fuse.extmerge-fuse" "overlayfs cannot be mounted here"
fi

# --- life and death of the server (union.13, union.14) ---

# --- a directory is taken out of a layer meanwhile (union.20) ---
new_layers 3
mkdir -p layers/{0,1,2}/d layers/{0,1,2}/e layers/{1,2}/f
touch layers/1/d/one layers/2/{e,f}/two layers/0/known
umount_both
mount_union
is "the root is listed" "$(cat u/known)" ""
rmdir layers/0/d layers/1/f && rm -r layers/{0,1}/e && touch layers/1/e
is "what the others have in it is still seen" "$(ls u/d u/e u/f | paste -sd' ')" "u/d: one  u/e: two  u/f: two"
rm -r layers/2/f
is "also to those who come later" "$(ls u/d u/e | paste -sd' ')" "u/d: one  u/e: two"

new_layers 2
dd if=/dev/zero of=layers/0/data bs=1M count=8 status=none
for i in {1..200}; do mkdir "layers/0/d$i" && touch "layers/0/d$i/f"; done
gone="not connected|connection abort" # the latter for who waits already
for n in {1..20}; do
	umount_both
	mount_union
	pid=$(server)
	(cd u && for ((i = 0; ; i = i % 200 + 1)); do cat data "d$i/f" "d$i/none$RANDOM"; done >/dev/null 2>&1) &
	reader=$!
	sleep "0.0$((n % 10))"
	kill -KILL "$pid"
	timeout 10 stat u/never-asked >/dev/null 2>"$T/error"
	[ $? = 1 ] && grep -qE "$gone" "$T/error" || break
	kill "$reader" && wait "$reader" 2>/dev/null
done
is "after SIGKILL of the server, 20 times under readers, there is an error at once" "$n $(grep -cE "$gone" "$T/error")" "20 1"
umount_both
mount_union
pid=$(server)
kill -TERM "$pid"
ok "SIGTERM does not end it" ls u/d1
asan=$(grep -c __asan_init "$union")
like "its memory is locked, but for sanitizers" "$(awk '/^VmLck/ { print ($2 > 0) }' "/proc/$pid/status") $asan" "^(1 0|. [1-9])"
is "it has but three capabilities" "$(awk '/^Cap(Prm|Eff|Bnd|Inh|Amb)/ { print $2 }' "/proc/$pid/status" | paste -sd' ')" \
	"0000000000000000 0000000000a00004 0000000000a00004 0000000000000000 0000000000000000"
like "and a filter, but for sanitizers" "$(awk '/^Seccomp:/ { print $2 }' "/proc/$pid/status") $asan" "^(2 0|. [1-9])"
umount u
ok "it ends with the mount" await ended $pid
finish
