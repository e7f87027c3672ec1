#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# extmerge service-drop-in: which files make a unit, and what is refused (specs: dropin.*); tests/unit/unitfile.c has the rest.
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin unprivileged

unit() { # PATH TEXT
	mkdir -p "$(dirname "$R/$1")" && printf '%b' "$2" >"$R/$1"
}
lines() { # KEY
	sed -n "s/^$1=//p" <<<"$out" | paste -sd'|'
}
program=$(sed -n 's/^ExecReload=+\(.*\) refresh.*/\1/p' < <(
	unit usr/lib/systemd/system/web.service '[Service]\nExecStart=/bin/web\n'
	"$EXTMERGE" --root="$R" service-drop-in web
))
em service-drop-in web
is "a unit is wrapped" "$rc $(lines ExecStart)" "0 |$program run --service=web -- /bin/web"
is "and renewed before it is told" "$(lines ExecReload)" "|+$program refresh --pid=\$MAINPID"
like "where to put it is said" "$out" "^# /etc/systemd/system/web.service.d/50-extmerge.conf"
is "nothing is written" "$(find "$R/etc" -name '*extmerge*')" ""
unit etc/systemd/system/web.service '[Service]\nExecStart=/bin/of-etc\nType=notify-reload\n'
em service-drop-in web
is "the one in /etc says more" "$(lines ExecStart)" "|$program run --service=web -- /bin/of-etc"
like "Type=notify-reload is warned of" "$err" "Type=notify-reload"
unit usr/lib/systemd/system/web.service.d/20.conf '[Service]\nExecStart=\nExecStart=/bin/of-20\n'
unit run/systemd/system/web.service.d/30.conf '[Service]\nExecReload=/bin/kill -HUP $MAINPID\n'
unit usr/lib/systemd/system/web.service.d/30.conf '[Service]\nExecReload=/bin/hidden\n'
unit etc/systemd/system/web.service.d/50-extmerge.conf '[Service]\nExecStart=\nExecStart=/bin/own\n'
unit etc/systemd/system/web.service.d/60.conf.bak '[Service]\nExecStart=/bin/backup\n'
em service-drop-in web
is "drop-ins count, by name; of one name the better place; and not our own" "$(lines ExecStart) $(lines ExecReload)" \
	"|$program run --service=web -- /bin/of-20 |+$program refresh --pid=\$MAINPID|/bin/kill -HUP \$MAINPID"
unit lib/systemd/system/vpn@.service '[Service]\nExecStart=/bin/vpn %i\n'
em service-drop-in vpn@home
is "an instance comes of its template" "$rc $(lines ExecStart)" "0 |$program run --service=%N -- /bin/vpn %i"
unit etc/systemd/system/web.service.d/70.conf '[Service]\nDynamicUser=yes\n'
em service-drop-in web
like "what cannot be wrapped is refused by its setting" "$rc $err" "^1 .*'web.service': it has DynamicUser=yes.*hint:"
em service-drop-in none
like "a unit that is not there is named" "$rc $err" "^1 .*There is no unit 'none.service'"
em service-drop-in ../web
is "a name with a slash is none" $rc 2
unit etc/systemd/system/nul.service '[Service]\n\0'
em service-drop-in nul
like "what is no text is refused" "$rc $err" "^1 .*Cannot read the unit"
finish
