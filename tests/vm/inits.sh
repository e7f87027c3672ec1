#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest that restarts with one init after the other: Debian's runit, with scripts of SysV and with its own, sysvinit, s6. Each merges at boot,
# reloads a service with extensions of its own, and unmerges at the end, before servers are killed (specs: boot.8, dropin.5, dropin.7, switch.16).
# shellcheck disable=SC2154,SC2034 # what lib.sh sets; what uml.bash reads
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/uml.bash"
. "${TESTS_DIR:?}/vm/service.bash"
GUEST_PACKAGES="runit runit-init initscripts sysv-rc insserv startpar sysvinit-core"
GUEST_INIT=/guest-init
GUEST_SECONDS=${GUEST_SECONDS-600}
inits=(runit-sysv runit-native sysvinit s6 "")

# What s6 needs has other names in each suite.
if [ -z "${GUEST-}" ]; then
	make_work
	mkdir -p "$cache"
	suite=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
	if [ ! -s "$cache/s6-$suite.list" ] && apt_of_suite "$suite" update >"$work/apt.log" 2>&1; then
		apt_of_suite "$suite" install -s --no-install-recommends s6 execline 2>/dev/null |
			sed -n 's/^Inst \([^ ]*\).*/\1/p' >"$cache/s6-$suite.list"
	fi
	mapfile -t s6 < <(cat "$cache/s6-$suite.list" 2>/dev/null)
	get_packages "${s6[@]}" || s6=()
	rm -rf "$work"
	S6=${s6[*]}
fi
GUEST_EXPORTS=S6
in_guest jq
[ -n "$S6" ] || inits=(runit-sysv runit-native sysvinit "")
built=$TESTS_BUILD_DIR/../units
bindir=$(sed -n 's|^\(.*\)/extmerge refresh --boot=late$|\1|p' "$built/s6-rc/extmerge/up")
init=${inits[GUEST_REBOOTS]}
scan=/etc/service
[ "$init" != s6 ] || scan=/run/service

# --- before the init is started ---

script() { # FILE LINE...
	printf '%s\n' '#!/bin/sh' "${@:2}" >"$1"
	chmod 755 "$1"
}
lsb() { # NAME HEADER... -- LINE...: a script of SysV
	local name=$1 lines=()
	shift
	while [ "$1" != -- ]; do
		lines+=("# $1")
		shift
	done
	shift
	script "/etc/init.d/$name" '### BEGIN INIT INFO' "# Provides: $name" "${lines[@]}" "# Short-Description: $name" '### END INIT INFO' "$@"
}

# What is left when the init has done all that it does, for the next boot to look at.
prepare_witness() {
	script /guest-witness \
		'mkdir -p /run/witness' "mount -n -t hostfs -o $GUEST none /run/witness" \
		"exec >/run/witness/last-$init" \
		'echo "$(grep -cE " - (overlay|fuse.extmerge-fuse) extmerge" /proc/self/mountinfo) $([ -e /usr/bin/tool ] && echo tool)"' \
		'pgrep -x web'
}
prepare_programs() {
	mkdir -p "$bindir" /var/lib/{extensions,confexts}
	cp "$EXTMERGE" "$bindir/extmerge"
	[ ! -x "${EXTMERGE%/*}/extmerge-fuse" ] || cp "${EXTMERGE%/*}/extmerge-fuse" "$bindir/"
	# FUSE in every other one: its servers must not be killed under their trees.
	case $init in
	runit-sysv | s6) [ ! -x "$bindir/extmerge-fuse" ] || printf '[Extmerge]\nBackend=fuse\n' >/etc/extmerge.conf ;;
	esac
	make_tree /var/lib/extensions/tool tool
	confext /var/lib/confexts conf conf.conf 1
}
# The scripts of Debian's initscripts, and none of this machine's.
prepare_sysv() {
	echo "root / overlay rw 0 0" >/etc/fstab
	echo "TMPTIME=infinite" >>/etc/default/rcS
	install -m 755 "$built/sysvinit/extmerge" /etc/init.d/extmerge
	lsb procps 'Required-Start: mountkernfs $local_fs' 'Required-Stop:' 'Default-Start: S' 'Default-Stop:' -- \
		'cat /usr/bin/tool /etc/conf.conf >/run/sysctl-read'
	lsb witness 'Required-Start:' 'Required-Stop:' 'Should-Stop: halt reboot' 'X-Stop-After: umountroot' 'Default-Start:' 'Default-Stop: 0 6' -- \
		'exec /guest-witness'
	local scripts
	scripts=$(cd /etc/init.d && grep -l 'BEGIN INIT INFO' -- *)
	# shellcheck disable=SC2086
	(cd /etc/init.d && insserv -f $scripts) >"$GUEST/insserv" 2>&1
}
prepare_runit() {
	mkdir -p /etc/runit/runsvdir/default /etc/sv/check
	ln -sfn default /etc/runit/runsvdir/current
	script /etc/sv/check/run '[ ! -e /run/checked ] || exec sleep 100000' 'touch /run/checked' 'exec bash /guest-check'
	supervised /etc/sv web
	"$bindir/extmerge" service-drop-in web --init=runit | sh || exit 1
	sed -i '1a trap "touch /run/asked" EXIT' /etc/sv/web/control/h
	for name in web check; do
		ln -s "/run/runit/supervise/$name" "/etc/sv/$name/supervise"
		ln -s "/etc/sv/$name" "/etc/runit/runsvdir/default/$name"
	done
}
prepare_native() {
	touch /etc/runit/native.boot.run
	mkdir -p /etc/runit/{boot-run,shutdown-run}
	cp "$built/runit/boot.sh" /etc/runit/boot-run/04-extmerge.sh
	echo 'cat /usr/bin/tool /etc/conf.conf >/run/sysctl-read' >/etc/runit/boot-run/08-sysctl.sh
	cp "$built/runit/shutdown.sh" /etc/runit/shutdown-run/65-extmerge.sh
	echo /guest-witness >/etc/runit/shutdown-run/99-witness.sh
}
# What s6-rc would run of our definition is run as it would be: by execline.
prepare_s6() {
	mkdir -p /run/service/.s6-svscan /etc/s6/sv/check
	script /etc/s6/sv/check/run 'exec bash /guest-check'
	supervised /etc/s6/sv web
	"$bindir/extmerge" service-drop-in web --init=s6 | sh || exit 1
	sed -i '1a trap "touch /run/asked" EXIT' /etc/s6/sv/web/data/reload
	touch /etc/s6/sv/{web,check}/down
	cp -a /etc/s6/sv/. /run/service/
	script /etc/s6/up 'execlineb -P '"$built"'/s6-rc/extmerge/up' 'cat /usr/bin/tool /etc/conf.conf >/run/sysctl-read' \
		'until s6-svc -u /run/service/web && s6-svc -u /run/service/check; do sleep 0.1; done'
	script /etc/s6/down 's6-svc -wD -d /run/service/web' 'execlineb -P '"$built"'/s6-rc/extmerge/down' 's6-svscanctl -t /run/service'
	script /run/service/.s6-svscan/finish /guest-witness 'reboot -f'
	rm /sbin/init
	script /sbin/init '/etc/s6/up &' 'exec s6-svscan -t0 /run/service'
}

prepare() {
	local needed='' package

	case $init in
	sysvinit) needed="initscripts sysv-rc insserv startpar sysvinit-core" ;;
	runit-*) needed="runit runit-init initscripts sysv-rc insserv startpar" ;;
	s6) needed=$S6 ;;
	esac
	rm -rf /etc/init.d/* /etc/rc?.d/* /etc/runit /etc/sv /etc/service /etc/s6 /etc/extmerge.conf{,.d}
	for package in $needed; do
		install_package "$package"
	done
	ldconfig
	{
		sed '/^bash "\$test"/,$d' /guest-booted
		echo 'exec bash "$test" >>"$GUEST/output" 2>&1 </dev/null'
	} >/guest-check
	prepare_programs
	prepare_witness
	case $init in
	runit-*) prepare_runit && prepare_sysv ;;&
	runit-native) prepare_native ;;
	sysvinit)
		prepare_sysv
		printf '%s\n' id:2:initdefault: si::sysinit:/etc/init.d/rcS 'l6:6:wait:/etc/init.d/rc 6' 'ck:2:once:/bin/bash /guest-check' >/etc/inittab
		;;
	s6) prepare_s6 ;;
	esac
	ln -s /sbin/init /guest-init
	[ -n "$init" ] || { rm /guest-init && script /guest-init 'exec bash /guest-booted'; }
}
if [ "$GUEST_STAGE" = prepare ]; then
	prepare
	exit 0
fi

# --- booted ---

T=$(mktemp -d)
if [ "$GUEST_REBOOTS" != 0 ]; then
	last=${inits[GUEST_REBOOTS - 1]}
	is "$last: at its end nothing is merged, and no service is left" "$(paste -sd' ' "$GUEST/last-$last" 2>&1)" "0 "
fi
if [ -z "$init" ]; then
	[ -n "$S6" ] || skip "s6" "its packages are not to be had here"
	finish
fi

declare -A programs=([runit-sysv]=runit [runit-native]=runit [sysvinit]=init [s6]=s6-svscan)
is "$init is the init" "$(basename "$(readlink /proc/1/exe)")" "${programs[$init]}"
is "$init: it has merged" "$(cat /usr/bin/tool /etc/conf.conf | paste -sd' ')" "tool 1"
is "$init: before others read that" "$(paste -sd' ' /run/sysctl-read)" "tool 1"
is "$init: programs in the merged /etc can be executed" "$(findmnt -n -o OPTIONS /etc | grep -c noexec)" 0
[ "$init" = s6 ] || is "$init: its script fits among the others" "$(grep -c . "$GUEST/insserv") $(cat "$GUEST/insserv")" "0 "
if [ "$init" = sysvinit ]; then
	confext /var/lib/confexts conf conf.conf 2
	/etc/init.d/extmerge reload >"$T/out" 2>&1
	is "$init: a reload brings what is merged up to date" "$? $(cat /etc/conf.conf)" "0 2"
fi

# This shell uses files of /usr still, so the server stays, and sendsigs is told of it.
if [ "$init" = runit-sysv ] && [ -e /etc/extmerge.conf ]; then
	/etc/init.d/extmerge stop >"$T/out" 2>&1
	is "$init: a stop unmerges" "$? $([ -e /usr/bin/tool ] || echo gone)" "0 gone"
	pgrep -f '^@extmerge-fuse' | sort >"$T/servers"
	is "$init: servers that are used still are not to be killed" "$(sort /run/sendsigs.omit.d/extmerge | comm -13 - "$T/servers") $([ -s "$T/servers" ] && echo some)" " some"
	/etc/init.d/extmerge start >"$T/out" 2>&1
	is "$init: a start merges" "$? $(cat /usr/bin/tool)" "0 tool"
fi

renew() { # tells the service, in the way of its supervisor
	case $init in
	runit-*) sv hup $scan/web ;;
	s6) $scan/web/data/reload ;;
	esac >"$T/out" 2>&1
}
again() {
	case $init in
	runit-*) sv -w 60 restart $scan/web ;;
	s6) s6-svc -wr -r $scan/web ;;
	esac >"$T/out" 2>&1
}
if [ "$init" != sysvinit ]; then
	is "$init: a service sees its own configuration" "$(says /run/web.said "0 web 1")" "0 web 1"
	pid=$(pgrep -x web)
	not_ok "$init: which nobody else sees" test -e /etc/web.conf
	not_ok "$init: in a namespace of its own" [ "$(namespace "$pid")" = "$(namespace self)" ]
	for round in 2 3 4; do
		confext /var/lib/confexts.d/web web web.conf "web $round"
		renew
		is "$init: and the new one after a reload" "$(says /run/web.said "0 web $round")" "0 web $round"
	done
	is "$init: it is the same process, for which it was never missing" "$(pgrep -x web) $(wc -l </run/web.said)" "$pid 4"
	confext /var/lib/confexts.d/web web web.conf "web 5"
	mkdir -p /run/extmerge.conf.d && echo "[Extmerge" >/run/extmerge.conf.d/bad.conf
	rm -f /run/asked
	renew
	is "$init: a refresh that fails fails the reload" "$? $(await test -e /run/asked && echo asked)" "$([ "$init" = s6 ] && echo 2 || echo 0) asked"
	rm -rf /run/extmerge.conf.d
	again
	is "$init: the service is not told, and a restart reads all anew" "$(says /run/web.said "0 web 5") $(wc -l </run/web.said)" "0 web 5 5"
	not_ok "$init: the old process is gone" kill -0 "$pid"
fi
# runsvdir looks at its directory now and then: when it has found what is new there, it has looked at all.
case $init in
runit-*)
	pid=$(cat $scan/web/supervise/pid)
	confext /var/lib/confexts conf conf.conf 2
	"$bindir/extmerge" refresh >"$T/out" 2>&1
	is "$init: another configuration is merged on the host" "$? $(cat /etc/conf.conf)" "0 2"
	mkdir /etc/sv/marker
	script /etc/sv/marker/run 'touch /run/marked' 'exec sleep 100000'
	ln -s /etc/sv/marker /etc/runit/runsvdir/default/
	ok "$init: which keeps nobody from adding a service" await test -e /run/marked
	is "$init: services are not restarted" "$(cat $scan/web/supervise/pid) $(sv status $scan/web | cut -d: -f1)" "$pid run"
	;;
esac
case $init in
s6) setsid /etc/s6/down >/dev/null 2>&1 </dev/null & ;;
*) setsid reboot >/dev/null 2>&1 </dev/null & ;;
esac
exec sleep 100000
