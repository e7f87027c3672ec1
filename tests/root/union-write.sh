#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The writable union does what overlayfs does, and leaves what overlayfs leaves; nothing acknowledged is lost.
# shellcheck disable=SC2154 # tools, union: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin_union
mkdir layers o u

# Layers 0 to N-1, empty, and for each side an upper and a work directory of its own.
new_layers() { # N
	local i

	umount_both
	rm -rf layers/* upper_? work_?
	mkdir upper_{o,u} work_{o,u}
	list=
	for ((i = 0; i < $1; i++)); do
		mkdir "layers/$i"
		list+=${list:+:}layers/$i
	done
}

umount_both() {
	umount -q -l o 2>/dev/null
	umount -q -l u 2>/dev/null
	await_end
}

# The process that serves u.
server() {
	pgrep -f "^@extmerge-fuse union .* -- $T/u\$"
}

# The work directory is locked until it has ended.
await_end() {
	await no_server
}
no_server() {
	! server >/dev/null
}
no_server_at() { # DIRECTORY
	! pgrep -f "^@extmerge-fuse union .* -- $T/$1\$" >/dev/null
}

# On o and on u; whose upper directory is another question.
mount_overlay() { # o|u [OPTIONS]
	mount -t overlay none o -o "index=off,redirect_dir=nofollow,metacopy=off,xino=off,lowerdir=$list,upperdir=upper_$1,workdir=work_$1${2:+,$2}"
}
mount_union() { # o|u [OPTIONS]
	timeout 30 "$union" "$T/u" -o "lowerdir=$list,upperdir=upper_$1,workdir=work_$1${2:+,$2}"
}

# What an upper directory holds, but for numbers and times. overlayfs gives whiteouts its own group (overlay.15).
shape() { # DIRECTORY
	find "$1" -mindepth 1 -printf '%P %y %m %U %G %l\n' | sed 's/ c 0 .*/ whiteout/' | sort
}

# --- each operation (overlay.5 to overlay.9) ---

new_layers 2
mkdir -p layers/{0,1}/both layers/1/{low,empty,only/deep}
echo upper >layers/0/both/file
echo lower >layers/1/both/below
echo text >layers/1/low/file
ln layers/1/low/file layers/1/low/link
ln -s file layers/1/low/symlink
echo deep >layers/1/only/deep/file
setfattr -n user.kept -v x layers/1/only/deep/file
chown 7:8 layers/1/only/deep/file
chmod 4750 layers/1/only/deep/file
truncate -s 1M layers/1/sparse && printf x | dd of=layers/1/sparse bs=1 seek=700000 conv=notrunc status=none
touch -d 2001-02-03 layers/1/only/deep/file layers/1/only/deep
mount_union u || exit 1

number=$(stat -c %i u/only/deep/file)
echo more >>u/only/deep/file
is "a copied file keeps owner, mode and attributes" \
	"$(stat -c '%u:%g %a' u/only/deep/file) $(getfattr --only-values -n user.kept u/only/deep/file)" "7:8 4750 x"
is "and its number" "$(stat -c %i u/only/deep/file)" "$number"
is "its directory keeps its times" "$(stat -c %y u/only/deep | cut -c1-10)" "2001-02-03"
is "the layer is untouched" "$(cat layers/1/only/deep/file)" "deep"
is "the upper directory has it" "$(cat upper_u/only/deep/file | paste -sd' ')" "deep more"
printf y | dd of=u/sparse bs=1 conv=notrunc status=none
ok "holes stay holes" [ "$(stat -c %b upper_u/sparse)" -lt 100 ]
is "and data stay data" "$(tail -c +700001 u/sparse | head -c 1)" "x"

echo other >>u/low/link
is "hard links of a layer part" "$(cat u/low/file u/low/link | paste -sd' ')" "text text other"
ln u/low/link u/low/third
is "new ones are one file" "$(stat -c %i u/low/link)" "$(stat -c %i u/low/third)"
echo again >>u/low/third
is "with the same data" "$(tail -n 1 u/low/link) $(stat -c %h u/low/link)" "again 2"

rm u/both/below
is "what is removed leaves a whiteout" "$(stat -c '%F %t:%T' upper_u/both/below)" "character special file 0:0"
is "and is not listed" "$(ls u/both)" "file"
echo anew >u/both/below
is "what is made over it is there" "$(cat u/both/below) $(stat -c %F upper_u/both/below)" "anew regular file"
rm -r u/low
mkdir u/low
is "a directory in a whiteout's place is opaque" "$(getfattr --only-values -n trusted.overlay.opaque upper_u/low) $(ls -A u/low)" "y "
like "a directory of a layer cannot move" "$(python3 -c 'import os; os.rename("u/only", "u/moved")' 2>&1)" "cross-device"
mkdir u/new
touch u/new/inside
mv u/new u/both/new
is "a new one can, and is opaque in a merged one" "$(ls u/both/new) $(getfattr --only-values -n trusted.overlay.opaque upper_u/both/new)" "inside y"
rmdir u/empty
not_ok "an empty directory can be removed" stat u/empty
like "one that is not cannot" "$(rmdir u/only 2>&1)" "not empty"
like "nobody makes a whiteout" "$(mknod u/whiteout c 0 0 2>&1)" "not permitted"
is "the work directory is left empty" "$(find work_u/work -mindepth 1 ! -name '#stage')" ""

# --- open files (overlay.9, overlay.15) ---

echo before >layers/1/late 2>/dev/null
umount_both
echo before >layers/1/late
mount_union u
exec 8<u/late
echo after >>u/late
is "a file that was open before it was copied shows what is written" "$(cat <&8 | paste -sd' ')" "before after"
exec 8<&-
exec 8<>u/late
rm u/late
echo unlinked >&8
is "an open file without a name can be used" "$(head -n 1 /proc/self/fd/8)" "unlinked"
exec 8<&-
is "and is gone then" "$(stat u/late 2>&1 | grep -c 'No such')" "1"

# --- who does it (overlay.7, overlay.10, overlay.11) ---

umount_both
mkdir -m 2777 layers/1/shared && chgrp 4242 layers/1/shared
mkdir -m 777 layers/1/lists && setfattr -n system.posix_acl_default -v 0x0200000001000700ffffffff02000600e803000004000500ffffffff10000700ffffffff20000000ffffffff layers/1/lists
cp /bin/true layers/1/suid && chmod 4777 layers/1/suid
mount_union u
as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
as 1234 sh -c 'umask 027; echo x >u/shared/file; mkdir u/shared/dir'
is "a new file is the caller's, and of the directory's group" "$(stat -c '%u:%g %a' u/shared/file u/shared/dir | paste -sd' ')" "1234:4242 640 1234:4242 2750"
as 1234 sh -c 'umask 077; echo x >u/lists/file'
like "a default access control list counts, not the umask" "$(getfacl -n -p -c u/lists/file 2>/dev/null | paste -sd' ')$(stat -c %a u/lists/file)" "user:1000:rw-.*660$|^660$"
rm u/shared/file
as 1234 sh -c 'umask 027; echo x >u/shared/file'
is "also where a whiteout was" "$(stat -c '%u:%g %a' u/shared/file)" "1234:4242 640"
as 1234 sh -c 'printf x | dd of=u/suid conv=notrunc status=none'
is "who writes takes set-user-id away" "$(stat -c %a u/suid)" "777"
chmod 4777 u/suid
printf x | dd of=u/suid conv=notrunc status=none
is "root does not" "$(stat -c %a u/suid)" "4777"
not_ok "modes are obeyed" as 1234 sh -c 'echo x >u/new'
# Others' mounts and renames may disturb one of them; only a server that does so itself disturbs all.
cat >up.py <<'END'
import ctypes, errno, os, struct
how = ctypes.create_string_buffer(struct.pack('QQQ', os.O_RDONLY, 0, 0x10))  # RESOLVE_IN_ROOT
os.setgroups([])
os.setresgid(1234, 1234, 1234)
os.setresuid(1234, 1234, 1234)
root = os.open("u", os.O_PATH)
call = ctypes.CDLL(None, use_errno=True).syscall
for tries in range(64):
    if call(437, root, b'shared/../shared', how, 24) >= 0:
        print('opened')
        break
    if ctypes.get_errno() != errno.EAGAIN:
        print(errno.errorcode[ctypes.get_errno()])
        break
END
is "openat2 goes up for others than root" "$(python3 up.py)" opened

# --- who may write in the upper directory gives others' files the names of his own (overlay.18) ---

mkdir u/swap && chown 1234:1234 u/swap
as 1234 sh -c 'cd u/swap && for f in 1 2 3 4; do echo mine >$f; done && mkdir dir'
sh -c 'cd u/swap && umask 077 && for f in 1 2 3 4; do echo secret >secret$f; done && mkdir private'
# Nothing forgets what it knows, as long as it is in use.
exec 7<u/swap/dir
as 1234 stat u/swap/* >/dev/null
as 1234 sh -c 'cd upper_u/swap && mkdir old && mv [1-4] dir old && for f in 1 2 3 4; do mv secret$f $f; done && mv private dir'
not_ok "a file in the place of another is not read as that" as 1234 cat u/swap/1
not_ok "nor written" as 1234 sh -c 'echo x >>u/swap/2'
as 1234 chmod 4777 u/swap/3 2>/dev/null
as 1234 setfattr -n user.mark -v x u/swap/4 2>/dev/null
as 1234 touch u/swap/dir/new 2>/dev/null
is "nor changed, nor entered" "$(cat upper_u/swap/[1-4] | sort -u) $(stat -c %a upper_u/swap/[1-4] | sort -u) $(getfattr -d upper_u/swap/4)$(ls upper_u/swap/dir)" "secret 600 "
is "it is itself, for who may" "$(cat u/swap/1)" secret
exec 7<&-
rm -r u/swap

# --- what is refused (overlay.1 to overlay.3) ---

umount_both
mkdir -p away upper_u/inside
mount -t tmpfs extmerge-test away && mkdir away/{upper,work}
mkdir dirty dirty/foreign busy
refused() { # NAME OPTIONS REGEX
	like "refused: $1" "$(timeout 30 "$union" "$T/u" -o "$2" 2>&1)" "$3"
}
refused "workdir missing" "lowerdir=layers/0,upperdir=upper_u" "given both"
refused "workdir on another mount" "lowerdir=layers/0,upperdir=upper_u,workdir=away/work" "not on one mount"
refused "workdir in upperdir" "lowerdir=layers/0,upperdir=upper_u,workdir=upper_u/inside" "contain each other"
refused "upperdir in workdir" "lowerdir=layers/0,upperdir=upper_u/inside,workdir=upper_u" "contain each other"
refused "upperdir is workdir" "lowerdir=layers/0,upperdir=upper_u,workdir=upper_u" "contain each other"
refused "a layer in upperdir" "lowerdir=upper_u/inside,upperdir=upper_u,workdir=work_u" "a layer is in upperdir"
refused "a layer that is upperdir" "lowerdir=upper_u,upperdir=upper_u,workdir=work_u" "a layer is in upperdir"
refused "a layer that is workdir" "lowerdir=work_u,upperdir=upper_u,workdir=work_u" "a layer is in upperdir"
refused "workdir of others" "lowerdir=layers/0,upperdir=upper_u,workdir=dirty" "something in it"
refused "passthrough" "lowerdir=layers/0,upperdir=upper_u,workdir=work_u,io=passthrough" "cannot"
mkdir -p busy/work/incompat
refused "volatile" "lowerdir=layers/0,upperdir=upper_u,workdir=busy" "volatile"
mount_union u
refused "a second server" "lowerdir=layers/0,upperdir=upper_u,workdir=work_u" "another server"
umount_both
mkdir -p work_u/work/'#left' && mknod work_u/work/'#left'/x c 0 0 && touch work_u/work/'#1'
ok "what a killed server left is removed" mount_union u
is "all of it" "$(ls -A work_u/work)" ""
umount_both
mkdir layers/0/u layers/0/w
ok "upperdir in a layer" timeout 30 "$union" "$T/u" -o "lowerdir=layers/0,upperdir=layers/0/u,workdir=layers/0/w"
like "is not entered" "$(ls u/u 2>&1)" "Too many levels"
umount_both
# fuse-overlayfs #393
new_layers 1
echo below >layers/0/file && mkdir upper_u/at
timeout 30 "$union" "$T/upper_u" -o "lowerdir=$list,upperdir=upper_u,workdir=work_u"
is "the mount point may be the upper directory" "$(echo more >>upper_u/file && timeout 30 cat upper_u/file | paste -sd' ')" "below more"
umount upper_u && await no_server_at upper_u
is "which has what was written" "$(paste -sd' ' upper_u/file)" "below more"
timeout 30 "$union" "$T/upper_u/at" -o "lowerdir=$list,upperdir=upper_u,workdir=work_u"
is "or be in it, without a loop" "$(timeout 30 ls -A upper_u/at upper_u/at/at | paste -sd' ')" "upper_u/at: at file  upper_u/at/at:"
umount upper_u/at && await no_server_at upper_u/at
mount_union u ro
like "ro" "$(touch u/new 2>&1)" "Read-only"
umount_both

# --- changes at random, on both sides (overlay.4 to overlay.12) ---

# What both sides look at, but not at the same time, is left out: files with the metacopy attribute (union.15), and
# whiteouts that are files, which overlayfs lists in a directory of one layer (union.15, overlay.15).
cat >plain.py <<'END'
import os, sys
mark = sys.argv[1]
for _, _, files, fd in os.fwalk('layers'):
    at = '/proc/self/fd/%d' % fd
    for name in files:
        path = os.path.join(at, name)
        for which in ['metacopy', 'whiteout']:
            if mark + which in os.listxattr(path, follow_symlinks=False):
                os.removexattr(path, mark + which, follow_symlinks=False)
END
churn() { # SEED LAYERS COUNT [OPTIONS [SPACE]]
	local since=$EPOCHSECONDS

	new_layers "$2"
	"$tools/wild" "$1" "$2" layers ${5+"$5"} || exit 1
	rm -rf layers/*/big
	python3 plain.py "${5-trusted.overlay.}" || exit 1
	mount_overlay o "${4-}" && mount_union u "${4-}" || exit 1
	timeout 500 "$tools/churn" "$1" "$3" o >o.log
	timeout 500 "$tools/churn" "$1" "$3" u >u.log
	ok "$1: $3 operations say the same" diff o.log u.log
	ok "$1: and leave the same tree" timeout 200 "$tools/alike" o u "$since"
	ok "$1: and the same upper directory" diff <(shape upper_o) <(shape upper_u)
	umount_both
	mount_overlay u "${4-}"
	mount_union o "${4-}"
	ok "$1: either shows what the other has left" timeout 200 "$tools/alike" o u "$since"
}

new_layers 1
if mount_overlay o; then
	CHURN=${CHURN:-2000}
	for case in 1:1 2:2 3:3 4:4 5:20; do
		churn "${case%:*}" "${case#*:}" "$CHURN"
	done
	churn 6 3 "$CHURN" userxattr user.overlay.
else
	skip "the same as overlayfs" "overlayfs cannot be mounted here"
fi

# --- what was acknowledged is there (overlay.5, overlay.12) ---

# In each of two directories somebody is at work, and begins anew where the last one may have stopped.
KILLS=${KILLS:-10}
files=$((KILLS < 30 ? 6000 : KILLS * 200))
new_layers 1
for w in 1 2; do
	mkdir -p layers/0/$w/{made,moved,old,copied} && touch layers/0/$w/log notes_$w
	for ((i = 1; i <= files; i++)); do echo $i >layers/0/$w/old/$i; done
	cp -r layers/0/$w/old/. layers/0/$w/copied
done
for ((kill = 0; kill < KILLS; kill++)); do
	mount_union u || break
	writers=()
	for w in 1 2; do
		last=$(tail -c 4 notes_$w | od -An -tu4 | tr -d ' ')
		timeout 30 "$tools/acked" change u/$w notes_$w $((${last:-0} + 1)) &
		writers+=($!)
	done
	sleep "0.0$((RANDOM % 6 + 2))"
	kill -KILL "$(server)"
	for writer in "${writers[@]}"; do
		wait "$writer" || [ $? != 124 ] || break 2 # it hangs
	done
	umount -l u
	await_end
done
is "the server was killed $KILLS times, and nobody hung" "$kill" "$KILLS"
mount_union u
for w in 1 2; do
	like "what was acknowledged is there" "$(timeout 100 "$tools/acked" check u/$w notes_$w)" "[1-9][0-9]* rounds, 0 wrong"
done
is "nothing is left in the work directory" "$(ls -A work_u/work)" ""
umount_both

# ENOSPC where it happens: in writing, in making, in copying up.
mkdir -p small && mount -t tmpfs extmerge-test small -o size=1M,nr_inodes=40 && mkdir small/{upper,work}
head -c 3M /dev/urandom >layers/0/large
timeout 30 "$union" "$T/u" -o "lowerdir=$list,upperdir=small/upper,workdir=small/work"
like "a copy that does not fit" "$(bash -c 'echo >>u/large' 2>&1)" "No space left"
is "leaves the layer's file" "$(cmp u/large layers/0/large && ls -A small/upper small/work/work | paste -sd' ')" "small/upper:  small/work/work:"
like "a write that does not fit" "$(head -c 3M /dev/zero 2>&1 >u/new)" "No space left"
rm u/new
ok "room that was given back can be used" sh -c 'head -c 500K /dev/zero >u/new'
like "more files than fit" "$(touch u/{1..60} 2>&1 | head -n 1)" "No space left"
umount_both
umount small

# As many open files as a caller likes, up to its limit, and the server has a limit of its own.
new_layers 1
mount_union u
cat >many.py <<'END'
import os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (3000, 3000))
fds = [os.open('u/many%d' % i, os.O_RDWR | os.O_CREAT) for i in range(2500)]
for i, fd in enumerate(fds):
    os.write(fd, b'%d' % i)
    if i % 2:
        os.unlink('u/many%d' % i)
print(sum(os.pread(fd, 9, 0) == b'%d' % i for i, fd in enumerate(fds)), len(os.listdir('u')))
END
is "many open files, half of them without names" "$(timeout 60 python3 many.py 2>&1 | tail -n 1)" "2500 1250"
rm u/many*
is "their fds are given back" "$(find "/proc/$(server)/fd" -mindepth 1 | wc -l | awk '{ print ($1 < 100) }')" "1"
umount_both
setpriv --bounding-set -sys_resource bash -c 'ulimit -n 600 && exec "$@"' - timeout 30 "$union" "$T/u" -o "lowerdir=$list,upperdir=upper_u,workdir=work_u"
like "with fewer fds opening fails" "$(timeout 60 python3 many.py 2>&1 | tail -n 1)" "Too many open files in system"
is "and everything works again" "$(mkdir u/dir && rm -r u/* && echo x >u/new && cat u/new)" "x"
umount_both

# --- it ends as it should (overlay.12, overlay.14) ---

new_layers 1
mkdir layers/0/dir
for i in {1..50}; do echo "$i" >"layers/0/dir/$i"; done
mount_union u
pid=$(server)
asan=$(grep -c __asan_init "$union")
is "it has the capabilities it needs" "$(awk '/^Cap(Prm|Eff|Bnd|Inh|Amb)/ { print $2 }' "/proc/$pid/status" | paste -sd' ')" \
	"0000000000000000 0000000088a000df 0000000088a000df 0000000000000000 0000000000000000"
like "and a filter, but for sanitizers" "$(awk '/^Seccomp:/ { print $2 }' "/proc/$pid/status") $asan" "^(2 0|. [1-9])"
umount u
ok "it ends with the mount" await_end
finish
