#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The verified file: right bytes or an error, whatever becomes of the image, of the server and of its users.
. "${TESTS_DIR:?}/lib.sh"
begin
# shellcheck source=tests/root/verified.bash
. "${TESTS_DIR}/root/verified.bash"
make_contents

# --- what is read ---

make_verity "$T/erofs"
# shellcheck disable=SC2016 # the inner shell's
is "it is a file of the data's size" \
	"$(with -- stat -Lc '%F %s' /proc/self/fd/9)" "regular file $size"
ok "with the data's bytes" with -- cmp "$I/data" /proc/self/fd/9
ok "also in a workshop that is gone" with --workshop -- cmp "$I/data" /proc/self/fd/9
for threads in 1 4; do
	ok "with $threads threads" with --threads=$threads -- cmp "$I/data" /proc/self/fd/9
done
ok "with the least cache" with --cache=1 -- cmp "$I/data" /proc/self/fd/9
ok "by direct reads" with -- bash -c "dd if=/proc/self/fd/9 bs=64K iflag=direct status=none | cmp - '$I/data'"
not_ok "it cannot be opened for writing (vfile.8)" with -- bash -c 'exec 8<>/proc/self/fd/9'
is "a tail that the tree does not cover is not there" \
	"$(truncate -s +8192 "$I/data"; with -- stat -Lc %s /proc/self/fd/9; truncate -s "$size" "$I/data")" "$size"

cat "$I/data" "$I/tree" >"$I/both"
is "both areas may lie in one file" "$("$attach" --server="$server" "$I/both@0:$size" \
	"$I/both@$size:$(stat -c %s "$I/tree")" "$hash" cmp /proc/self/fd/9 "$I/data" 2>&1)" ""

# --- what the kernel mounts from it ---

# Nobody has the fd any more: the mount, or its loop device, keeps what it needs.
for how in erofs "erofs --loop" "squashfs --loop" "squashfs --loop=cached"; do
	format=${how% *} loop=${how#"${how%% *}"}
	make_verity "$T/$format"
	# shellcheck disable=SC2086 # an option or none
	ok "$how is mounted from it" with --mount="$format:$T/m" $loop -- true
	ok "and has the right content" diff -r "$T/m" "$T/content"
	ok "its server is there" servers
	umount "$T/m"
	ok "until the last user is gone (vfile.8)" no_servers
done
ok "no loop device is left" no_loops

# How the loop device reads the file, as it says itself.
loop_reads() { # OPTION
	# shellcheck disable=SC2016 # the inner shell's
	with "$1" -- bash -c 'cat "/sys/dev/block/$((0x$(stat -Lc %t /proc/self/fd/9))):$((0x$(stat -Lc %T /proc/self/fd/9)))/loop/dio"'
}
is "a loop device reads past the file's page cache (vfile.16)" "$(loop_reads --loop)" 1
is "or through it" "$(loop_reads --loop=cached)" 0

# --- the server keeps nothing (vfile.10 to vfile.14) ---

make_verity "$T/erofs"
# The output is a pipe that ends only when all who have it are gone: a server must not be among them.
is "who starts it is not held up" "$(timeout 20 "$attach" --server="$server" --mount="erofs:$T/m" --workshop "$I/data" \
	"$I/tree" "$hash" echo started 2>&1; echo $?)" "$(printf "started\n0")"
pid=$(servers)
is "it has the fds that it needs" "$(for fd in "/proc/$pid/fd/"*; do basename -a "$fd" "$(readlink "$fd")"; done |
	paste -sd' ')" "0 null 1 null 2 null 3 fuse 4 data 5 tree 7 null"
is "it is in no mount namespace of others" "$(readlink "/proc/$pid/ns/mnt" | grep -cxF "$(readlink /proc/self/ns/mnt)")" 0
is "it sees no mount" "$(cat "/proc/$pid/mountinfo")" ""
is "and no file" "$(ls -A "/proc/$pid/root/")" ""
status_of() { # KEY
	awk -v k="$1:" '$1 == k { print $2 }' "/proc/$pid/status"
}
is "it has no capability" "$(status_of CapPrm) $(status_of CapEff) $(status_of CapBnd)" \
	"0000000000000000 0000000000000000 0000000000000000"
is "it is root, so that init spares it" "$(status_of Uid)" 0
is "it can gain no privilege" "$(status_of NoNewPrivs)" 1
is "its environment is ours" "$(tr '\0' '\n' <"/proc/$pid/environ")" MALLOC_ARENA_MAX=1
is "it is nobody's child" "$(status_of PPid)" 1
if sanitized; then
	skip "it has a filter of system calls" "sanitizers need more"
else
	is "it has a filter of system calls" "$(status_of Seccomp)" 2
fi
for signal in HUP INT TERM QUIT; do kill -$signal "$pid"; done
ok "signals do not end it" diff -r "$T/m" "$T/content"
umount "$T/m"
ok "the last user does" no_servers

# --- one server for several images (vfile.17) ---

is "a server takes further images" "$(with --after=3 -- "${TESTS_BUILD_DIR}/judge" /proc/self/fd/9 "$I/good")" "$pages 0 0"
with --after=40 --mount="erofs:$T/m" --loop -- true
pid=$(servers)
is "of all of them there is one" "$(wc -w <<<"$pid")" 1
ok "which serves the last one, when the others are gone" diff -r "$T/m" "$T/content"
# The socket has gone with who had started it, and everything of the other images with their last users.
fds_of() {
	for fd in "/proc/$1/fd/"*; do basename -a "$(readlink "$fd")"; done | sort | paste -sd' '
}
needs_only() { [ "$(fds_of "$pid")" = "$1" ]; }
await needs_only "data fuse log null null null tree"
is "and keeps what that one needs" "$(fds_of "$pid")" "data fuse log null null null tree"
if sanitized || ! grep -q Seccomp_filters "/proc/$pid/status"; then
	skip "none of its threads can do more than those of a server for one" "sanitizers need more, or the kernel does not say"
else
	is "none of its threads can do more than those of a server for one" \
		"$(awk '$1 == "Seccomp_filters:" { print $2 }' "/proc/$pid/task/"*/status | sort -u)" 2
fi
umount "$T/m"
ok "it ends with the last one" no_servers
is "nonsense does not disturb those who read" \
	"$(with --after=2 --garbage -- bash -c "sleep 0.2; '${TESTS_BUILD_DIR}/judge' /proc/self/fd/9 '$I/good'")" "$pages 0 0"
is "one that was killed is replaced" "$(with --after=2 --kill -- "${TESTS_BUILD_DIR}/judge" /proc/self/fd/9 "$I/good")" "$pages 0 0"
sanitized || is "so is one that has no memory for more" "$(ulimit -v 100000
	with --after=30 -- "${TESTS_BUILD_DIR}/judge" /proc/self/fd/9 "$I/good")" "$pages 0 0"
ok "none of them is left" no_servers

# --- what is refused ---

refused() { # WHAT EXPECTED [OPTION...]
	local what=$1 expected=$2
	shift 2
	is "refused: $what" "$(with "$@" -- echo unexpected)" "$expected"
}
cp "$I/tree" "$I/tree.good"
flip "$I/tree" 0
refused "no superblock" "EBADMSG: there is no verity superblock"
cp "$I/tree.good" "$I/tree"
flip "$I/tree" 64
refused "odd block size" "EBADMSG: wrong data block size of the verity superblock"
cp "$I/tree.good" "$I/tree"
good=$hash hash=$hash$hash
refused "a hash of another length" "EBADMSG: the root hash is of another length than the hash tree's digests"
hash=$good
truncate -s 4096 "$I/tree"
refused "a tree that is cut off" "EBADMSG: the hash tree is cut off"
truncate -s 100 "$I/tree"
refused "not even a superblock" "EIO: its verity superblock cannot be read"
cp "$I/tree.good" "$I/tree"
refused "no server" "ENOENT: the program extmerge-fuse cannot be opened: No such file or directory" \
	--server="$T/none"
refused "a server that is no program" "EPROTO: extmerge-fuse cannot be executed" --server="$I/data"
refused "a server that ends" "EPROTO: extmerge-fuse ended without a word" --server="$(type -P false)"
# In a mount namespace of its own.
is "refused: no /dev/fuse" "$(export -f with; export attach server T I hash
	unshare -m bash -c 'mount --bind /dev/null /dev/fuse && with -- echo unexpected')" \
	"ENODEV: /dev/fuse cannot be opened: No such device"
# It is no server of ours, so nothing ends it when the connection is gone.
refused "a server that does not begin" "ETIMEDOUT: extmerge-fuse was not at work within 1 s" \
	--seconds=1 --server="$TESTS_BUILD_DIR/hostile"
kill "$(servers)"
ok "none of them leaves a server" no_servers

# By hand, it says what it is.
out=$("$server" image 2>&1)
is "by hand it does nothing" "$?" 2
like "and says why" "$out" "is started by extmerge"
out=$("$server" 2>&1)
is "a subcommand is needed" "$?" 2
like "--help" "$("$server" --help)" "image"
like "--version" "$("$server" --version)" "^extmerge-fuse [0-9]"

# --- bad blocks ---

is "a sound image is given out whole" "$(judge)" "$pages 0 0"
rm -f "$T/log"
flip "$I/data" $((20 * 4096 + 17))
is "only the bad block is missing (vfile.4)" "$(judge)" "$((pages - 1)) 0 1"
is "one line says which (vfile.5)" "$(cat "$T/log")" "<3>extmerge-fuse: image '$I/data': data block 20 at byte $((
	20 * 4096)) of its area cannot be given out: it is not what the hash tree names"
# The kernel keeps a device's pages in groups, of which it reads all or none.
for loop in --loop --loop=cached; do
	read -r right wrong missing < <(with $loop -- "${TESTS_BUILD_DIR}/judge" /proc/self/fd/9 "$I/good")
	is "none of it comes from a loop device, $loop" "$wrong $((right + missing))" "0 $pages"
	ok "and only what is around it is missing" test "$missing" -ge 1 -a "$missing" -le 16
done
is "a long read ends before it" "$(with -- dd if=/proc/self/fd/9 bs=1M 2>/dev/null | cmp - "$I/good" 2>&1 |
	grep -o 'byte [0-9]*')" "byte $((20 * 4096))"
flip "$I/data" $((20 * 4096 + 17))

# What becomes of the image while it is used: pages that were read before may stay, in the kernel, as they were.
read -r right wrong missing < <(judge "head -c 8192 /proc/self/fd/9 >/dev/null
	tr '\0-\377' '\1-\377\0' <'$I/good' >'$I/new' && cat '$I/new' >'$I/data'")
is "an image that is rewritten is not given out (vfile.3)" "$wrong" 0
ok "but refused" test "$missing" -gt $((pages / 4))
cp "$I/good" "$I/data"
read -r right wrong missing < <(judge "head -c 8192 /proc/self/fd/9 >/dev/null; truncate -s 8192 '$I/data'")
is "nor is one that is cut off" "$wrong $((right + missing))" "0 $pages"
cp "$I/good" "$I/data"
finish
