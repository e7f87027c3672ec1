#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# extmerge pack where it takes root to see it: owners, devices, mounts, absent programs, file systems without nameless
# files, and a signal at any time (specs: pack.*).
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
need_packing "extmerge pack as root"

make_tree "$T/tree" tool
note_mounts

# --- pack.6: root's images keep owners and modes; anybody else's are root's ---
echo mail >"$T/tree/usr/bin/mail"
chown 7:8 "$T/tree/usr/bin/mail" && chmod 2755 "$T/tree/usr/bin/mail"
owners() { # IMAGE
	em pack --format=squashfs "${@:2}" "$T/tree" "$1"
	dd if="$1" of="$T/data" bs=4096 skip=5 status=none
	unsquashfs -lln "$T/data" 2>/dev/null | awk '$NF ~ /usr\/bin\/mail$/ { print $1, $2 }'
}
is "owners and modes are kept" "$(owners "$T/tool_1.raw")" "-rwxr-sr-x 7/8"
is "--reproducible makes them root's" "$(owners "$T/tool_2.raw" --reproducible)" "-rwxr-sr-x 0/0"
mkdir -m 777 "$T/public"
chmod 755 "$T" "$R" && cp "$EXTMERGE" "$T/program" && chmod 755 "$T/program"
if setpriv --reuid=65534 --regid=65534 --clear-groups "$T/program" --version >/dev/null 2>&1; then
	ok "anybody can pack" setpriv --reuid=65534 --regid=65534 --clear-groups "$T/program" --root="$R" pack --format=squashfs \
		"$T/tree" "$T/public/tool.raw"
	dd if="$T/public/tool.raw" of="$T/data" bs=4096 skip=5 status=none
	is "then all files are root's" \
		"$(unsquashfs -lln "$T/data" 2>/dev/null | awk '$NF ~ /usr\/bin\/mail$/ { print $1, $2 }')" "-rwxr-sr-x 0/0"
else
	skip "anybody can pack" "the program cannot be run by an unprivileged user here"
fi

# --- pack.3, pack.5 ---
mknod "$T/tree/usr/bin/gone" c 0 0
em pack "$T/tree" "$T/tool_3.raw"
is "a whiteout is refused" "$rc $(grep -c 'whiteout: /usr/bin/gone is a whiteout' <<<"$err")" "1 1"
rm "$T/tree/usr/bin/gone"
setfattr -n trusted.overlay.opaque -v y "$T/tree/usr/bin"
em pack "$T/tree" "$T/tool_3.raw"
is "an opaque directory is refused" "$rc $(grep -c 'overlay-xattr: /usr/bin carries' <<<"$err")" "1 1"
setfattr -x trusted.overlay.opaque "$T/tree/usr/bin"
mkdir "$T/tree/usr/share" && mount -t tmpfs inside "$T/tree/usr/share" && echo unseen >"$T/tree/usr/share/unseen"
em pack "$T/tree" "$T/tool_3.raw"
is "a mount inside of the tree is refused" $rc 1
like "by its place" "$err" "/usr/share is a mount point.*hint: Unmount it"
umount "$T/tree/usr/share"
is "nothing was made of these" "$(find "$T" -name 'tool_3*')" ""

# --- absent programs: bin directories that are empty, for this process alone ---
without_programs() {
	unshare -m --propagation private bash -c '
		mkdir -p "$T/nothing"
		for place in /usr/bin /usr/sbin /bin /sbin /usr/local/bin /usr/local/sbin; do
			[ -L "$place" ] || places+=("$place")
		done
		exec 3<"$EXTMERGE"
		program=(/proc/self/fd/3 "$@")
		mount=$(command -v mount)
		cp "$mount" "$T/mount"
		for place in "${places[@]}"; do
			"$T/mount" --bind "$T/nothing" "$place"
		done
		exec "${program[@]}"' bash "$@"
}
export T EXTMERGE
err=$(without_programs pack "$T/tree" "$T/tool_4.raw" 2>&1)
is "without mkfs.erofs the exit status is 5" $? 5
like "and its package is named" "$err" "There is no mkfs.erofs.*erofs-utils"
err=$(without_programs pack --format=squashfs "$T/tree" "$T/tool_4.raw" 2>&1)
like "as for mksquashfs" "$err" "There is no mksquashfs.*squashfs-tools"
mkdir "$T/fake" && printf '#!/bin/sh\ntouch %q\n' "$T/was-run" >"$T/fake/mkfs.erofs" && chmod 755 "$T/fake/mkfs.erofs"
PATH=$T/fake:$PATH em pack "$T/tree" "$T/tool_4.raw"
is "PATH has no say" "$rc $([ -e "$T/was-run" ] && echo run)" "0 "

# --- a program that fails: no room for its file ---
mkdir "$T/small" && mount -t tmpfs -o size=64k small "$T/small"
head -c 500000 /dev/urandom >"$T/tree/usr/bin/data"
for format in erofs squashfs; do
	em pack --format=$format "$T/tree" "$T/small/tool.raw"
	is "no room for $format is an error" "$rc $(find "$T/small" -type f | wc -l)" "1 0"
done
umount "$T/small"

# --- pack.15: file systems that know no nameless files (FAT), and no rename that does not replace either (NFS) ---
mkdir "$T/stick"
named() { # OPTION...
	out=$(LD_PRELOAD=$TESTS_BUILD_DIR/root/deny.so EXTMERGE_DENY=$deny "$EXTMERGE" pack "$@" 2>"$T/stderr")
	rc=$?
	found=$(find "$T/stick" -type f -printf '%f ')
}
if [ -e "$TESTS_BUILD_DIR/root/deny.so" ]; then
	for deny in tmpfile tmpfile,noreplace; do
		named "$T/tree" "$T/stick/tool.raw"
		is "an image appears: no $deny" "$rc $found" "0 tool.raw "
		sum=$(md5sum <"$T/stick/tool.raw")
		named --format=squashfs --class=sysext "$T/tree" "$T/stick/tool.raw"
		is "and is not overwritten: no $deny" "$rc $(md5sum <"$T/stick/tool.raw")" "1 $sum"
		named --overwrite --format=squashfs "$T/tree" "$T/stick/tool.raw"
		is "unless told: no $deny" "$rc $found $(md5sum <"$T/stick/tool.raw" | grep -c "$sum")" "0 tool.raw  0"
		mount -t tmpfs -o size=64k small "$T/stick"
		named "$T/tree" "$T/stick/tool.raw"
		is "nothing of a failure stays: no $deny" "$rc $found" "1 "
		umount "$T/stick"
		rm "$T/stick/tool.raw"
	done
else
	skip "file systems without nameless files" "there is no tests/root/deny.so"
fi

# --- killed at any time, it leaves nothing, or the whole image ---
new_key friend
mkdir -p "$R/etc/verity.d" && cp "$T/friend.crt" "$R/etc/verity.d/"
mkdir "$T/out"
bad=0 made=0
for i in $(seq 0 24); do
	rm -f "$T/out"/*
	# In a shell of its own, as a shell speaks of signals on its own stderr.
	bash -c 'timeout -s KILL "$@"; true' bash "0.$(printf %03d $((i * 5)))" "$EXTMERGE" pack --format=squashfs \
		--key="$T/friend.key" --cert="$T/friend.crt" "$T/tree" "$T/out/tool.raw" >/dev/null 2>&1
	case $(find "$T/out" -mindepth 1 -printf '%f ') in
	'') ;;
	'tool.raw ') made=$((made + 1)); em verify "$T/out/tool.raw" || bad=$((bad + 1)) ;;
	*) bad=$((bad + 1)) ;;
	esac
done
is "killed at 25 times, it leaves no half of an image ($made were made)" $bad 0
unmerge_clean "pack"
finish
