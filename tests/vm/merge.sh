#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whole runs of extmerge with signed images under dm-verity, in a guest (specs: activate.3, activate.6, activate.9 to activate.11).
# shellcheck disable=SC2154 # out, err, rc, devices, loops, nodes: what lib.sh and verity.bash set
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/uml.bash"
in_guest mksquashfs veritysetup openssl sfdisk jq strace
. "${TESTS_DIR:?}/vm/verity.bash"
begin
need_signing "extmerge under dm-verity"
trust_friend

guards() { # of all layers, each once
	em status --json=short
	jq -r '.hierarchies[].layers[] | "\(.trust) \(.guard) \(.on_corruption) \(.signature_checked_by)"' <<<"$out" | sort | uniq -c | tr -s ' '
}

for i in $(seq -w 32); do
	make_extension "x$i" 1
done
echo /bin/false >/proc/sys/kernel/modprobe # it loads what it needs itself
is "no module is loaded before" "$(lsmod | grep -cE '^(dm_verity|loop|squashfs)')" 0

# --- 32 images, there and back ---

em -q merge
is "32 signed images are merged" "$rc $err" "0 "
is "each by a device of its own" "$(there_are 32)" "32 64 0"
is "status says so" "$(guards)" " 32 signed dm-verity error userspace"
is "all of them are seen" "$(cat "$R"/usr/bin/x?? | md5sum)" "$(for i in $(seq -w 32); do echo "x$i 1"; done | md5sum)"
strace -f -qq -e trace=ioctl -o "$T/trace" "$EXTMERGE" --root="$R" refresh >"$T/said" 2>&1
is "a second refresh does nothing" "$(cat "$T/said") $(grep -cE 'DM_DEV_CREATE|LOOP_CONFIGURE' "$T/trace")" "Nothing has changed. 0"
make_extension x07 2
em refresh
is "a refresh takes the new version of one of them" "$rc $(cat "$R/usr/bin/x07")" "0 x07 2"
is "and leaves no device of the old one" "$(there_are 32)" "32 64 0"
em -q refresh --on-corruption=restart
is "a refresh makes them restart the machine, if asked" "$rc $(guards)" "0  32 signed dm-verity restart userspace"
! command -v dmsetup >/dev/null || is "and the kernel knows" "$(dmsetup table | grep -c restart_on_corruption)" 32
is "and leaves no device of the others" "$(there_are 32)" "32 64 0"
em refresh --verity=fuse --on-corruption=panic
like "a verified file can do no such thing" "$err" "a verified file cannot restart the machine"
em -q unmerge
is "they are unmerged" "$rc $err" "0 "
is "nothing is left" "$(there_are 0)" "0 0 0"

# --- with udev, or what looks like it, and without nodes ---

rm "$X"/x[123]?.raw "$X"/x0[4-9].raw
mkdir -p /run/udev
python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind("/run/udev/control")' 2>/dev/null || : >/run/udev/control
timeout 30 "$EXTMERGE" --root="$R" merge >/dev/null 2>&1
is "udev that does not answer is not waited for" "$? $(there_are 3)" "0 3 6 0"
em unmerge
rm -r /run/udev /dev/mapper /dev/loop*
em merge
is "no node in /dev is needed" "$rc $(there_are 3)" "0 3 6 0"
made=(/dev/mapper /dev/loop-control)
is "and none is made" "$(ls -d "${made[@]}" 2>/dev/null)" ""

# --- one whose hash tree the kernel does not take: it has nothing that makes SHA-512 ---

em -q unmerge
make_extension x02 1 sha512
em merge --verity=dm
like "it is refused, and the kernel named" "$err" "x02.raw skipped: no-verity-backend: .*dm-verity does not take its hash tree"
is "but the others are merged" "$rc $(layers usr) $(there_are 2)" "0 x03 x01 2 4 0"
em -q unmerge
em -q merge
is "otherwise it has a verified file, and the others their devices" "$rc $err$(guards | paste -sd,)" \
	"0  2 signed dm-verity error userspace, 1 signed verified-file error userspace"
is "and all are seen" "$(cat "$R"/usr/bin/x0?)" $'x01 1\nx02 1\nx03 1'
em -q unmerge
make_extension x02 1
em -q merge

# --- what is changed under a merged image ---

at=$(sfdisk -J "$X/x01.raw" | jq '.partitiontable.partitions[0] | .start * 512')
for ((i = 0; i < 16384; i += 512)); do
	flip "$X/x01.raw" $((at + i))
done
echo 3 >/proc/sys/vm/drop_caches
like "what is changed is not read" "$(cat "$R/usr/bin/x01" "$R/usr/bin/x01.data" 2>&1 >/dev/null)" "Input/output error"
is "the others are" "$(cat "$R/usr/bin/x02")" "x02 1"
em unmerge
is "nothing is left" "$rc $(there_are 0)" "0 0 0 0"
rm "$X/x01.raw"

# --- the clock goes on: a certificate of 30 days (certs.10) ---

em -q merge --certificate-validity=enforce
is "while a certificate is valid its images are merged" "$rc $(layers usr)" "0 x03 x02"
date -s "+40 days" >/dev/null
em -q refresh
is "later, too, if nobody asks" "$rc $(layers usr)" "0 x03 x02"
em refresh --certificate-validity=enforce
like "a refresh sees that it has expired" "$rc $(layers usr)$err" "^4 .*outside-validity: .*the signer's certificate has expired"
date -s "-40 days" >/dev/null
em -q refresh --certificate-validity=enforce
is "or is valid again" "$rc $(layers usr)" "0 x03 x02"
em unmerge

# --- killed where devices are made ---

mknod /dev/loop-control c 10 237
strace -f -o "$T/trace" "$EXTMERGE" --root="$R" -q merge
em unmerge
awk '$2 !~ /^[+<-]/ { sub(/\(.*/, "", $2); n[$2]++; if ($2 == "ioctl" || $2 == "flock") print $2, n[$2] }' "$T/trace" >"$T/calls"
killed=0 remnants=0 n=0 complaints=''
while read -r name index; do
	n=$((n + 1))
	strace -f -qq -o "$T/hit" -e trace="$name" -e inject="$name:signal=SIGKILL:when=$index" \
		"$EXTMERGE" --root="$R" -q merge >/dev/null 2>&1
	[ $? != 137 ] || killed=$((killed + 1))
	count
	remnants=$((remnants + ${#devices[@]}))
	"$EXTMERGE" --root="$R" -q refresh || complaints+=" $name $index: refresh fails"
	[ "$(there_are 2)" = "2 4 0" ] || complaints+=" $name $index: after the refresh $(there_are 2)"
	"$EXTMERGE" --root="$R" -q unmerge || complaints+=" $name $index: unmerge fails"
	[ "$(there_are 0)" = "0 0 0" ] || complaints+=" $name $index: after the unmerge $(there_are 0)"
done <"$T/calls"
echo "# $n calls, $killed killed, $remnants devices were left to the next run"
is "killed where devices are made, and the next run leaves nothing" "$complaints" ""
ok "some had left a device" [ "$remnants" -gt 3 ]
finish
