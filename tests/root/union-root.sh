#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The root of the union is a directory like any other: what the kernel knows of it, it keeps, and its access control
# list holds as overlayfs' does (union.9, union.10, union.23, overlay.1).
# shellcheck disable=SC2154 # tools, union: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin_union
mkdir layers o u
shim=${TESTS_BUILD_DIR:?}/root/deny.so
asan=$(grep -c __asan_init "$union")
acl=system.posix_acl_access
# u::rwx u:12345:--- g::r-x m::r-x o::r-x, and the opposite
deny=0x0200000001000700ffffffff020000003930000004000500ffffffff10000500ffffffff20000500ffffffff
allow=0x0200000001000700ffffffff020005003930000004000000ffffffff10000500ffffffff20000000ffffffff

# 12345, and a user whom no list names
as() { # USER COMMAND...
	setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}

# Two layers, each side with an upper and a work directory.
new_layers() {
	umount_both
	rm -rf layers upper_? work_?
	mkdir -p layers/{0,1}/dir layers/1/tree upper_{o,u} work_{o,u}
	echo upper >layers/0/dir/file
	echo lower >layers/1/tree/file
}

umount_both() {
	umount -q -l o 2>/dev/null
	umount -q -l u 2>/dev/null
	await no_server
}

# The process that serves u.
server() {
	pgrep -f "^@extmerge-fuse union .* -- $T/u\$"
}
no_server() {
	! server >/dev/null
}

upper_of() { # read|write o|u
	[ "$1" = read ] || echo ",upperdir=upper_$2,workdir=work_$2"
}
mount_both() { # read|write
	mount -t overlay none o -o "redirect_dir=nofollow,metacopy=off,lowerdir=layers/0:layers/1$(upper_of "$1" o)" &&
		mount_union "$1"
}
mount_union() { # read|write
	timeout 30 "$union" "$T/u" -o "lowerdir=layers/0:layers/1$(upper_of "$1" u)"
}

# What users can do in the tree.
rights() { # o|u
	local user

	for user in 12345 12346; do
		echo "$user lists: $(as "$user" ls "$1" 2>/dev/null | paste -sd' ')"
		echo "$user reads: $(as "$user" cat "$1/dir/file" "$1/tree/file" 2>/dev/null | paste -sd' ')"
		echo "$user writes: $(as "$user" mkdir "$1/new" 2>/dev/null && rmdir "$1/new" && echo yes)"
	done
	stat -c '%a %u %g' "$1"
	getfattr -n "$acl" -e hex "$1" 2>/dev/null | grep acl
}

is_stopped() {
	! awk '/^State:/ { print $2 }' /proc/"$1"/task/*/status | grep -qv T
}

# A thousand paths, by a user who is not the root's owner, while the server cannot answer.
walk_alone() {
	local pid status

	pid=$(server)
	as 12346 cat u/dir/file >/dev/null # once the kernel must ask
	as 12346 bash -c '[ -e u/dir/file ]' || return 1
	kill -STOP "$pid"
	await is_stopped "$pid"
	timeout -s KILL 60 setpriv --reuid 12346 --regid 12346 --clear-groups \
		bash -c 'for i in {1..1000}; do [ -e u/dir/file ] || exit 1; done'
	status=$?
	kill -CONT "$pid"
	return $status
}

as 12346 ls layers >/dev/null || { skip "everything" "other users cannot reach $T"; finish; }
new_layers
mount_union read || exit 1
root=$(findmnt -n -o FSROOT u)
if [ "$(printf '%s\n' 6.15 "$(uname -r)" | sort -V | head -n1)" = 6.15 ]; then
	is "the connection's root is outside of what is mounted" "$root" "/tree"
fi
new_layers
overlay=yes
mount_both write || overlay=

for mode in read write; do
	new_layers
	mount_union $mode
	if [ "$root" = /tree ]; then
		ok "$mode: a thousand walks of a user ask the server nothing" walk_alone
	else
		skip "$mode: a thousand walks of a user ask the server nothing" "this kernel does not clone what is not attached"
	fi
	is "$mode: the entry that leads to the root is not in it" "$(find u -mindepth 1 | sort | paste -sd' ') $(cat u/tree/file)" \
		"u/dir u/dir/file u/tree u/tree/file lower"
	is "$mode: and the root has its number in every place" "$(stat -c %i u)" "$(stat -c %i u/. u/dir/.. | uniq | paste -sd' ')"
	ok "$mode: it says how large it is" df u
	for list in "$deny" "$allow" none; do
		[ -n "$overlay" ] || continue
		new_layers
		for layer in layers/0 upper_o upper_u; do
			[ "$list" = none ] && chmod 700 "$layer" || setfattr -n "$acl" -v "$list" "$layer"
		done
		mount_both $mode
		is "$mode: rights in a root with the list $list" "$(rights u)" "$(rights o)"
	done
	[ -n "$overlay" ] || skip "$mode: rights as overlayfs has them" "overlayfs cannot be mounted here"
done

# The list is another one meanwhile.
new_layers
mount_union write
pid=$(server)
ok "who is not denied enters" as 12345 cat u/dir/file
setfattr -n "$acl" -v "$deny" u
not_ok "who is denied meanwhile does not" as 12345 cat u/dir/file
ok "others do" as 12346 cat u/dir/file
setfattr -n "$acl" -v "$allow" u
ok "who is allowed meanwhile enters" as 12345 cat u/dir/file
not_ok "others do not" as 12346 cat u/dir/file
chmod 700 u
not_ok "a mode is a mask" as 12345 cat u/dir/file
setfattr -x "$acl" u && chmod 777 u
ok "and without a list there is the mode" as 12345 touch u/new
mv u/dir/file u/file && mv u/tree/file u/dir/ && mv u/file u/tree/ && mv u/new u/newer
is "renames to the root and from it" "$(find u -type f -printf '%P\n' | sort | paste -sd' ') $(cat upper_u/tree/file)" \
	"dir/file newer tree/file upper"
umount u
ok "it ends with the mount" await ended "$pid"

# Linux before 6.15
if [ -e "$shim" ] && [ "$asan" = 0 ]; then
	for mode in read write; do
		new_layers
		LD_PRELOAD=$shim EXTMERGE_DENY=detached mount_union $mode
		is "$mode: where what is not attached cannot be cloned, the root is the connection's" \
			"$(findmnt -n -o FSROOT u) $(as 12346 cat u/dir/file u/tree/file | paste -sd' ')" "/ upper lower"
	done
else
	skip "where what is not attached cannot be cloned" "no tests/root/deny.so, or with sanitizers"
fi

# What is mounted has the options that were asked for, and is gone with the server.
new_layers
timeout 30 "$union" "$T/u" -o "nosuid,nodev,noexec,noatime,nosymfollow,lowerdir=layers/0:layers/1"
is "options" "$(findmnt -n -o VFS-OPTIONS u)" "ro,nosuid,nodev,noexec,noatime,nosymfollow"
kill -KILL "$(server)"
like "without the server there is an error at once" "$(LC_ALL=C timeout 60 ls u 2>&1)" "not connected|connection abort"
umount_both
finish
