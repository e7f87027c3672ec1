#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SIGKILL while dm-verity devices are made, at every call that changes something: the next run leaves nothing (specs:
# activate.9, activate.10).
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/uml.bash"
in_guest mksquashfs veritysetup openssl sfdisk jq strace
. "${TESTS_DIR:?}/vm/verity.bash"
begin
make_tool
modprobe -a loop dm_verity
image=$(disk "$T/tool.raw")

# A directory for nodes each time, or libdevmapper makes other calls the second time.
mkdir "$T/nodes0"
strace -f -o "$T/trace" "$activate" --image="$image" "$T/nodes0" >/dev/null
reading='mmap munmap mprotect brk futex mlock munlock fstat stat newfstatat access statfs read pread64 lseek getpid uname'
awk -v reading=" $reading clock_gettime " '/proc\/misc/ { on = 1 } $2 !~ /^[+<-]/ { sub(/\(.*/, "", $2); n[$2]++
	if (on && !index(reading, " " $2 " ")) print $2, n[$2] }' "$T/trace" >"$T/calls"
killed=0 remnants=0 n=0 complaints=''
while read -r name index; do
	n=$((n + 1))
	mkdir "$T/nodes$n"
	strace -f -qq -o "$T/hit" -e trace="$name" -e inject="$name:signal=SIGKILL:when=$index" \
		"$activate" --image="$image" "$T/nodes$n" >/dev/null 2>&1
	[ $? != 137 ] || killed=$((killed + 1))
	rm -r "$T/nodes$n" # as it is gone with the process where it is a workshop's
	count
	remnants=$((remnants + ${#devices[@]}))
	"$activate" --heal "$T/nodes" || complaints+=" $name $index: not healed"
	nothing_left || complaints+=" $name $index"
done <"$T/calls"
echo "# $n calls, $killed killed, of whom $remnants left a device"
is "killed at any call, and the next run leaves nothing" "$complaints" ""
ok "some had left a device" [ "$remnants" -gt 3 ]
ok "as many were killed as there are calls" [ "$killed" -gt $((n * 9 / 10)) ]
finish
