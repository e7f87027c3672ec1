#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# extmerge under dm-verity where udev runs: it looks at each device, opens it, makes links; none of that is waited for, and
# nothing is left of it either (specs: activate.5, activate.6, activate.9).
# shellcheck disable=SC2154 # out, err, rc, devices, loops, nodes: what lib.sh and verity.bash set
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/uml.bash"
GUEST_PACKAGES=udev
in_guest mksquashfs veritysetup openssl sfdisk jq
. "${TESTS_DIR:?}/vm/verity.bash"
begin
need_signing "extmerge where udev runs"
install_package udev
/lib/systemd/systemd-udevd --daemon 2>/dev/null
modprobe -a loop dm_verity squashfs
udevadm trigger && udevadm settle
ok "udev runs" [ -S /run/udev/control ]
links() { find /dev/mapper /dev/disk -name '*extmerge-*' 2>/dev/null | wc -l; }

trust_friend
for i in 1 2 3 4 5 6 7 8; do
	make_extension "x$i" 1
done
for round in 1 2 3; do
	timeout 60 "$EXTMERGE" --root="$R" -q merge
	is "round $round: it merges" "$? $(cat "$R"/usr/bin/x? | md5sum)" "0 $(for i in 1 2 3 4 5 6 7 8; do echo "x$i 1"; done | md5sum)"
	[ $round != 1 ] || {
		udevadm settle
		ok "udev has seen the devices" [ "$(links)" -ge 8 ]
		udevadm trigger
	}
	timeout 60 "$EXTMERGE" --root="$R" refresh >"$T/said" 2>&1
	is "a refresh does nothing" "$(cat "$T/said")" "Nothing has changed."
	timeout 60 "$EXTMERGE" --root="$R" -q unmerge
	is "it unmerges" $? 0
done
udevadm settle
nodes=()
is "no device and no loop device is left" "$(there_are 0)" "0 0 0"
is "nor a link" "$(links)" 0
finish
