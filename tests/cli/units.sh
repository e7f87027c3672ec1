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
for unit in extmerge extmerge-late extmerge-initrd extmerge-sysroot; do
	like "$unit.service: systemd's own is not started" "$(says $unit.service Conflicts)" "systemd-sysext[a-z-]*\.service systemd-confext"
	like "servers of FUSE survive it" "$(says $unit.service KillMode)" "^process $"
	like "the kernel's switch" "$(says $unit.service ConditionKernelCommandLine)" "^!(rd\.)?extmerge=0 $"
done
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
