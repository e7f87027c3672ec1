#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest whose init is Debian's OpenRC: extensions are merged at boot, what is merged is reloaded, and so is a service with
# extensions of its own (specs: boot.8, dropin.5, dropin.6, switch.16).
# shellcheck disable=SC2154,SC2034 # what lib.sh sets; what uml.bash reads
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/uml.bash"
. "${TESTS_DIR:?}/vm/service.bash"
GUEST_PACKAGES="openrc librc1 libeinfo1"
GUEST_INIT=/sbin/openrc-init
in_guest setpriv jq
units=$TESTS_DIR/../units
bindir=$(sed -n 's|^	\(.*\)/extmerge refresh$|\1|p' "$TESTS_BUILD_DIR/../units/openrc/extmerge")

service() { # RUNLEVEL NAME LINE...: a script of OpenRC
	printf '%s\n' '#!/sbin/openrc-run' "${@:3}" >"/etc/init.d/$2"
	chmod 755 "/etc/init.d/$2"
	ln -s "/etc/init.d/$2" "/etc/runlevels/$1/$2"
}
prepare() {
	local package script

	for package in $GUEST_PACKAGES; do
		install_package "$package"
	done
	ldconfig
	ln -sf openrc-init /sbin/init
	mkdir -p /etc/runlevels/{sysinit,boot,default,shutdown,nonetwork,single} "$bindir" /var/lib/{extensions,confexts,confexts.d/web,confexts.d/plain,confexts.d/own}
	cp "$EXTMERGE" "$bindir/extmerge"
	cp "$TESTS_BUILD_DIR/vm/web" /usr/sbin/web
	sed "s|@bindir[@]|$bindir|g" "$units/openrc/extmerge.in" >/etc/init.d/extmerge
	chmod 755 /etc/init.d/extmerge
	ln -s /etc/init.d/extmerge /etc/runlevels/boot/extmerge
	make_tree /var/lib/extensions/tool tool
	confext /var/lib/confexts conf conf.conf 1
	# It reads what extensions bring, as OpenRC's own of that name would.
	service boot sysctl 'start() { cat /usr/bin/tool /etc/conf.conf >/run/sysctl-read; }'
	service default check 'start() { start-stop-daemon --start --background --exec /bin/bash -- /guest-booted; }'

	local body=('extra_started_commands="reload"' 'command=/usr/sbin/web')
	service default web "${body[@]}" 'command_args=/run/web.said' 'command_background=yes' 'pidfile=/run/web.pid' \
		'reload() { kill -HUP "$(cat $pidfile)"; }'
	service default plain "${body[@]}" 'command_args=/run/plain/said' 'command_user=nobody' 'supervisor=supervise-daemon' \
		'reload() { supervise-daemon plain --signal HUP; }' 'start_prepare() { :; }'
	# Started in a way of its own.
	service default own 'extra_started_commands="reload"' 'pidfile=/run/own.pid' \
		'start() { start-stop-daemon --start --exec /usr/sbin/web --background --make-pidfile --pidfile $pidfile -- /run/own.said; }' \
		'stop() { start-stop-daemon --stop --exec /usr/sbin/web --pidfile $pidfile; }' 'reload() { kill -HUP "$(cat $pidfile)"; }'
	mkdir -p /etc/conf.d
	for script in web plain own; do
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
is "a script with a start() of its own: the service sees its own configuration" "$(says /run/own.said "0 own 1")" "0 own 1"
own=$(cat /run/own.pid)
not_ok "in a namespace of its own, too" [ "$(namespace "$own")" = "$(namespace self)" ]
is "what started it has left nothing in its environment" "$(tr '\0' '\n' <"/proc/$own/environ" | grep -c EXTMERGE)" 0
confext /var/lib/confexts.d/own own web.conf "own 2"
rc-service own reload >"$T/out" 2>&1
is "it is reloaded" "$? $(says /run/own.said "0 own 2") $(cat /run/own.pid)" "0 0 own 2 $own"
rc-service own restart >"$T/out" 2>&1
is "and restarted" "$? $(says /run/own.said "0 own 2") $(wc -l </run/own.said)" "0 0 own 2 3"
rc-service own stop >"$T/out" 2>&1
is "and stopped" "$? $(pgrep -f '^/usr/sbin/web /run/own.said' | wc -l) $(rc-service own status 2>&1 | grep -o stopped)" "0 0 stopped"
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
