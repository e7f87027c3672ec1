#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where extmerge-fuse shows what is merged, Debian with systemd reboots its user space and is shut down as it would be without: where
# the units unmerge at their end, and where nobody takes the trees away (specs: boot.6, vfile.12, vfile.18).
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/lib.bash"
. "${TESTS_DIR:?}/vm/boot.bash"
need_tools busybox cpio apt-get dpkg-deb mmdebstrap mke2fs mkfs.erofs openssl jq patchelf
[ -x "${EXTMERGE%/*}/extmerge-fuse" ] || give_up "built without FUSE"
make_work
T=$work MACHINE=uml
# EXTMERGE_SHUTDOWN_SUITE=trixie: the same with systemd 257, and takes as long.
suite=${EXTMERGE_SHUTDOWN_SUITE:-sid}
get_system "$suite" boot systemd systemd-sysv udev dbus || give_up "a system of $suite cannot be had here: no network?"

new_key vendor
make_tree "$work/trees/tool" tool
make_conf_tree "$work/trees/conf" conf
new_payload
install_extmerge extmerge.service extmerge-late.service
mkdir -p "$payload"/{var/lib/extensions,var/lib/confexts,etc/verity.d,usr/lib/systemd/system-shutdown}
cp "$work/vendor.crt" "$payload/etc/verity.d/"
make_packed "$payload/var/lib/extensions/tool.raw" "$work/trees/tool" vendor &&
	make_packed "$payload/var/lib/confexts/conf.raw" "$work/trees/conf" vendor || exit 1
printf '[Extmerge]\nBackend=fuse\n' >"$payload/etc/extmerge.conf"
# What systemd runs when all processes have been killed, and before the last unmounts.
cat >"$payload/usr/lib/systemd/system-shutdown/check" <<'LAST'
#!/bin/bash
mount -t hostfs -o hostfs="$(sed -n 's/.*guest\.out=\([^ ]*\).*/\1/p' /proc/cmdline)" none /run/out
{
	read -r mode _ <<<"$*"
	echo "at the end: $mode"
	grep -c ' - fuse.extmerge-fuse extmerge:' /proc/self/mountinfo
	cat /usr/bin/tool
	find /usr/lib/systemd -type f -exec cat '{}' + >/dev/null && echo readable
	for p in /proc/[0-9]*; do [ "$(head -c 14 "$p/cmdline" | tr -d '\0')" != @extmerge-fuse ] || echo server; done
} >/run/out/last 2>&1
LAST
chmod 755 "$payload/usr/lib/systemd/system-shutdown/check"

# Each boot of the user space adds to what the ones before have said.
cat >"$work/check" <<'CHECK'
exec >>/run/out/all 2>&1
servers() { # their numbers
	local p
	for p in /proc/[0-9]*; do
		[ "$(head -c 14 "$p/cmdline" 2>/dev/null | tr -d '\0')" != @extmerge-fuse ] || echo "${p#/proc/}"
	done | paste -sd' '
}
stage=$(cat /run/stage 2>/dev/null || echo boot)
is "$stage: FUSE shows both" "$(grep -c ' - fuse.extmerge-fuse extmerge:' /proc/self/mountinfo) $(cat /usr/bin/tool /etc/conf.conf 2>&1 | paste -sd' ')" "2 tool conf"
is "$stage: no unit has failed" "$(systemctl --failed --no-legend --plain | awk '{ print $1 }')" ""
is "$stage: nothing waited in vain" "$(journalctl -b -o cat | grep -iE "stop[a-z-]*' timed out|(stopping|unmounting) timed out|failed to unmount|extmerge.*failed" | grep -v "to the journal socket" | sort -u)" ""
is "$stage: the unit is active" "$(systemctl is-active extmerge.service)" active
said=$(journalctl -b -o cat -t extmerge | tail -n 1)
case $stage-$(cat /usr/lib/check/mode) in
boot-*)
	if [ "$(cat /usr/lib/check/mode)" = stay ]; then
		mkdir -p /run/systemd/system/extmerge{,-late}.service.d
		printf '[Service]\nExecStop=\n' | tee /run/systemd/system/extmerge{,-late}.service.d/stay.conf >/dev/null
		systemctl daemon-reload
	fi
	servers >/run/first
	echo soft-reboot >/run/stage
	END="systemctl soft-reboot"
	;;
*-unmerge)
	for p in $(cat /run/first); do [[ " $(servers) " != *" $p "* ]] || echo "$p"; done >/run/old
	is "$stage: what was unmerged is merged again, by other servers" "$(cat /run/old)" ""
	cat /run/out/all >/run/out/out
	;;
*-stay)
	is "$stage: the same servers are there" "$(servers)" "$(cat /run/first)"
	is "$stage: and there was nothing to do" "$said" "Nothing has changed."
	cat /run/out/all >/run/out/out
	;;
esac
sync
CHECK
install_check "$work/check"

guest() { # unmerge|stay
	echo "$1" >"$payload/usr/lib/check/mode"
	boot_system "$suite" boot --append="systemd.log_target=console systemd.log_level=info loglevel=5"
	cp "$place/all" "$place/out" 2>/dev/null
	take_boot "$suite, $1"
	said=$(tr -d '\r' <"$place/console")
	# A server whose tree has gone may be killed while it ends: then it has no '@' any more.
	like "$1: it is shut down to the end" "$said" "Powering off"
	is "$1: nothing waited in vain" \
		"$(grep -iE "stop[a-z-]*' timed out|(stopping|unmounting) timed out|failed to (unmount|deactivate)|i/o error|bus error" <<<"$said" | sort -u)" ""
}

guest unmerge
is "unmerge: nothing is left at the end" "$(paste -sd' ' "$place/last" 2>/dev/null)" \
	"at the end: poweroff 0 cat: /usr/bin/tool: No such file or directory readable"
like "unmerge: and all devices are detached" "$said" "All filesystems, swaps, loop devices, MD devices and DM devices detached"
# /etc has been unmounted by then; what systemd itself runs from stays, and so do the devices below it, which nobody has written to.
guest stay
is "stay: when all others have been killed /usr is there, and served" "$(paste -sd' ' "$place/last" 2>/dev/null)" \
	"at the end: poweroff 1 tool readable server"
finish
