#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# systemd understands the units, and they are ordered as they should be (specs: boot.*).
. "${TESTS_DIR:?}/lib.sh"
begin unprivileged

units=$TESTS_DIR/../units
mkdir -p "$T/units"
for unit in "$units"/*.service.in "$units"/*.path "$units"/*.socket; do
	name=${unit##*/}
	sed "s|@bindir[@]/extmerge|$EXTMERGE|g" "$unit" >"$T/units/${name%.in}"
done
says() { # UNIT KEY: all words of it
	sed -n "s/^$2=//p" "$T/units/$1" | tr '\n' ' '
}

if command -v systemd-analyze >/dev/null; then
	is "systemd has nothing to say about them" "$(cd "$T/units" && systemd-analyze verify --man=no ./* 2>&1 | grep -F "extmerge")" ""
	sed -i 's/^Before=systemd-sysusers/Bofore=systemd-sysusers/' "$T/units/extmerge.service"
	like "and would have" "$(cd "$T/units" && systemd-analyze verify --man=no ./extmerge.service 2>&1)" Bofore
	sed -i 's/^Bofore=/Before=/' "$T/units/extmerge.service"
else
	skip "what systemd says about them" "there is no systemd-analyze"
fi
for reader in systemd-sysusers systemd-modules-load systemd-sysctl systemd-tmpfiles-setup systemd-udevd systemd-udev-trigger dbus; do
	like "extmerge.service comes before $reader" "$(says extmerge.service Before)" "(^| )$reader\.service "
done
is "nothing that udev has to find first is waited for" "$(says extmerge.service After)" "systemd-remount-fs.service "
like "extmerge-late.service waits for file systems" "$(says extmerge-late.service After)" "local-fs.target"
# What each does, and in which root: an initrd, or not.
while read -r unit initrd switch start stop; do
	is "$unit.service: what it runs" "$(says "$unit.service" ExecStart)$(says "$unit.service" ExecStop)" "$EXTMERGE ${start//,/ } ${stop:+$EXTMERGE ${stop//,/ } }"
	is "where" "$(says "$unit.service" ConditionPathExists | tr ' ' '\n' | grep initrd-release)" "$initrd"
	is "the kernel's switch" "$(says "$unit.service" ConditionKernelCommandLine)" "$switch "
	like "systemd's own is not started" "$(says "$unit.service" Conflicts)" "systemd-sysext[a-z-]*\.service systemd-confext"
	like "which waits for it" "$(says "$unit.service" Before)" "systemd-sysext[a-z-]*\.service systemd-confext"
	is "it ends with the system" "$(says "$unit.service" Conflicts | grep -ow shutdown.target) $(says "$unit.service" Before | grep -ow shutdown.target)" "shutdown.target shutdown.target"
	is "what it merges stays, and is stopped once" "$(says "$unit.service" Type)$(says "$unit.service" RemainAfterExit)" "oneshot yes "
done <<'UNITS'
extmerge !/etc/initrd-release !extmerge=0 refresh,--boot=early unmerge,--boot=early
extmerge-late !/etc/initrd-release !extmerge=0 refresh,--boot=late unmerge,--boot=early
extmerge-initrd /etc/initrd-release !rd.extmerge=0 refresh,--boot=early unmerge,--boot=early
extmerge-sysroot /etc/initrd-release !extmerge=0 refresh,--root=/sysroot,--boot=early
UNITS
for unit in "$T"/units/*.service; do
	is "${unit##*/}: servers of FUSE survive it" "$(says "${unit##*/}" KillMode)" "process "
done
for unit in extmerge-refresh.path extmerge-refresh.service extmerge-sysupdate.socket; do
	is "$unit: not where the kernel's command line says so, nor in an initrd (boot.5)" \
		"$(says $unit ConditionKernelCommandLine)$(says $unit ConditionPathExists)" "!extmerge=0 !/etc/initrd-release "
done
is "extmerge-late.service looks where extmerge.service does" "$(says extmerge-late.service ConditionDirectoryNotEmpty)" "$(says extmerge.service ConditionDirectoryNotEmpty)"
is "extmerge-sysroot.service as well, but in a /run of its own" "$(says extmerge-sysroot.service ConditionDirectoryNotEmpty)" \
	"$(says extmerge.service ConditionDirectoryNotEmpty | tr ' ' '\n' | sed -n '/^|.run/d; s/^|/|\/sysroot/p' | tr '\n' ' ')"
is "extmerge-refresh.path watches them, but for the vendor's" "$(says extmerge-refresh.path PathChanged)" \
	"$(says extmerge.service ConditionDirectoryNotEmpty | tr ' ' '\n' | sed -n '/mutable/d; /^|.usr.lib/d; s/^|//p' | tr '\n' ' ')"
like "the initrd's ends before the root is entered" "$(says extmerge-initrd.service Conflicts) $(says extmerge-initrd.service Before)" \
	"initrd-switch-root.target .* initrd-switch-root.target"
like "the root's waits for all of it" "$(says extmerge-sysroot.service After)" "^sysroot.mount sysroot-usr.mount .*initrd-fs.target"
is "every directory that is searched can start it" \
	"$(sed -n 's/^static const char \*const \(sysext\|confext\)_search\[\].*/&/; /_search\[\] = {/,/};/p' "$TESTS_DIR/../merge/class.c" |
		grep -oE '"[a-z/]+"' | tr -d '"' | sort -u | while read -r directory; do
		grep -qxF "ConditionDirectoryNotEmpty=|/$directory" "$T/units/extmerge.service" || echo "$directory"
	done)" ""
is "in the initrd, too" \
	"$(sed -n '/_search_initrd\[\] = {/,/};/p' "$TESTS_DIR/../merge/class.c" |
		grep -oE '"[a-z./_]+"' | tr -d '"' | sort -u | while read -r directory; do
		grep -qxF "ConditionDirectoryNotEmpty=|/$directory" "$T/units/extmerge-initrd.service" || echo "$directory"
	done)" ""
is "who is told of updates by systemd-sysupdate is one of the two" "$(says extmerge-sysupdate.socket Conflicts)" "shutdown.target systemd-sysupdate-notify-sysext.socket "
like "and each call is one of extmerge" "$(says extmerge-sysupdate.socket Accept)$(says extmerge-sysupdate@.service ExecStart)" "^yes -.*sysupdate-notify"
while read -r _ unit; do
	ok "the preset knows $unit" test -e "$T/units/$unit"
done < <(grep -v '^#' "$units/90-extmerge.preset")
finish
