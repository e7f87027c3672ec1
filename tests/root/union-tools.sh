#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What people walk, copy and watch trees with says the same of a union as of overlayfs, with one device and one number for each file
# (union.9, union.11, union.12), and the server is hard to kill by accident (union.14).
# shellcheck disable=SC2154 # tools, union: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin_union
mkdir layers o u outside

# Layers on file systems of their own, so that numbers meet below; what all of them have is merged.
for i in 0 1 2; do
	mkdir "layers/$i" && mount -t tmpfs extmerge-test "layers/$i" -o mode=755
	mkdir -p "layers/$i"/{merged/below,d$i,opaque,gone}
	for n in {1..60}; do
		printf '%s %s\n' "$i" "$n" >"layers/$i/merged/f$((n * (i + 1)))"
		head -c $((n * 100)) /dev/zero >"layers/$i/d$i/f$n"
	done
	ln "layers/$i/d$i/f1" "layers/$i/d$i/link1"
	ln "layers/$i/d$i/f1" "layers/$i/merged/below/link$i"
	ln -s f1 "layers/$i/d$i/symlink"
	mkfifo "layers/$i/d$i/fifo"
	mknod "layers/$i/d$i/null" c 1 3
	truncate -s 300K "layers/$i/d$i/sparse" && printf x >>"layers/$i/d$i/sparse"
	touch -d '2001-02-03 04:05:06.789' "layers/$i/d$i/old" "layers/$i/merged/below"
	chown 12345:54321 "layers/$i/d$i/old" && chmod 6750 "layers/$i/d$i/old"
	setfattr -n user.mark -v "$i" "layers/$i/d$i/f2"
	setfattr -n security.capability -v 0x0100000202000000000000000000000000000000 "layers/$i/d$i/f3"
	setfattr -n system.posix_acl_access -v 0x0200000001000600ffffffff020004003930000004000000ffffffff10000400ffffffff20000000ffffffff "layers/$i/d$i/f4"
	for name in $'new\nline' $'\xff\xfe' ' blank ' -dash 'back\slash' '*' ... "$(printf 'n%.0s' {1..255})"; do
		touch "layers/$i/d$i/$name"
	done
done
setfattr -n trusted.overlay.opaque -v y layers/0/opaque
touch layers/{1,2}/opaque/hidden && mknod layers/0/merged/f62 c 0 0 && rmdir layers/0/gone && mknod layers/0/gone c 0 0
list=layers/0:layers/1:layers/2

# The same output of a command, run in o and in u.
same() { # NAME COMMAND
	local of_o of_u

	of_o=$(cd o && sh -c "$2" 2>&1; echo "status $?")
	of_u=$(cd u && sh -c "$2" 2>&1; echo "status $?")
	ok "$1" diff <(printf '%s\n' "$of_o") <(printf '%s\n' "$of_u") &&
		like "$1: which is something" "$of_u" "...*status 0\$"
}

# Archives have names, owners, modes, times, links, targets, attributes and data.
archive="tar -c --sort=name --format=posix --pax-option=delete=atime,delete=ctime --numeric-owner --xattrs --xattrs-include='*' ."
walk() { # NAME
	same "$1: du" "du -a -l --apparent-size . | sort"
	same "$1: du counts a file with several names once" "du -s --apparent-size ."
	same "$1: tar" "$archive | sha256sum"
	same "$1: find" "find . -printf '%P %y %m %U %G %s %n %T@ %l\\n' | sort"
	same "$1: find -samefile" "for f in d?/f1 d?/link1; do find . -samefile \$f; done | sort"
	is "$1: find -inum finds each file by its number, with all its names" "$(find u ! -type d -printf '%i\n' | sort | uniq -c | awk '{ print $1 }' | sort -n | uniq -c)" \
		"$(find u ! -type d -printf '%n %i\n' | sort -u | awk '{ print $1 }' | sort -n | uniq -c)"
	is "$1: all of it is one device" "$(find u -printf '%D\n' | sort -u | wc -l) $(find u -xdev | wc -l)" "1 $(find u | wc -l)"
	if command -v rsync >/dev/null; then
		is "$1: rsync sees no difference" "$(rsync -aHAXxnc --numeric-ids --delete --itemize-changes o/ u/ 2>&1)" ""
	else
		skip "$1: rsync sees no difference" "there is no rsync"
	fi
}

# --- read-only ---

if mount -t overlay none o -o "ro,redirect_dir=nofollow,metacopy=off,xino=on,lowerdir=$list"; then
	timeout 30 "$union" "$T/u" -o "lowerdir=$list" || exit 1
	walk "read-only"
	ok "cp -a" cp -a u outside/copy
	ok "and diff -r" diff -r --no-dereference --exclude=fifo --exclude=null u outside/copy
	is "which has its links" "$(stat -c %h outside/copy/d?/f1 | paste -sd' ')" "$(stat -c %h u/d?/f1 | paste -sd' ')"
	umount o
	umount u
else
	skip "the same as of overlayfs" "overlayfs cannot be mounted here"
	finish
fi

# --- writable: the same is done on both sides by the same programs ---

mkdir {upper,work}_{o,u}
mount -t overlay none o -o "index=off,redirect_dir=nofollow,metacopy=off,xino=on,lowerdir=$list,upperdir=upper_o,workdir=work_o" || exit 1
timeout 30 "$union" "$T/u" -o "lowerdir=$list,upperdir=upper_u,workdir=work_u" || exit 1
(cd outside/copy && eval "$archive") >outside/tar
same "what tar unpacks" "mkdir unpacked && tar -xpf ../outside/tar -C unpacked --xattrs --xattrs-include='*' --numeric-owner; find unpacked | wc -l"
same "cp -a of its own tree" "cp -a d1 d1copy && ls -A d1copy | wc -l"
same "mv of a merged directory" "mv merged moved && ls moved | sort | cksum"
same "rm -r" "rm -r unpacked/d0 d2/f[1-5] opaque && find . | wc -l"
same "sed -i" "sed -i s/1/one/ moved/f1 && cat moved/f1"
same "chmod, chown and touch" "chmod -R g+w d0 && chown -h 5:6 d0/* && touch -h -d 2020-01-01 d0/symlink && ls -ln --time-style=+%s d0/symlink d0/f9 | cut -c1-30"
# Times of now are not the same on both sides.
find o u -newermt 2021-01-01 -exec touch -h -d 2021-01-01 {} +
find o u -depth -type d -exec touch -d 2021-01-01 {} +
walk "writable"

# --- inotify(7): what happens by the union is told, as overlayfs does ---

cat >watch.py <<'END'
import ctypes, os, struct, sys
libc = ctypes.CDLL(None)
os.chdir(sys.argv[1])
watch = libc.inotify_init1(os.O_NONBLOCK)
libc.inotify_add_watch(watch, b'd1', 0xfff)
libc.inotify_add_watch(watch, b'd1/f7', 0xfff)
open('d1/f6').read()
os.listdir('d1')
with open('d1/f7', 'a') as f:
    f.write('x')
os.chmod('d1/f8', 0o600)
open('d1/new', 'w').close()
os.rename('d1/new', 'd1/newer')
os.rename('d1/newer', 'd1/f9')
os.unlink('d1/f7')
os.mkdir('d1/dir')
os.rmdir('d1/dir')
try:
    while True:
        events, at = os.read(watch, 65536), 0
        while at < len(events):
            which, mask, _, n = struct.unpack_from('iIII', events, at)
            print(which, hex(mask), events[at + 16:at + 16 + n].rstrip(b'\0'))
            at += 16 + n
except BlockingIOError:
    pass
END
same "inotify" "exec python3 $T/watch.py ."

# --- who may end it (union.14) ---

pid=$(pgrep -f "^@extmerge-fuse union .* -- $T/u\$")
is "its name tells init to leave it alone" "$(head -c 1 "/proc/$pid/cmdline")" "@"
if sh -c 'echo -1000 >/proc/self/oom_score_adj' 2>/dev/null; then
	is "and the kernel to take memory from others" "$(cat "/proc/$pid/oom_score_adj")" "-1000"
else
	skip "and the kernel to take memory from others" "who has not CAP_SYS_RESOURCE cannot"
fi
finish
