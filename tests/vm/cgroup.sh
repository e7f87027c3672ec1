#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What becomes of the servers of verified files when a service manager ends the control group that extmerge ran in, in a guest
# (specs: vfile.18, vfile.15).
# shellcheck disable=SC2154 # out, err, rc, R: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/uml.bash"
[ -x "${EXTMERGE%/*}/extmerge-fuse" ] || give_up "built without FUSE"
in_guest mksquashfs veritysetup openssl sfdisk jq
. "$TESTS_DIR/vm/verity.bash"
begin
trust_friend
modprobe -a fuse loop squashfs
groups=/sys/fs/cgroup
mount -t cgroup2 cgroup "$groups" 2>/dev/null || { skip "control groups" "this kernel has none"; finish; }
make_extension tool 1
hash=$(cat "$T/hash")

# As a service would: in a group of its own, all of which is killed then.
merge_in() { # GROUP COMMAND...
	mkdir "$1"
	(
		echo 0 >"$1/cgroup.procs"
		shift
		"$@" "$EXTMERGE" --root="$R" --verity=fuse -q merge
	)
	rc=$?
	server=$(pgrep -f "^@extmerge-fuse image --root=$hash")
}
kill_group() { # GROUP
	echo 1 >"$1/cgroup.kill"
	while [ -s "$1/cgroup.procs" ]; do sleep 0.05; done
	rmdir "$1"
	echo 3 >/proc/sys/vm/drop_caches
}

merge_in "$groups/service"
is "it is merged" "$rc $(cat "$R/usr/bin/tool")" "0 tool 1"
is "the server is where the kernel's threads are" "$(cut -d: -f3 "/proc/$server/cgroup")" /
is "and nothing is left in the group" "$(cat "$groups/service/cgroup.procs")" ""
kill_group "$groups/service"
is "when that is killed, all can be read" "$(wc -c <"$R/usr/bin/tool.data")" 150000
em -q unmerge

# In a container the root of the groups is one of somebody else's.
mkdir "$groups/container"
in_container() {
	mount --bind "$groups/container" "$groups"
	"$@"
	rc=$?
	umount "$groups"
	return $rc
}
merge_in "$groups/container/service" in_container
is "it is merged in a container" "$rc $(cat "$R/usr/bin/tool")" "0 tool 1"
is "where the server stays" "$(cut -d: -f3 "/proc/$server/cgroup")" /container/service
kill_group "$groups/container/service"
like "when that is killed, what is not in memory is an error" "$(cat "$R/usr/bin/tool.data" 2>&1 >/dev/null)" "error|not connected"
em status --json=short
is "and status says so" "$(jq '[.hierarchies[].layers[]?.dead] | all' <<<"$out")" true
em -q refresh
is "a refresh mends it" "$rc $(wc -c <"$R/usr/bin/tool.data")" "0 150000"
em -q unmerge
finish
