#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where a process may not mount, fusermount3 does (switch.18, union.22): for an ordinary user in a root of his own, and for the root of a
# container without CAP_SYS_ADMIN whose fusermount3 has it from elsewhere. Where it cannot, what is missing is named.
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin processes
. "${TESTS_DIR:?}/root/fusermount.bash"

is_dead() { # as_user|as_contained
	[ "$(status "$1" .dead)" = true ]
}
no_servers() {
	! pgrep -f "^@extmerge-fuse union .* -- (extmerge:(sysext|confext):|$T)" >/dev/null
}

# --- what is merged, by whom it may be ---
promises() { # as_user|as_contained
	local who=$1 before tree

	X=$R/var/lib/extensions C=$R/var/lib/confexts
	make_tree "$X/one" one
	make_conf_tree "$C/conf" conf
	echo under >"$R/usr/bin/under"
	make_tree "$T/image" image && make_image squashfs "$T/image" "$X/image.raw" 2>/dev/null
	chown -R "$("$who" id -u)" "$R"
	before=$(mounts_below "$R")

	by "$who" merge
	is "$who: merge" "$rc $(shown "$who")" "0 host tool one under conf host conf host opt"
	is "$who: status says by whom" "$(status "$who" '"\(.state) \(.backend) \(.layers_by) \(.layers[].name)"')" "merged fuse fusermount3 one"
	like "$who: and why" "$(status "$who" .backend_why)" "may not mount, and fusermount3 can do so for FUSE only"
	[ ! -e "$X/image.raw" ] || like "$who: what takes more is left out, and that is said" "$err" "image.raw skipped: no-privilege.*CAP_SYS_ADMIN"
	is "$who: nobody writes in it" "$("$who" sh -c "echo x >$R/usr/bin/new" 2>&1 | grep -c 'Read-only\|Permission')" 1
	is "$who: nothing else is in the root" "$(cd "$R" && echo .[!.]*)" ".[!.]*"
	by "$who" refresh
	like "$who: the same again does nothing" "$rc $err" "^0 .*Nothing has changed"
	is "$who: merge refuses" "$(by "$who" merge; echo "$rc")" 1

	make_tree "$X/two" two && chown -R "$("$who" id -u)" "$X/two"
	by "$who" refresh
	is "$who: refresh" "$rc $(shown "$who")" "0 host tool one two under conf host conf host opt"
	like "$who: the gap is told" "$err" "/usr  2 layers over the host's own, with a gap of [1-9][0-9]* us: fusermount3 cannot mount beneath"
	is "$who: what has not changed had none" "$(grep -c /etc <<<"$err")" 0
	is "$who: there is one tree each" "$(mounts_below "$R")" $((before + 2))

	make_tree "$X/misfit" misfit misfit ID=elsewhere && make_tree "$X/three" three && chown -R "$("$who" id -u)" "$X"
	tree=$(mount_of "$R/usr")
	by "$who" refresh --strict
	is "$who: a refresh that fails beforehand takes nothing off" "$rc $(shown "$who") $(mount_of "$R/usr")" \
		"3 host tool one two under conf host conf host opt $tree"
	rm -r "$X/misfit"
	by "$who" env LD_PRELOAD="$T/deny.so" EXTMERGE_HIDE=bin/three "$T/bin/extmerge" --root="$R" refresh
	is "$who: one that fails later shows what was there" "$rc $(shown "$who")" "1 host tool one two under conf host conf host opt"
	like "$who: and says so" "$err" "/usr  shows what it did before"
	is "$who: as status does" "$(status "$who" '[.layers[].name] | join(" ")')" "two one"

	# --- what is below is the host's, though the merged tree covers it ---
	mkdir -p "$X/one/usr/share/shape" && chown -R "$("$who" id -u)" "$X"
	by "$who" refresh
	is "$who: another one heals it" "$rc $(shown "$who")" "0 host tool one three two under conf host conf host opt"
	by "$who" plan
	like "$who: there is nothing to plan" "$rc $out" "^0 "
	rmdir "$X/one/usr/share/shape" && echo shape >"$X/one/usr/share/shape" && chown -R "$("$who" id -u)" "$X"
	tree=$(mount_of "$R/usr")
	by "$who" plan --json=short
	is "$who: what was merged is not the host's in a plan" "$rc $(jq -r '[.extensions[] | select(.class == "sysext" and .kind == "directory") |
		.name + " " + (.reason.code // "fits")] | sort | join(", ")' <<<"$out") $(mount_of "$R/usr")" "10 one fits, three fits, two fits $tree"
	by "$who" refresh
	is "$who: nor in a refresh" "$rc $("$who" cat "$R/usr/share/shape")" "0 shape"
	rm "$X/one/usr/share/shape"

	kill -KILL "$(status "$who" .server)"
	ok "$who: status sees that a server died" await is_dead "$who"
	by "$who" refresh
	is "$who: which a refresh heals" "$rc $(shown "$who")" "0 host tool one three two under conf host conf host opt"

	by "$who" unmerge
	is "$who: unmerge" "$rc $(shown "$who") $(mounts_below "$R")" "0 host tool under host conf host opt $before"
	ok "$who: no server is left" await no_servers

	chown -R "$("$who" id -u)" "$R"
	by "$who" --mutable=ephemeral merge
	like "$who: what is written needs more" "$rc $err" "^5 .*Cannot make /etc writable: this process lacks CAP_SYS_ADMIN"
	mkdir -p "$R/usr/sub" && mount -t tmpfs sub "$R/usr/sub"
	by "$who" merge
	like "$who: so does what the host has mounted" "$rc $err" "^5 .*what is mounted at /usr/sub would not be seen"
	umount "$R/usr/sub"
	is "$who: nothing was changed by that" "$(mounts_below "$R") $(shown "$who")" "$before host tool under host conf host opt"
	rm -rf "${X:?}"/* "${C:?}"/*
}

as_user true && promises as_user

# --- below what root has merged a user cannot look ---
make_tree "$X/one" one && "$EXTMERGE" --root="$R" merge -q
by as_user plan
like "that is said" "$rc $err" "^0 .*/usr  is merged, and this process cannot look below: all of it counts as the host's own"
"$EXTMERGE" --root="$R" unmerge -q
rm -r "$X/one"

# --- for a union of one's own (union.22) ---
mkdir -p l/{1,2}/d u && echo one >l/1/d/one && echo two >l/2/d/two && chown -R "$user" l u
as_user "$T/bin/extmerge-fuse" "$T/u" -o lowerdir=l/1:l/2
is "an ordinary user's union" "$? $(as_user cat u/d/one u/d/two | paste -sd' ')" "0 one two"
is "its server has no right" "$(awk '/^Cap(Eff|Prm|Inh|Amb)/ { print $2 }' "/proc/$(pgrep -f "^@extmerge-fuse union .* -- $T/u\$")/status" | sort -u)" 0000000000000000
as_user fusermount3 -u "$T/u"
ok "ends with the mount" await no_servers
like "what it cannot is said" "$(as_user "$T/bin/extmerge-fuse" "$T/u" -o lowerdir=l/1,upperdir=l/2,workdir=u 2>&1)" "upperdir and grafts need CAP_SYS_ADMIN"

# --- what is missing ---
make_tree "$X/one" one && chown -R "$user" "$R"
lacking() { # NAME SENTENCE HINT COMMAND...
	local before

	before=$(mounts_below "$R")
	out=$("${@:4}" "$T/bin/extmerge" --root="$R" merge 2>&1)
	is "$1: an error" "$? $(mounts_below "$R")" "5 $before"
	like "$1: that says what is missing" "$out" "this process lacks CAP_SYS_ADMIN, and $2"
	like "$1: and why" "$out" "hint: .*$3"
}
lacking "a container" "fusermount3 says: mount failed: Operation not permitted" "no process in this container may have CAP_SYS_ADMIN.*--cap-add=SYS_ADMIN" as_contained
lacking "no_new_privs" "fusermount3 says: " "no_new_privs keeps fusermount3 from its set-user-id right" as_user setpriv --no-new-privs
cp /usr/bin/fusermount3 plain && chmod 755 plain
(
	mount --bind plain /usr/bin/fusermount3
	lacking "a plain fusermount3" "fusermount3 says: " "fusermount3 is not set-user-id root" as_user
	umount /usr/bin/fusermount3
	chmod 644 plain && mount --bind plain /usr/bin/fusermount3
	[ -x /usr/local/bin/fusermount3 ] || [ -x /run/wrappers/bin/fusermount3 ] ||
		lacking "no fusermount3" "there is no fusermount3" "package fuse3" as_user
	umount /usr/bin/fusermount3 && chmod 755 plain
	exit "$n_results"
)
n_results=$?
like "this machine's own root is not for fusermount3" "$(as_contained "$T/bin/extmerge" refresh --root=/ --class=sysext 2>&1)" "lacks CAP_SYS_ADMIN|Nothing|No extensions"

# --- a fusermount3 that has the right from elsewhere, as storage drivers of clusters bring it ---
if begin_stand_in; then
	promises as_contained
	end_stand_in
else
	skip "a fusermount3 that has the right from elsewhere" "there is no python3"
fi
finish
