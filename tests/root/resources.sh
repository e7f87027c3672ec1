#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Too little of something, or too much: disk space, writability, fds, extensions, answers (threats 28, 44, 45).
# shellcheck disable=SC2154 # out, err, rc, list: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
make_good
image() { # FORMAT FILE NAME
	make_tree "$T/tree" "$3" && make_image "$1" "$T/tree" "$2" && rm -r "$T/tree"
}
seen() { cat "$R/usr/bin/$1" 2>/dev/null || echo nothing; }

# --- no place to write ---
for format in erofs squashfs; do
	image $format "$X/$format.raw" $format
done
make_conf_tree "$C/conf" conf
mount -t tmpfs -o size=4k none "$R/run" && head -c 4096 /dev/zero >"$R/run/full"
refresh_beside "a full /run"
is "images are merged with a full /run" "$(seen erofs) $(seen squashfs) $(cat "$R/etc/conf.conf")" "erofs squashfs conf"
em unmerge
umount "$R/run" && rmdir "$R/run"
refresh_beside "a missing /run"
is "images are merged without /run" "$(seen erofs) $(seen squashfs)" "erofs squashfs"
unmerge_clean "them"
mkdir -p "$R/run/extensions" && rm -r "$R/opt"
mount --bind "$R" "$R" && mount -t tmpfs none "$R/run/extensions" && mount -o remount,ro,bind "$R"
note_mounts
refresh_beside "a read-only root"
is "images are merged on a read-only root" "$(seen erofs) $(seen squashfs) $(cat "$R/etc/conf.conf")" "erofs squashfs conf"
make_tree "$R/run/extensions/opt" opt && mkdir "$R/run/extensions/opt/opt" && touch "$R/run/extensions/opt/opt/file"
em refresh
is "where /opt has to be made and cannot be, the run fails" $rc 1
like "and says why" "$err" 'Read-only file system'
is "and the old set is in place" "$(layers usr): $(seen good)" "squashfs good erofs: still here"
rm -r "$R/run/extensions/opt"
unmerge_clean "them"
umount "$R/run/extensions" "$R" && mkdir "$R/opt"
note_mounts

refresh_beside "what was there"
# --- few file descriptors, little memory: the old set or the new one, never a part ---
complaints='' failures=0
short() { # LIMIT VALUE
	local said status old new

	old=$(seen erofs)
	new=$old.
	image erofs "$X/erofs.raw" erofs
	make_tree "$T/tree" erofs "$new" && make_image erofs "$T/tree" "$X/erofs.raw"
	said=$(exec 2>&1; ulimit "$1" "$2"; exec "$EXTMERGE" --root="$R" refresh)
	status=$?
	[ $status = 0 ] || new=$old failures=$((failures + 1))
	[ $status != 0 ] || [ "$(layers usr)" = "squashfs good erofs" ] || said+=" (a part: $(layers usr))" new="not a part"
	[ "$(seen erofs)/$(seen good)/$(seen host-tool)/$(cat "$R/etc/conf.conf")" = "$new/still here/host tool/conf" ] ||
		complaints+="$1 $2: status $status, '$(seen erofs)' instead of '$new': $(tail -n 1 <<<"$said")"$'\n'
	case $status in
	0 | 1 | 5 | 127) ;;
	*) complaints+="$1 $2: status $status: $said"$'\n' ;;
	esac
}
for limit in {3..30} 40 100; do
	short -n $limit
done
is "with 3 to 100 file descriptors the old set stays, or all of the new one is merged" "$complaints" ""
ok "some of these runs failed, and some did not" test $failures -gt 3 -a $failures -lt 30
complaints='' failures=0
for limit in 5000 6000 7000 8000 9000 10000 11000 12000 14000 16000 20000 30000; do
	short -v $limit
done
is "the same with little memory" "$complaints" ""
ok "some of these runs failed" test $failures -gt 3
refresh_beside "what is there, with all that is needed"
unmerge_clean "them"
rm -rf "${X:?}"/*.raw

# --- the limit of 500; "good" is the lowest of them ---
for i in {1..500}; do
	printf -v name 'x%03d' "$i"
	names+=("$name")
done
mkdir -p "${names[@]/#/$X/}" && (cd "$X" && printf '%s\0' "${names[@]/%//usr/bin}" "${names[@]/%//usr/lib/extension-release.d}" | xargs -0 mkdir -p)
for name in "${names[@]}"; do
	echo ID=_any >"$X/$name/usr/lib/extension-release.d/extension-release.$name"
	echo "$name" >"$X/$name/usr/bin/$name"
done
em list --json
is "of 501 extensions the last is refused, by its number" \
	"$(jq -r '.extensions[] | select(.reason) | "\(.name) \(.reason.code) \(.reason.text)"' <<<"$out")" "x500 too-many it is number 501, and the limit is 500"
refresh_beside "500 directories"
like "and named" "$err" 'x500 skipped: too-many: it is number 501'
is "500 are merged" "$(layers usr | wc -w)" 500
is "the files of all are seen, and the host's" "$(cd "$R/usr/bin" && cat x[0-4]* good host-tool | wc -l) $(ls "$R/usr/bin" | wc -l)" "501 501"
rm -r "$X/x500"
em refresh
is "without it nothing is refused" "$rc $(layers usr | wc -w)" "0 500"
unmerge_clean "them"
(cd "$X" && rm -rf "${names[@]}")

# --- many images: 64 of each ---
for i in {1..64}; do
	image erofs "$X/e$i.raw" "e$i"
	image squashfs "$X/s$i.raw" "s$i"
done
refresh_beside "64 erofs and 64 squashfs images"
is "all of them are merged" "$(layers usr | wc -w) $(cat "$R"/usr/bin/{e,s}[0-9]* | wc -l)" "129 128"
em refresh
like "and once is enough" "$err" "Nothing has changed"
unmerge_clean "them"
rm "${X:?}"/*.raw

# --- a file system that never answers, as a search directory and behind a link in one ---
server=${TESTS_BUILD_DIR-/nowhere}/root/hang-fuse
is_mounted() { [ "$(mounts_below "$1")" != 0 ]; } # does not ask it, which mountpoint(1) would
mounted_or_dead() { is_mounted "$1" || ended $pid; }
hang() { # DIRECTORY
	mkdir -p "$1"
	"$server" "$1" &
	pid=$!
	await mounted_or_dead "$1" && is_mounted "$1"
}
unhang() { # DIRECTORY: the end of the server ends the waiting of all
	kill $pid
	wait $pid 2>/dev/null
	umount -l "$1"
}
timed() { # COMMAND...
	local start=$SECONDS
	"$@"
	ok "it took less than 10 seconds" test $((SECONDS - start)) -lt 10
}
if [ ! -x "$server" ]; then
	skip "a search directory that hangs" "there is no ${server##*/}, which make check-programs builds"
elif hang "$R/run/extensions" && ! is_mounted "$R/run/extensions"; then
	skip "a search directory that hangs" "FUSE cannot be mounted here"
else
	image squashfs "$X/image.raw" image
	timed refresh_beside "a search directory that hangs"
	like "the directory is named" "$err" "Cannot search '/run/extensions': .*timed out"
	is "the next run has the lock, and nothing to do" "$(timeout 20 "$EXTMERGE" --root="$R" refresh --lock-wait=0 2>&1 | tail -n 1)" "Nothing has changed."
	em unmerge
	ok "whoever is stuck holds no loop device" no_loops
	unhang "$R/run/extensions"
	unmerge_clean "it"
	hang "$R/srv"
	ln -s /srv/image.raw "$X/hanging.raw"
	timed refresh_beside "a link to an image that hangs"
	is "all other images are merged" "$(layers usr)" "image good"
	like "the image is named" "$err" 'extensions/hanging.raw skipped: unresponsive'
	unhang "$R/srv"
	unmerge_clean "it"
fi
finish
