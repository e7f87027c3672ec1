#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Quotas of each user in the upper directory of a union, on ext4, in a guest, as many machines' kernels have none: what is
# written counts for who writes it, and EDQUOT comes from the call that met the limit (specs: overlay.10, overlay.12).
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/uml.bash"
[ -x "${EXTMERGE%/*}/extmerge-fuse" ] || give_up "built without FUSE"
in_guest python3 mkfs.ext4
begin
modprobe -a fuse loop quota_tree quota_v2
cd "$T" || exit 1
mkdir -p layer/w disk u
head -c 3M /dev/urandom >layer/large
chown 1000 layer/large
truncate -s 64M image
mkfs.ext4 -q -O quota -E quotatype=usrquota image && mount -o loop,usrquota image disk ||
	{ skip "quotas of users" "the guest's kernel has none"; finish; }
mkdir disk/upper disk/work

# set USER BLOCKS INODES (of 1024 bytes; 0: no limit), or get USER: kilobytes and inodes in use.
cat >quota.py <<'END'
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
word, user = sys.argv[1], int(sys.argv[2])
device = next(l.split()[0] for l in open('/proc/mounts') if l.split()[1] == os.path.abspath('disk')).encode()
BLIMITS, ILIMITS, GET, SET = 1, 4, 0x800007 << 8, 0x800008 << 8
blocks, inodes = (int(n) for n in sys.argv[3:5]) if word == 'set' else (0, 0)
dqblk = ctypes.create_string_buffer(struct.pack('8QI4x', blocks, 0, 0, inodes, 0, 0, 0, 0, BLIMITS | ILIMITS))
if libc.quotactl(SET if word == 'set' else GET, device, user, dqblk) < 0:
    sys.exit(os.strerror(ctypes.get_errno()))
if word == 'get':
    used = struct.unpack('8QI4x', dqblk.raw[:72])
    print(used[2] // 1024, used[5])
END
# What each way of getting more is told, as USER.
cat >try.py <<'END'
import errno, os, sys
user = int(sys.argv[1])
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)
os.chdir('u/w')
def attempt(name, action):
    try:
        action()
        print(name + ':ok', end=' ')
    except OSError as e:
        print(name + ':' + errno.errorcode[e.errno], end=' ')
def written(name, size):
    fd = os.open(name, os.O_WRONLY | os.O_CREAT, 0o644)
    for at in range(0, size, 65536):
        os.write(fd, b'w' * 65536)
attempt('write', lambda: written('%d' % user, 4 << 20))
attempt('allocate', lambda: os.posix_fallocate(os.open('%d.a' % user, os.O_WRONLY | os.O_CREAT, 0o644), 0, 4 << 20))
attempt('copy', lambda: os.open('../large', os.O_RDWR))
attempt('make', lambda: [os.close(os.open('%d.%d' % (user, i), os.O_WRONLY | os.O_CREAT)) for i in range(40)])
attempt('directory', lambda: [os.mkdir('%d.d%d' % (user, i)) for i in range(40)])
END

chmod 777 layer/w
timeout 30 "${EXTMERGE%/*}/extmerge-fuse" "$T/u" -o "lowerdir=layer,upperdir=disk/upper,workdir=disk/work"
ok "two users have limits" sh -c 'python3 quota.py set 1000 2048 30 && python3 quota.py set 2000 0 30'
is "who has reached his own gets EDQUOT where it happens" "$(timeout 60 python3 try.py 1000)" \
	"write:EDQUOT allocate:EDQUOT copy:EDQUOT make:EDQUOT directory:EDQUOT "
read -r kilobytes inodes <<<"$(python3 quota.py get 1000)"
is "and has what he was let have" "$((kilobytes > 1900 && kilobytes <= 2048)) $inodes" "1 30"
is "a layer's file that did not fit is the layer's" "$(cmp u/large layer/large && echo same)" same
is "another one may write, and meets his own limit" "$(timeout 60 python3 try.py 2000)" \
	"write:ok allocate:ok copy:EACCES make:EDQUOT directory:EDQUOT "
is "and so may root; but whose file is copied, it counts for" "$(timeout 60 python3 try.py 0)" \
	"write:ok allocate:ok copy:EDQUOT make:ok directory:ok "
is "nothing of that is left" "$(ls -A disk/work/work) $(python3 quota.py get 1000)" " $kilobytes 30"
python3 quota.py set 1000 0 0
is "with more to have it goes on" "$(timeout 60 python3 try.py 1000)" "write:ok allocate:ok copy:ok make:ok directory:ok "
is "what is his is written to the disk" "$(python3 quota.py get 1000 | awk '{ print ($1 > 4096 + 4096 + 3072), ($2 > 80) }')" "1 1"
umount u
finish
