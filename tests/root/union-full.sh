#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The writable union where there is no more room, or no more of it for somebody: ENOSPC and EDQUOT come from the call that
# met them, and nothing is lost that was acknowledged (overlay.12). Which quotas there are is up to the kernel.
# shellcheck disable=SC2154 # tools, union: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin_union
mkdir -p layer/w/{made,moved,old,copied} u small
touch layer/w/log
head -c 3M /dev/urandom >layer/large
echo text >layer/text
for i in {1..3000}; do echo "$i" >"layer/w/old/$i"; done
cp -r layer/w/old/. layer/w/copied
chown -R 1000:1000 layer

# Tries in each way to get more than there is, and says what it was told; then whether what was acknowledged is there.
cat >fill.py <<'END'
import errno, mmap, os
os.setgroups([])
os.setresgid(1000, 1000, 1000)
os.setresuid(1000, 1000, 1000)
written = 0
def attempt(name, action):
    try:
        action()
        print(name + ':ok', end=' ')
    except OSError as e:
        print(name + ':' + errno.errorcode[e.errno], end=' ')
def made(name):
    return os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
def write(size):
    global written
    while True:
        written += os.write(fd, b'w' * size)
def write_mapped():
    page[:] = b'm' * (1 << 20)
    page.flush()
os.chdir('u')
mapped, fd = made('mapped'), made('written')
os.ftruncate(mapped, 1 << 20)
page = mmap.mmap(mapped, 1 << 20)
attempt('copy', lambda: made('large'))
attempt('write', lambda: write(1 << 16))
attempt('less', lambda: write(1 << 12))
attempt('allocate', lambda: os.posix_fallocate(fd, 0, 8 << 20))
attempt('map', write_mapped)
attempt('range', lambda: os.copy_file_range(os.open('large', os.O_RDONLY), fd, 1 << 20, 0, os.fstat(fd).st_size))
print(written > 0, os.pread(fd, written, 0) == b'w' * written, os.stat('large').st_size)
END

mount_union() {
	timeout 30 "$union" "$T/u" -o "lowerdir=layer,upperdir=$1/upper,workdir=$1/work"
}
umount_union() {
	local try

	umount u
	for try in {1..1200}; do
		pgrep -f "^@extmerge-fuse union .* -- $T/u\$" >/dev/null || return 0
		sleep 0.05
	done
	echo "after $try looks the server still runs"
	exit 1
}

# User 1000 gets no more than about 2 MiB in DIRECTORY, some of it again after SOME, and all that is needed after MORE.
full() { # NAME ERROR DIRECTORY SOME MORE
	local name=$1 error=$2 in=$3 some=$4 more=$5

	mkdir -p "$in"/{upper,work} && chown 1000:1000 "$in/upper"
	mount_union "$in" || { result "not ok" "$name: is mounted"; return; }
	is "$name: $error where it happens" "$(timeout 120 python3 fill.py 2>&1)" \
		"copy:$error write:$error less:$error allocate:$error map:$error range:$error True True 3145728"
	ok "$name: a layer's file that does not fit is the layer's" cmp u/large layer/large
	is "$name: nothing is left in the work directory" "$(ls -A "$in/work/work")" ""
	umount_union
	$some
	mount_union "$in"
	: >notes && chown 1000 notes
	timeout 120 setpriv --reuid 1000 --regid 1000 --clear-groups "$tools/acked" change u/w notes 1
	is "$name: somebody has written until there was no more" "$? $([ "$(stat -c %s notes)" -gt 1000 ]; echo $?)" "0 0"
	like "$name: what was acknowledged is there" "$(timeout 60 "$tools/acked" check u/w notes)" "[1-9][0-9]* rounds, 0 wrong"
	umount_union
	$more
	mount_union "$in"
	like "$name: also for another server" "$(timeout 60 "$tools/acked" check u/w notes)" "[1-9][0-9]* rounds, 0 wrong"
	ok "$name: with more room it goes on" sh -c 'echo more >>u/text && mkdir u/new && rm -r u/w && printf x >>u/written'
	umount_union
	umount -l small
}

mount -t tmpfs extmerge-test small -o size=2M
full tmpfs ENOSPC small "truncate -s 0 small/upper/written" "mount -o remount,size=64M small"

truncate -s 4M disk && mkfs.ext4 -q -m 0 -N 6000 -O ^has_journal disk 2>/dev/null && mount -o loop disk small
if mountpoint -q small; then
	head -c 300K /dev/zero >small/ballast
	full ext4 ENOSPC small "truncate -s 0 small/upper/written" "rm small/ballast"
else
	skip "ext4: ENOSPC where it happens" "it cannot be made or mounted here"
fi

if mount -t tmpfs extmerge-test small -o usrquota_block_hardlimit=2M 2>/dev/null; then
	head -c 300K /dev/zero >small/ballast && chown 1000 small/ballast
	full "tmpfs with quotas" EDQUOT small "truncate -s 0 small/upper/written" "rm small/ballast"
else
	skip "tmpfs with quotas: EDQUOT where it happens" "this kernel has none there"
fi

truncate -s 256M pool && mkfs.btrfs -q pool >/dev/null 2>&1 && mount -o loop pool small
if mountpoint -q small && btrfs -q subvolume create small/limited && btrfs quota enable small && btrfs qgroup limit 2M small/limited; then
	full "btrfs with quotas" EDQUOT small/limited "btrfs qgroup limit 3M small/limited" "btrfs qgroup limit none small/limited"
else
	skip "btrfs with quotas: EDQUOT where it happens" "they cannot be had here"
fi
umount -q -l small

# What has no room at all is not said to be a file system that cannot do what is needed.
mount -t tmpfs extmerge-test small -o nr_inodes=4 && mkdir -p small/{upper,work/work}
like "that there is no room to begin is said" "$(mount_union small 2>&1)" "has no room: No space left on device"
finish
