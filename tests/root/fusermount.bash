# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034 # rc, out, err: the tests'
# What the tests of fusermount3 share: an ordinary user and a container's root, who may run the programs in $T/bin, and what they see. To be
# sourced after `begin processes`.
export PATH=$PATH:/usr/sbin:/sbin

[ -x "$(dirname "$EXTMERGE")/extmerge-fuse" ] || { skip "fusermount3" "this extmerge was built without FUSE"; finish; }
[ -u /usr/bin/fusermount3 ] && command -v setpriv >/dev/null || { skip "fusermount3" "there is none, or no setpriv"; finish; }
[ -c /dev/fuse ] || { skip "fusermount3" "there is no /dev/fuse"; finish; }
user=$(id -u nobody 2>/dev/null) || { skip "fusermount3" "there is no user it would know by name"; finish; }

mkdir "$T/bin" && cp "$EXTMERGE" "$(dirname "$EXTMERGE")/extmerge-fuse" "$T/bin/"
cp "${TESTS_BUILD_DIR:?}/root/deny.so" "$T/"
chmod -R a+rX "$T"
cd "$T" || exit 1
mknod -m 666 fuse c 10 229 && chmod 666 fuse && mount --bind fuse /dev/fuse # as most machines have it
as_user() { setpriv --reuid="$user" --regid="$user" --clear-groups "$@"; }
as_contained() { setpriv --bounding-set=-sys_admin "$@"; }
by() { # as_user|as_contained [env VARIABLE=VALUE... PROGRAM OPTION] VERB...
	if [ "$2" = env ]; then
		out=$("$@" 2>"$T/stderr")
	else
		out=$("$1" "$T/bin/extmerge" --root="$R" "${@:2}" 2>"$T/stderr")
	fi
	rc=$?
	err=$(cat "$T/stderr")
	return $rc
}
shown() { # as_user|as_contained
	"$1" sh -c "cat $R/usr/bin/* $R/etc/*.conf $R/opt/*" 2>&1 | paste -sd' '
}
status() { # as_user|as_contained JQ
	"$1" "$T/bin/extmerge" --root="$R" status --json=short | jq -r ".hierarchies[] | select(.path == \"/usr\") | $2"
}
mount_of() { # PATH
	awk -v p="$1" '$5 == p { print $1 }' /proc/self/mountinfo
}

# A fusermount3 that has the right from elsewhere, as storage drivers of clusters bring it. While there is a file socket.hold, who
# would mount makes a file socket.held and waits.
begin_stand_in() {
	command -v python3 >/dev/null || return 1
cat >proxy <<'END'
import array, os, socket, sys, time
if '-u' not in sys.argv:
    while os.path.exists(sys.argv[1] + '.hold'):
        open(sys.argv[1] + '.held', 'w').close()
        time.sleep(0.02)
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
fds = array.array('i', [int(os.environ['_FUSE_COMMFD']), os.open('.', os.O_PATH)])
s.sendmsg([b'\0'.join(a.encode() for a in sys.argv[2:])], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
status, said = s.recv(4096).split(b'\0', 1)
sys.stderr.buffer.write(said)
sys.exit(int(status))
END
cat >mounter <<'END'
import array, os, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind(sys.argv[1])
s.listen()
while True:
    c, _ = s.accept()
    words, control, _, _ = c.recvmsg(4096, 64)
    fds = array.array('i', control[0][2])
    os.set_inheritable(fds[0], True)
    done = subprocess.run([sys.argv[2]] + [w.decode() for w in words.split(b'\0')], pass_fds=[fds[0]], stderr=subprocess.PIPE,
        env={'_FUSE_COMMFD': str(fds[0])}, preexec_fn=lambda: os.fchdir(fds[1]))
    for fd in fds:
        os.close(fd)
    c.send(b'%d\0' % done.returncode + done.stderr)
    c.close()
END
	cp /usr/bin/fusermount3 plain && chmod 755 plain
	printf '#!/bin/sh\nexec %q %q %q "$@"\n' "$(command -v python3)" "$T/proxy" "$T/socket" >fusermount3 && chmod 755 fusermount3
	python3 mounter "$T/socket" "$T/plain" &
	mounter=$!
	await test -S "$T/socket"
	mount --bind fusermount3 /usr/bin/fusermount3
}
end_stand_in() {
	umount /usr/bin/fusermount3
	kill "$mounter"
}
