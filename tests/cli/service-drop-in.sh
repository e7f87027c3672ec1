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
is "and renewed before it is told" "$(lines ExecReload)" "|+$program refresh --service=web --pid=\${MAINPID}"
like "where to put it is said" "$out" "^# /etc/systemd/system/web.service.d/50-extmerge.conf"
is "nothing is written" "$(find "$R/etc" -name '*extmerge*')" ""
unit etc/systemd/system/web.service '[Service]\nExecStart=/bin/of-etc\nType=notify-reload\n'
em service-drop-in web
is "the one in /etc says more" "$(lines ExecStart)" "|$program run --service=web -- /bin/of-etc"
is "with Type=notify-reload, which some send too early, the signal is sent once more" "$(lines ExecReload)" \
	"|+$program refresh --service=web --pid=\${MAINPID}|+/usr/bin/systemctl kill --kill-whom=main --signal=SIGHUP %n"
like "which is said" "$err" "Type=notify-reload"
unit etc/systemd/system/web.service '[Service]\nExecStart=/bin/of-etc\nType=notify-reload\nReloadSignal=SIGRTMIN+1\n'
em service-drop-in web
like "it is the unit's" "$(lines ExecReload)" " --signal=SIGRTMIN\+1 %n$"
unit etc/systemd/system/web.service '[Service]\nExecStart=/bin/of-etc\nType=notify-reload\nReloadSignal=USR1 %i; x\n'
em service-drop-in web
like "if it is one" "$(lines ExecReload)" " --signal=SIGHUP %n$"
unit etc/systemd/system/web.service '[Service]\nExecStart=/bin/of-etc\n'
unit usr/lib/systemd/system/web.service.d/20.conf '[Service]\nExecStart=\nExecStart=/bin/of-20\n'
unit run/systemd/system/web.service.d/30.conf '[Service]\nExecReload=/bin/kill -HUP $MAINPID\n'
unit usr/lib/systemd/system/web.service.d/30.conf '[Service]\nExecReload=/bin/hidden\n'
unit etc/systemd/system/web.service.d/50-extmerge.conf '[Service]\nExecStart=\nExecStart=/bin/own\n'
unit etc/systemd/system/web.service.d/60.conf.bak '[Service]\nExecStart=/bin/backup\n'
em service-drop-in web
is "drop-ins count, by name; of one name the better place; and not our own" "$(lines ExecStart) $(lines ExecReload)" \
	"|$program run --service=web -- /bin/of-20 |+$program refresh --service=web --pid=\${MAINPID}|/bin/kill -HUP \$MAINPID"
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

# --- other inits: what is printed is tried by them in tests/vm/openrc.sh and inits.sh ---
unit etc/init.d/web '#!/sbin/openrc-run\ncommand=/bin/web\nreload() {\n:\n}\n'
em service-drop-in --init=openrc web
is "OpenRC: where to put it is said" "$rc $(head -n 1 <<<"$out") $err" "0 # The end of /etc/conf.d/web; then: rc-service web restart "
[ "$rc" != 0 ] || printf '%s\n' "$out" >"$R/openrc"
run_pre() { # LINE...: what start_pre makes of them
	sh -c "$(printf '%s\n' "$@"); . $R/openrc; start_pre || exit; printf '%s|' \"\$command\" \"\$command_args\" \"\$extmerge_command\"" 2>&1
}
is "OpenRC: the command is wrapped" "$(run_pre command=/bin/web 'command_args="-c \"a b\""')" \
	"$program|run --service=web --  /bin/web -c \"a b\"|/bin/web|"
is "its user and group come after" "$(run_pre command=/bin/web command_user=www:web)" \
	"$program|run --service=web -- /usr/bin/setpriv --reuid=www --regid=web --init-groups -- /bin/web |/bin/web|"
like "a user's own group is found" "$(run_pre command=/bin/web command_user=root)" "--reuid=root --regid=0 "
like "chroot= is refused" "$(run_pre 'eerror() { echo "$1"; }' chroot=/srv)" "^extmerge: chroot= "
unit etc/init.d/web '#!/sbin/openrc-run\ncommand=/bin/web\n'
em service-drop-in --init=openrc web
like "OpenRC: a script without reload is warned of" "$rc $err" "^0 .*has no reload\(\)"
unit etc/conf.d/web 'start_pre() {\n:\n}\n'
em service-drop-in --init=openrc web
is "OpenRC: what starts in a way of its own is started as a whole" "$rc $(grep -c 'run --service=web -- "$0" "$RC_SERVICE" start' <<<"$out") $(grep -c start_pre <<<"$out")" "0 1 0"
unit etc/conf.d/web 'reload_pre() {\n:\n}\n'
em service-drop-in --init=openrc web
like "OpenRC: what has a function of that name is refused" "$rc $err" "^1 .*'web' is started: it has reload_pre\(\) of its own.*hint:"
em service-drop-in --init=openrc none
like "OpenRC: a script that is not there is named" "$rc $err" "^1 .*There is no script '/etc/init.d/none'"
for init in runit s6; do
	own=run.own
	[ $init = runit ] || own=data/run.own # s6-rc takes over nothing else
	mkdir -p "$T/$init" && echo own >"$T/$init/run"
	em service-drop-in --init=$init web
	for round in "once" "and again"; do
		is "$init: its script makes the files, $round" "$(sh -s "$T/$init" <<<"$out" 2>&1; echo $? "$(cat "$T/$init/$own") $(tail -n 1 "$T/$init/run")")" \
			"0 own exec $program run --service=web -- ./$own"
	done
done
like "runit: it is renewed before it is told" "$(cat "$T/runit/control/h")" "$program refresh --service=web --pid="
like "s6: too" "$(cat "$T/s6/data/reload")" "$program refresh --service=web --pid=.*exec s6-svc -h"
echo other >"$T/runit/control/h"
em service-drop-in --init=runit web
is "runit: a hook that is there already stays" "$(sh -s "$T/runit" <<<"$out" 2>&1) $(cat "$T/runit/control/h")" "control/h is there already other"
em service-drop-in --init=upstart web
like "another init is a wrong call" "$rc $err" "^2 .*--init is systemd, openrc, runit or s6"
em service-drop-in other
like "who has no unit is told of it" "$err" "hint: --init="
finish
