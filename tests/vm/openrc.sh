#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest whose init is Debian's OpenRC: extensions are merged at boot, what is merged is reloaded, and so is a service with
# extensions of its own; the latter by runit and s6 as well (specs: boot.8, dropin.5 to dropin.7, switch.16).
# shellcheck disable=SC2154,SC2034 # what lib.sh sets; what uml.bash reads
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/uml.bash"
GUEST_PACKAGES="openrc librc1 libeinfo1 runit"
# Its libraries have other names in each suite.
! grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release || GUEST_PACKAGES+=" s6 libs6-2.11 libskarnet2.13 libexecline2.9"
GUEST_INIT=/sbin/openrc-init
in_guest gcc setpriv jq
units=$TESTS_DIR/../units
bindir=$(sed -n 's|^	\(.*\)/extmerge refresh$|\1|p' "$TESTS_BUILD_DIR/../units/openrc/extmerge")

service() { # RUNLEVEL NAME LINE...: a script of OpenRC
	printf '%s\n' '#!/sbin/openrc-run' "${@:3}" >"/etc/init.d/$2"
	chmod 755 "/etc/init.d/$2"
	ln -s "/etc/init.d/$2" "/etc/runlevels/$1/$2"
}
confext() { # DIRECTORY NAME FILE TEXT
	make_conf_tree "$1/$2" "$2"
	rm -f "$1/$2/etc/$2.conf"
	echo "$4" >"$1/$2/etc/$3"
}

prepare() {
	local package script

	for package in $GUEST_PACKAGES; do
		install_package "$package"
	done
	ldconfig
	ln -sf openrc-init /sbin/init
	mkdir -p /etc/runlevels/{sysinit,boot,default,shutdown,nonetwork,single} "$bindir" /var/lib/{extensions,confexts,confexts.d/web,confexts.d/plain,confexts.d/three,confexts.d/four}
	cp "$EXTMERGE" "$bindir/extmerge"
	sed "s|@bindir[@]|$bindir|g" "$units/openrc/extmerge.in" >/etc/init.d/extmerge
	chmod 755 /etc/init.d/extmerge
	ln -s /etc/init.d/extmerge /etc/runlevels/boot/extmerge
	make_tree /var/lib/extensions/tool tool
	confext /var/lib/confexts conf conf.conf 1
	# It reads what extensions bring, as OpenRC's own of that name would.
	service boot sysctl 'start() { cat /usr/bin/tool /etc/conf.conf >/run/sysctl-read; }'
	service default check 'start() { start-stop-daemon --start --background --exec /bin/bash -- /guest-booted; }'

	# A server that says what is configured when it starts, and at SIGHUP.
	cat >/tmp/web.c <<'SOURCE'
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static void say(const char *said) {
	FILE *in = fopen("/etc/web.conf", "r"), *out = fopen(said, "a");
	char line[100] = "none\n";
	if (in) { fgets(line, sizeof(line), in); fclose(in); }
	fprintf(out, "%d %d %s", getpid(), getuid(), line);
	fclose(out);
}
int main(int argc, char **argv) {
	sigset_t set;
	int n;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (;;) { say(argv[1]); sigwait(&set, &n); }
}
SOURCE
	gcc -o /usr/sbin/web /tmp/web.c || exit 1
	local body=('extra_started_commands="reload"' 'command=/usr/sbin/web')
	service default web "${body[@]}" 'command_args=/run/web.said' 'command_background=yes' 'pidfile=/run/web.pid' \
		'reload() { kill -HUP "$(cat $pidfile)"; }'
	service default plain "${body[@]}" 'command_args=/run/plain/said' 'command_user=nobody' 'supervisor=supervise-daemon' \
		'reload() { supervise-daemon plain --signal HUP; }' 'start_prepare() { :; }'
	mkdir -p /etc/conf.d
	for script in web plain; do
		confext "/var/lib/confexts.d/$script" "$script" web.conf "$script 1"
		"$bindir/extmerge" service-drop-in "$script" --init=openrc >"/run/$script.conf" || exit 1
		cat "/run/$script.conf" >>"/etc/conf.d/$script"
	done
	install -d -o nobody /run/plain
}
if [ "$GUEST_STAGE" = prepare ]; then
	prepare
	exit 0
fi
begin

has_said() { [ "$(said "$1" 2>/dev/null)" = "$2" ]; }
said() { tail -n 1 "$1" | cut -d' ' -f2-; }
# A service says something a moment after it was told to.
says() { # FILE TEXT
	await has_said "$@"
	said "$1"
}
namespace() { readlink "/proc/$1/ns/mnt"; }

is "OpenRC is the init" "$(readlink /proc/1/exe)" /usr/sbin/openrc-init
is "extmerge has been started" "$(rc-service extmerge status 2>&1 | grep -o 'started')" started
is "it has merged" "$(cat /usr/bin/tool /etc/conf.conf | paste -sd' ')" "tool 1"
is "before others read that" "$(paste -sd' ' /run/sysctl-read)" "tool 1"
is "scripts in the merged /etc can be executed" "$(findmnt -n -o OPTIONS /etc | grep -c noexec)" 0
ok "reload" confext /var/lib/confexts conf conf.conf 2
rc-service extmerge reload >"$T/out" 2>&1
is "brings what is merged up to date" "$? $(cat /etc/conf.conf)" "0 2"

# --- a service ---
is "a service sees its own configuration" "$(says /run/web.said "0 web 1")" "0 web 1"
is "as another user, under a supervisor, too" "$(says /run/plain/said "$(id -u nobody) plain 1")" "$(id -u nobody) plain 1"
not_ok "which nobody else sees" test -e /etc/web.conf
pid=$(cat /run/web.pid)
not_ok "in a namespace of its own" [ "$(namespace "$pid")" = "$(namespace self)" ]
for round in 2 3; do
	for name in web plain; do
		confext "/var/lib/confexts.d/$name" "$name" web.conf "$name $round"
		rc-service "$name" reload >"$T/out" 2>&1
		is "$name: reload succeeds" "$?" 0 || sed "s/^/# /" "$T/out"
	done
	is "and the new configuration is read" "$(says /run/web.said "0 web $round")" "0 web $round"
	is "so it is by the other one" "$(says /run/plain/said "$(id -u nobody) plain $round" | cut -d' ' -f2-)" "plain $round"
done
is "it is the same process" "$(cat /run/web.pid) $(wc -l </run/web.said)" "$pid 3"
confext /var/lib/confexts.d/web web web.conf "web 4"
echo "[Extmerge" >/etc/extmerge.conf 2>/dev/null || { mkdir -p /run/extmerge.conf.d && echo "[Extmerge" >/run/extmerge.conf.d/bad.conf; }
rc-service web reload >"$T/out" 2>&1
is "a refresh that fails fails the reload" "$?" 2
is "and the service is not told" "$(wc -l </run/web.said)" 3
rm -rf /run/extmerge.conf.d
rc-service web restart >"$T/out" 2>&1
is "a restart succeeds" "$?" 0
is "and reads all anew" "$(says /run/web.said "0 web 4")" "0 web 4"
not_ok "the old process is gone" kill -0 "$pid"
rc-service web stop >"$T/out" 2>&1
is "it can be stopped" "$? $(pgrep -cx web -u root)" "0 0"
is "and all of its mounts are gone with it" "$("$EXTMERGE" status --json=short | jq -r '.services[].name')" plain

# --- the same by runit and s6 ---
supervised() { # DIRECTORY NAME
	mkdir -p "$1/$2"
	printf '#!/bin/sh\nexec /usr/sbin/web /run/%s.said\n' "$2" >"$1/$2/run"
	chmod 755 "$1/$2/run"
	confext "/var/lib/confexts.d/$2" "$2" web.conf "$2 1"
}
supervised "$T/sv" three
"$EXTMERGE" service-drop-in three --init=runit | sed "s|/etc/sv/|$T/sv/|" | sh >"$T/out" 2>&1
is "runit: the service is wrapped" "$? $(ls "$T/sv/three" | paste -sd' ')" "0 control run run.own"
runsvdir "$T/sv" &
is "runit: it sees its own configuration" "$(says /run/three.said "0 three 1")" "0 three 1"
confext /var/lib/confexts.d/three three web.conf "three 2"
sv hup "$T/sv/three" >/dev/null
is "runit: and the new one after a reload" "$(says /run/three.said "0 three 2")" "0 three 2"
confext /var/lib/confexts.d/three three web.conf "three 3"
mkdir -p /run/extmerge.conf.d && echo "[Extmerge" >/run/extmerge.conf.d/bad.conf
# Told when the hook has run, whose end says whether the signal is sent.
sed -i "1a trap 'touch $T/asked' EXIT" "$T/sv/three/control/h"
sv hup "$T/sv/three" >/dev/null
await test -e "$T/asked"
rm -rf /run/extmerge.conf.d
sv term "$T/sv/three" >/dev/null
is "runit: it is not told where the refresh fails" "$(says /run/three.said "0 three 3") $(wc -l </run/three.said)" "0 three 3 3"
sv exit "$T/sv/three" >/dev/null

if ! command -v s6-supervise >/dev/null; then
	skip "s6" "its packages are known of Debian 12 only"
else
	supervised "$T/s6" four
	"$EXTMERGE" service-drop-in four --init=s6 | sh -s "$T/s6/four" >"$T/out" 2>&1
	is "s6: the service is wrapped" "$? $(ls "$T/s6/four" | paste -sd' ')" "0 reload run run.own"
	s6-supervise "$T/s6/four" &
	is "s6: it sees its own configuration" "$(says /run/four.said "0 four 1")" "0 four 1"
	confext /var/lib/confexts.d/four four web.conf "four 2"
	"$T/s6/four/reload" "$T/s6/four"
	is "s6: and the new one after a reload" "$? $(says /run/four.said "0 four 2")" "0 0 four 2"
	s6-svc -xd "$T/s6/four"
fi

# --- the end, and the kernel's switch ---
rc-service extmerge stop >"$T/out" 2>&1
is "a stop unmerges" "$? $(cat /usr/bin/tool 2>&1 | grep -c 'No such') $(grep -c ' - overlay extmerge' /proc/self/mountinfo)" "0 1 0"
# Nothing at all is merged in a service that starts before there is an extension: it is found by its process.
rm -rf /var/lib/extensions/* /var/lib/confexts/* /var/lib/confexts.d/{web,plain}/*
for name in web plain; do
	rc-service "$name" restart >"$T/out" 2>&1
done
is "a service without any extension" "$? $(says /run/web.said "0 none") $(says /run/plain/said "$(id -u nobody) none" | cut -d' ' -f2)" "0 0 none none"
for name in web plain; do
	confext "/var/lib/confexts.d/$name" "$name" web.conf "$name 5"
	rc-service "$name" reload >"$T/out" 2>&1
	is "$name: sees its first one after a reload" "$? $(says "$(ls -d /run/$name.said /run/$name/said 2>/dev/null)" "$([ $name = web ] && echo 0 || id -u nobody) $name 5" | cut -d' ' -f2-)" "0 $name 5"
done
echo "quiet extmerge=0" >"$T/cmdline" && mount --bind "$T/cmdline" /proc/cmdline
rc-service extmerge start >"$T/out" 2>&1
is "extmerge=0: nothing is merged, and nothing fails" "$? $(cat /usr/bin/tool 2>&1 | grep -c 'No such')" "0 1"
umount /proc/cmdline
finish
