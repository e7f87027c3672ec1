#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# dm-verity by libcryptsetup, in a guest: what is read, what is refused, and that nothing is left (specs: activate.*).
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/uml.bash"
in_guest mksquashfs veritysetup openssl sfdisk jq strace

. "${TESTS_DIR:?}/vm/verity.bash"

# What ends the machine comes last, the second time after it has started again.
read_corrupt() { # restart|panic
	modprobe -a loop dm_verity
	"$activate" --corruption="$1" --image="$(cat "$GUEST/corrupt")" /run dd if=/proc/self/fd/100 of=/dev/null bs=4096
	result "not ok" "a wrong block: $1"
	finish
}
if [ "$GUEST_REBOOTS" = 1 ]; then
	result ok "the machine restarts on a wrong block, where that is asked for"
	echo 'Kernel panic.*dm-verity' >"$GUEST/panic"
	read_corrupt panic
fi

begin
make_tool

# --- the kernel without and with what is needed ---

echo /bin/false >/proc/sys/kernel/modprobe # it loads nothing by itself

is "without device-mapper it is not possible" "$("$activate" --probe "$T/nodes")" "failed: No such device"
ok "and there is nothing to heal" "$activate" --heal "$T/nodes"
modprobe dm_mod
is "nor without dm-verity" "$("$activate" --probe "$T/nodes")" "failed: No such device"
modprobe dm_verity
ok "but with both" "$activate" --probe "$T/nodes"
image=$(disk "$T/tool.raw")
put_in_force "$image" true
like "it is refused without loop devices" "$out" "No such device: there is no loop device"
modprobe loop

# --- what is read ---

put_in_force "$image" cmp -n "$(stat -c %s "$T/data")" "$T/data" /proc/self/fd/100
is "the device shows the file system" "$rc $(cat "$T/stderr")" "0 "
like "its name is ours" "$out" "^254:[0-9]+ extmerge-${root:0:16}-[0-9]+-[0-9a-f]+ userspace -$"
ok "nothing is left afterwards" nothing_left
put_in_force "$T/data,0,$(stat -c %s "$T/data"),$T/tree,0,$(stat -c %s "$T/tree"),$root" cmp "$T/data" /proc/self/fd/100
is "the hash area may be in another file" "$rc" 0
modprobe -a crypto-sha384 crypto-sha512
while read -r hash data_block hash_block salt; do
	veritysetup format --hash="$hash" --data-block-size="$data_block" --hash-block-size="$hash_block" --salt="$salt" \
		--root-hash-file="$T/hash2" "$T/data" "$T/tree2" >/dev/null
	put_in_force "$T/data,0,$(stat -c %s "$T/data"),$T/tree2,0,$(stat -c %s "$T/tree2"),$(cat "$T/hash2")" cmp "$T/data" /proc/self/fd/100
	is "$hash with blocks of $data_block and $hash_block bytes, salt $salt" "$rc" 0
done <<TABLE
sha256 512 512 -
sha256 1024 4096 00
sha384 4096 4096 00112233445566778899aabbccddeeff
sha512 4096 1024 1234
TABLE
put_in_force "$image,$T/p7s" cmp -n 4096 "$T/data" /proc/self/fd/100
like "a kernel that takes no signatures does with the root hash" "$rc $out" "^0 254.* userspace (Invalid argument|No such device)$"
put_in_force "$image" sh -c "echo x 2>/dev/null >/proc/self/fd/100"
not_ok "it cannot be written" [ "$rc" = 0 ]

# The numbers of the blocks that cannot be read.
bad_blocks() {
	local i bad=''
	for ((i = 0; i < $1; i++)); do
		dd if=/proc/self/fd/100 iflag=direct bs=4096 skip=$i count=1 of=/dev/null 2>/dev/null || bad+=" $i"
	done
	echo "bad:$bad"
}
export -f bad_blocks
blocks=$(($(stat -c %s "$T/data") / 4096))
cp "$T/tool.raw" "$T/flipped.raw"
flip "$T/flipped.raw" $((1048576 + 3 * 4096 + 77))
put_in_force "$(disk "$T/flipped.raw")" bash -c "bad_blocks $blocks"
is "of a flipped bit its block only cannot be read" "${out##*$'\n'}" "bad: 3"
root=${root:0:62}$(printf %02x $((0x${root:62} ^ 1)))
put_in_force "$(disk "$T/tool.raw")" bash -c "bad_blocks 2"
is "with another root hash none can be" "${out##*$'\n'}" "bad: 0 1"
root=$(cat "$T/hash")
cp "$T/tool.raw" "$T/rewritten.raw"
head -c 8192 /dev/urandom >"$T/other"
export T
put_in_force "$(disk "$T/rewritten.raw")" bash -c '
	dd if="$T/other" of="$T/rewritten.raw" bs=4096 seek=256 conv=notrunc status=none
	echo 3 >/proc/sys/vm/drop_caches
	bad_blocks 3'
is "of what is rewritten while it is in force nothing is read" "${out##*$'\n'}" "bad: 0 1"

# shellcheck disable=SC2046
flips=$("$TESTS_BUILD_DIR/vm/flips" "$T/nodes" $(disk "$T/tool.raw" | cut -d, -f 1-3,5- | tr , ' ') "${FLIPS-1000}")
is "of ${FLIPS-1000} flipped bits each is seen, and no wrong byte is read" $? 0
printf '%s\n' "$flips" | sed 's/^/# /'

mkdir "$T/mnt"
modprobe squashfs
put_in_force "$image" mount -t squashfs -o ro /proc/self/fd/100 "$T/mnt"
is "it is mounted" "$rc $(cat "$T/mnt/usr/bin/tool")" "0 tool"
"$activate" --heal "$T/nodes"
is "and stays while it is" "$(there_are 1) $(md5sum <"$T/mnt/usr/bin/data")" "1 2 0 $(md5sum <"$T/tree.d/usr/bin/data")"
umount "$T/mnt"
ok "then nothing is left" nothing_left

# --- superblocks that are refused before a device is made ---

while read -r what offset digits; do
	cp "$T/tree" "$T/bad"
	put "$T/bad" "$offset" "$digits"
	out=$(strace -f -qq -e trace=ioctl -o "$T/trace" "$activate" \
		--image="$T/data,0,$(stat -c %s "$T/data"),$T/bad,0,$(stat -c %s "$T/bad"),$root" "$T/nodes")
	is "refused before a device is made: $what" "${out%:*} $(grep -cE 'LOOP_CONFIGURE|DM_DEV_CREATE' "$T/trace")" \
		"failed: Bad message 0"
done <<TABLE
magic 0 00
version 8 02000000
hash-type 12 00000000
algorithm 32 6d643500
data-block-size 64 00200000
hash-block-size 68 00020100
data-blocks 72 ffffffff00000000
no-data-blocks 72 0000000000000000
salt-size 80 0101
TABLE
out=$("$activate" --image="${image%,*},$root$root" "$T/nodes")
is "a root hash of another length" "$out" "failed: Bad message: the root hash is not as long as the digests of the hash tree"

# --- udev, nodes ---

mkdir -p /run/udev
python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind("/run/udev/control")' 2>/dev/null || : >/run/udev/control
out=$(timeout 20 "$activate" --image="$image" "$T/nodes" true)
is "udev that does not answer is not waited for" $? 0
rm -r /run/udev
rm /dev/mapper/* /dev/loop*
put_in_force "$image" cmp -n 4096 "$T/data" /proc/self/fd/100
is "no node in /dev is needed" "$rc" 0
is "and none is made" "$(ls /dev/mapper)" ""
mkdir -p /dev/mapper && mknod /dev/mapper/control c 10 236 && mknod /dev/loop-control c 10 237
mknod "/dev/mapper/wrong" b 254 0
ok "nothing is left" nothing_left

# --- many, and at once ---

images=()
for i in $(seq 32); do
	cp "$T/tool.raw" "$T/$i.raw"
	images+=("--image=$(disk "$T/$i.raw")")
done
out=$("$activate" "${images[@]}" "$T/nodes" sh -c 'ls /sys/block | grep -c dm-; cat /proc/self/fd/1?? >/dev/null; echo $?')
is "32 devices at once" "$(tail -n 2 <<<"$out" | paste -sd' ')" "32 0"
ok "of which nothing is left" nothing_left
for i in 1 2 3; do
	mkdir "$T/nodes$i"
	"$activate" --heal "${images[@]:i * 8:8}" "$T/nodes$i" true >"$T/log$i" 2>&1 &
done
for i in $(seq 20); do
	"$activate" --heal "$T/nodes" || echo "healing fails"
done >"$T/heal" 2>&1
wait
is "three runs and those that heal do not disturb each other" \
	"$(cat "$T"/log? | grep -c ' extmerge-') $(cat "$T"/log? | grep -v ' extmerge-') $(cat "$T/heal")" "24  "
ok "nothing is left of them" nothing_left

cp "$T/flipped.raw" "$GUEST/flipped.raw"
disk "$GUEST/flipped.raw" >"$GUEST/corrupt"
read_corrupt restart
