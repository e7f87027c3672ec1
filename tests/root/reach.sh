#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Hosts that lack something: extmerge merges by what is left (switch.14, command.5, trust.8), or names exactly what is missing.
# What is there on this machine is denied by deny.c.
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
export ASAN_OPTIONS=${ASAN_OPTIONS-}:verify_asan_link_order=0
shim=${TESTS_BUILD_DIR:?}/root/deny.so
[ -e "$shim" ] || { skip "hosts that lack something" "there is no $shim"; finish; }
[ -c /dev/fuse ] || { skip "hosts that lack something" "there is no /dev/fuse"; finish; }

# On a disk, where erofs can be mounted from its file.
R=$DISK/root X=$R/var/lib/extensions
make_root "$R"
make_tree "$X/one" one
make_tree "$T/two" two
make_image erofs "$T/two" "$X/two.raw"
make_tree "$T/three" three
make_image squashfs "$T/three" "$X/three.raw"
before=$(mounts_below "$R")

lacking() { # WORDS VERB...
	local words=$1
	shift
	out=$(EXTMERGE_DENY=$words LD_PRELOAD=$shim "$EXTMERGE" --root="$R" "$@" 2>"$T/stderr")
	rc=$?
	err=$(cat "$T/stderr")
	return $rc
}
shown() {
	(cd "$R" && cat usr/bin/{host-tool,one,two,three} 2>&1 | paste -sd' ')
}
backend() {
	"$EXTMERGE" --root="$R" status --json=short | jq -r '.hierarchies[] | select(.path == "/usr") | "\(.backend): \(.backend_why)"'
}
all="host tool one two three"

# --- overlayfs is not there, or is refused ---
while IFS='|' read -r name words why; do
	lacking "$words" plan
	like "$name: the plan says so" "$out" "/usr  merge +by fuse \\($why\\)"
	lacking "$words" merge
	is "$name: merged all the same" "$rc $(shown)" "0 $all"
	is "$name: status says by what, and why" "$(backend)" "fuse: $why"
	lacking "$words" refresh
	like "$name: the same again does nothing" "$err" "Nothing has changed"
	em unmerge
	is "$name: nothing is left" "$rc $(mounts_below "$R")" "0 $before"
	lacking "$words" merge --backend=overlay
	is "$name: with overlayfs alone, the kernel's ability is what is missing" "$rc $(mounts_below "$R")" "5 $before"
	like "$name: which is named" "$err" "Cannot build the new /usr: $why"
done <<TABLE
no overlayfs|overlay|this kernel has no overlayfs
overlayfs denied|overlay-right|Operation not permitted
TABLE

# --- neither ---
lacking overlay,fuse merge
is "neither overlayfs nor FUSE: an error" "$rc $(mounts_below "$R")" "5 $before"
like "that names both" "$err" "Cannot build the new /usr: by overlayfs: this kernel has no overlayfs; by FUSE: /dev/fuse cannot be opened: No such device"
lacking fuse merge --backend=fuse
is "no /dev/fuse, and nothing else wanted" "$rc $(mounts_below "$R")" "5 $before"
like "is named too" "$err" "/dev/fuse cannot be opened"
mkdir "$T/bin" && cp "$EXTMERGE" "$T/bin/"
if [ -e "$(grep -aoE '/[[:alnum:]/._-]+/extmerge-fuse' "$EXTMERGE" | head -n 1)" ]; then
	skip "the program extmerge-fuse is not there" "it is installed on this machine"
else
	own=$EXTMERGE EXTMERGE=$T/bin/extmerge
	lacking overlay merge
	is "no extmerge-fuse: an error" "$rc $(mounts_below "$R")" "5 $before"
	like "that names it" "$err" "by FUSE: the program extmerge-fuse cannot be opened: No such file"
	EXTMERGE=$own
fi

# --- a root that is an overlay on an overlay ---
mkdir -p "$T"/{1,2}/{upper,work,root}
mount -t overlay -o "lowerdir=$R,upperdir=$T/1/upper,workdir=$T/1/work" one "$T/1/root"
mount -t overlay -o "lowerdir=$T/1/root,upperdir=$T/2/upper,workdir=$T/2/work" two "$T/2/root"
own=$R R=$T/2/root
deep="the host's /usr is on stacked overlays already, and the kernel stacks no deeper than two"
em plan
like "the root is an overlay on an overlay: the plan says so" "$out" "/usr  merge +by fuse \\($deep\\)"
em merge
is "merged all the same" "$rc $(shown)" "0 $all"
is "status says by what, and why" "$(backend)" "fuse: $deep"
make_tree "$R/var/lib/extensions/one" one again
em refresh
is "a refresh" "$rc $(shown)" "0 host tool again two three"
em refresh --backend=overlay
is "by overlayfs it cannot be had" "$rc $(shown)" "1 host tool again two three"
like "and why is said" "$err" "$deep"
em unmerge
is "unmerge" "$rc $(mounts_below "$R/usr")" "0 0"
R=$own
umount "$T/2/root" "$T/1/root"

# --- no loop devices ---
driver=$(PATH=$PATH:/usr/bin type -P squashfuse_ll)
lacking loop,erofs merge
if [ -n "$driver" ]; then
	is "no loop devices: squashfs by its FUSE driver" "$rc $(cat "$R"/usr/bin/{one,three} 2>&1 | paste -sd' ')" "0 one three"
else
	is "no loop devices, no FUSE driver: the rest is merged" "$rc $(cat "$R/usr/bin/one")" "0 one"
	like "and what is missing is named" "$err" "three.raw skipped: unsupported: .*no loop devices .*squashfuse"
fi
[ -n "$(PATH=$PATH:/usr/bin type -P erofsfuse)" ] ||
	like "what has no driver is left out, and its package is named" "$err" "two.raw skipped: unsupported: this kernel has no erofs or no loop devices .*erofsfuse"
em unmerge
ok "nothing is left" no_loops
lacking loop merge
is "erofs needs none" "$rc $(cat "$R/usr/bin/two")" "0 two"
em unmerge
is "and nothing is left" "$rc $(mounts_below "$R")" "0 $before"

# --- a driver that never answers, and one that does so only once: what waits for it gets an error in the end, here after a tenth of a second ---
printf '#!/bin/sh\nexec sleep 1000\n' >"$T/never" && chmod 755 "$T/never"
for case in "60000 $T/never" "300000 ${TESTS_BUILD_DIR:?}/root/hang-fuse"; do
	[ -n "$driver" ] || { skip "a driver that hangs" "there is no squashfuse_ll to stand in for"; break; }
	mount --bind "${case#* }" "$driver"
	EXTMERGE_HURRY=${case%% *} lacking loop,erofs merge
	is "a driver that hangs (${case##*/}): the rest is merged" "$rc $(cat "$R"/usr/bin/{one,three} 2>&1 | paste -sd' ')" \
		"0 one cat: $R/usr/bin/three: No such file or directory"
	like "and it is said (${case##*/})" "$err" "three.raw skipped: (unsupported: .*squashfuse_ll does not answer|unreadable: .*(not connected|abort))"
	em unmerge
	umount "$driver"
done

# --- no device-mapper: this machine may have it, but need not use it ---
mkdir "$T/packed"
if "$EXTMERGE" pack --quiet "$T/three" "$T/packed/three.raw" >/dev/null 2>&1; then
	mv "$T/packed/three.raw" "$X/three.raw"
	lacking overlay merge --verity=fuse --trust=any
	is "neither device-mapper nor overlayfs: a protected image on a verified file" "$rc $(shown)" "0 $all"
	is "its blocks are checked" "$("$EXTMERGE" --root="$R" status --json=short |
		jq -r '.hierarchies[].layers[] | select(.name == "three").guard')" verified-file
	em unmerge
	ok "nothing is left of it" no_loops
else
	skip "a protected image without device-mapper" "none can be made here"
fi

# --- a user namespace, in which an ordinary user is root, as in a container of his ---
program=$T/bin/extmerge own=$R
chmod 755 "$T" "$T/bin" && cp "$(dirname "$EXTMERGE")/extmerge-fuse" "$T/bin/"
R=$T/theirs
make_root "$R"
make_tree "$R/var/lib/extensions/one" one
chown -R 4321:4322 "$R"
in_namespace() { # [OPTION-OF-SETPRIV...] -- VERB...
	local options=()
	while [ "$1" != -- ]; do options+=("$1") && shift; done
	shift
	out=$(setpriv --reuid=4321 --regid=4322 --clear-groups unshare -Urm setpriv "${options[@]}" sh -c \
		'"$@" && cat "$0"/usr/bin/*' "$R" "$program" --root="$R" "$@" 2>"$T/stderr")
	rc=$?
	err=$(cat "$T/stderr")
}
if setpriv --reuid=4321 --regid=4322 --clear-groups unshare -Urm true 2>/dev/null; then
	in_namespace -- merge
	is "a user namespace: merged" "$rc $(paste -sd' ' <<<"$out")" "0 host tool one"
	mknod -m 666 "$T/fuse" c 10 229 && chmod 666 "$T/fuse" && mount --bind "$T/fuse" /dev/fuse
	in_namespace -- merge --backend=fuse
	is "also by FUSE" "$rc $(paste -sd' ' <<<"$out")" "0 host tool one"
	umount /dev/fuse
	in_namespace --bounding-set=-sys_admin -- merge
	like "without CAP_SYS_ADMIN in it: what is missing is named" "$rc $err" "^5 .*this process lacks CAP_SYS_ADMIN.*(no process in this container may have|package fuse3)"
else
	skip "a user namespace" "ordinary users may make none here"
fi
R=$own

# --- no CAP_SYS_ADMIN, as in most containers: nothing there can mount, fusermount3 (set-user-id root) neither (more in fusermount.sh) ---
if setpriv --bounding-set -sys_admin true 2>/dev/null; then
	out=$(setpriv --bounding-set -sys_admin "$EXTMERGE" --root="$R" merge --backend=fuse 2>&1)
	is "without CAP_SYS_ADMIN: an error" "$? $(mounts_below "$R")" "5 $before"
	like "that names it" "$out" "this process lacks CAP_SYS_ADMIN"
else
	skip "without CAP_SYS_ADMIN" "there is no setpriv"
fi
finish
