#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Debian with systemd boots with eight signed extensions, which extmerge's unit merges; what they bring is in effect at the end
# of the boot (specs: boot.*, hook.7). Then the same with systemd-sysext, for its time.
. "${TESTS_DIR:?}/lib.sh"
. "${TESTS_DIR:?}/vm/lib.bash"
. "${TESTS_DIR:?}/vm/boot.bash"
need_tools qemu-system-x86_64 busybox cpio apt-get dpkg-deb mmdebstrap mke2fs gcc mkfs.erofs openssl jq xz patchelf
make_work
T=$work
packages=(systemd systemd-sysv udev dbus)

# --- eight extensions: each brings one thing that something at boot has to notice ---

extension() { # NAME [RELEASE-LINE...]
	local name=$1
	shift
	make_tree "$work/trees/$name" "$name" "$name" ID=_any "$@"
	tree=$work/trees/$name
}
put() { # PATH LINE...
	mkdir -p "$tree/${1%/*}"
	printf '%s\n' "${@:2}" >"$tree/$1"
}
make_extensions() { # DIRECTORY
	local name
	new_key vendor
	extension svc EXTENSION_RELOAD_MANAGER=1
	put usr/lib/systemd/system/hello.service '[Service]' 'ExecStart=/bin/sh -c "echo started >/run/hello; exec sleep infinity"' \
		'[Install]' 'WantedBy=multi-user.target'
	mkdir -p "$tree/usr/lib/systemd/system/multi-user.target.wants"
	ln -s ../hello.service "$tree/usr/lib/systemd/system/multi-user.target.wants/hello.service"
	# The peer starts no unit that is only wanted: this is how its users do it.
	put usr/lib/systemd/system/multi-user.target.d/10-hello.conf '[Unit]' 'Upholds=hello.service'
	extension user
	put usr/lib/sysusers.d/hello.conf 'u hello 777 "Hello" /run/hello-home'
	put usr/lib/tmpfiles.d/hello.conf 'd /run/hello-home 0750 hello hello -'
	extension lib
	mkdir -p "$tree/usr/lib/hello"
	echo 'int hello(void); int hello(void) { return 42; }' >"$work/hello.c"
	echo 'int hello(void); int main(void) { return hello(); }' >"$work/main.c"
	gcc -shared -fPIC -Wl,-soname,libhello.so.1 -o "$tree/usr/lib/hello/libhello.so.1" "$work/hello.c" &&
		gcc -o "$tree/usr/bin/use-hello" "$work/main.c" "$tree/usr/lib/hello/libhello.so.1" || exit 1
	extension rule
	put usr/lib/udev/rules.d/60-hello.rules 'SUBSYSTEM=="mem", KERNEL=="null", SYMLINK+="hello-null"'
	extension policy
	put usr/share/dbus-1/system.d/hello.conf '<busconfig><policy user="root"><allow own="org.example.Hello"/></policy></busconfig>'
	extension ctl
	put usr/lib/sysctl.d/60-hello.conf 'vm.swappiness = 37'
	extension module
	put usr/lib/modules-load.d/hello.conf squashfs
	tree=$work/trees/conf
	make_conf_tree "$tree" conf
	put etc/ld.so.conf.d/hello.conf /usr/lib/hello
	mkdir -p "$1/var/lib/extensions" "$1/var/lib/confexts" "$1/etc/verity.d"
	cp "$work/vendor.crt" "$1/etc/verity.d/"
	for name in svc user lib rule policy ctl module; do
		make_packed "$1/var/lib/extensions/$name.raw" "$work/trees/$name" vendor || exit 1
	done
	make_packed "$1/var/lib/confexts/conf.raw" "$work/trees/conf" vendor || exit 1
	for name in 1 2; do
		mkdir -p "$1/usr/lib/check/$name"
		make_conf_tree "$work/trees/own$name" own
		echo $name >"$work/trees/own$name/etc/web.conf"
		make_packed "$1/usr/lib/check/$name/own.raw" "$work/trees/own$name" vendor || exit 1
	done
}

cat >"$work/in-effect" <<'CHECK'
udevadm settle
is "a service of an extension runs" "$(systemctl is-active hello.service; cat /run/hello)" "active
started"
is "a user of an extension is there" "$(id -u hello)" 777
is "its directory too" "$(stat -c '%U %a' /run/hello-home)" "hello 750"
use-hello
is "a library is found where only the linker's cache tells" $? 42
is "a udev rule has been followed" "$(readlink -f /dev/hello-null)" /dev/null
is "a bus policy is in force" "$(busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus RequestName su org.example.Hello 0 2>&1)" "u 1"
is "a sysctl is set" "$(cat /proc/sys/vm/swappiness)" 37
is "a module is loaded" "$(grep -c '^squashfs ' /proc/modules)" 1
is "a configuration file is seen" "$(cat /etc/conf.conf)" conf
CHECK
# A service of the host gets a confext of its own, which is another one when it is reloaded.
cat >"$work/own" <<'CHECK'
own() { # 1|2
	mkdir -p /run/confexts.d/web
	cp /usr/lib/check/$1/own.raw /run/confexts.d/web/own.raw.new
	mv /run/confexts.d/web/own.raw.new /run/confexts.d/web/own.raw
}
cat >/run/web.sh <<'WEB'
read_it() { cat /etc/web.conf >>/run/web.read; }
trap 'systemd-notify --reloading; read_it; systemd-notify --ready' HUP
read_it
systemd-notify --ready
while :; do sleep infinity & wait $!; done
WEB
mkdir -p /run/systemd/system/web.service.d
printf '[Service]\nType=notify-reload\nNotifyAccess=all\nExecStart=/bin/bash /run/web.sh\n' >/run/systemd/system/web.service
# It names the program where it is installed, which it is not here.
extmerge service-drop-in web 2>/run/web.said | sed -E 's|[a-z/]*/extmerge |/usr/bin/extmerge |' >/run/systemd/system/web.service.d/50-extmerge.conf
systemctl daemon-reload
own 1
systemctl start web.service
is "a service starts with a confext of its own" "$(systemctl is-active web.service) $(cat /run/web.read) $(ls /etc/web.conf 2>/dev/null)" "active 1 "
own 2
systemctl reload web.service
reloaded=$?
# systemd 257 may call it reloaded before the second signal is answered, and "reloading" while it is.
for ((i = 0; i < 600; i++)); do [ "$(systemctl is-active web.service)" != active ] || break; sleep 0.1; done
is "it can be reloaded" "$reloaded $(systemctl is-active web.service)" "0 active"
for ((i = 0; i < 600; i++)); do [ "$(tail -n 1 /run/web.read)" != 2 ] || break; sleep 0.1; done
is "and reads another one then" "$(sort -u /run/web.read | paste -sd' ')" "1 2"
is "which nobody else sees" "$(ls /etc/web.conf 2>/dev/null; extmerge status --json=short | grep -o '"services":.*"path":"/etc"' | grep -o '"name":"web"')" '"name":"web"'
journalctl -b -o cat -u web.service | grep -iE 'error|failed|timed out' | sed 's/^/# /'
systemctl stop web.service
CHECK
cat >"$work/times" <<'CHECK'
busctl --version >/dev/null
time_of() { # UNIT: milliseconds from its start to its end
	systemctl show -p ExecMainStartTimestampMonotonic -p ExecMainExitTimestampMonotonic "$1" | awk -F= '{ v[NR] = $2 } END { d = v[1] - v[2]; print (d < 0 ? -d : d) / 1000 }'
}
all=0
for unit in $units; do
	all=$(awk -v a=$all -v b=$(time_of $unit) 'BEGIN { print a + b }')
	echo "# $unit: $(($(systemctl show -P CPUUsageNSec $unit) / 1000000)) ms of the processor, $(time_of $unit) ms in all"
done
echo "# TIME $all"
echo "# $(systemd-analyze time 2>&1 | head -n 1)"
CHECK

put_extensions() {
	[ -d "$work/made" ] || make_extensions "$work/made"
	cp -a "$work/made/." "$payload/"
}

boot_extmerge() { # SUITE
	new_payload
	install_extmerge extmerge.service extmerge-late.service
	put_extensions
	{
		cat <<'CHECK'
units="extmerge.service extmerge-late.service"
is "the unit has merged" "$(systemctl is-active extmerge.service extmerge-late.service | paste -sd' ')" "active active"
is "eight extensions, all signed" "$(extmerge status --json=short | grep -o '"trust":"[a-z]*"' | sort | uniq -c | tr -s ' ')" ' 8 "trust":"signed"'
CHECK
		cat "$work/in-effect"
		cat <<'CHECK'
is "the late unit had nothing to do" "$(journalctl -b -o cat -t extmerge | grep -c 'Nothing has changed')" 1
is "each merge is in the journal" "$(journalctl -b -o cat MESSAGE_ID=a8a3b2fecef34e56840f504f33065fda | wc -l)" 8
is "no hook has failed" "$(journalctl -b -o cat MESSAGE_ID=8d9c3c936f8e4344b9e7d16845d78c67)" ""
is "no job was taken out of the boot" "$(journalctl -b -o cat | grep -ci 'ordering cycle')" 0
is "no unit has failed" "$(systemctl --failed --no-legend --plain | awk '{ print $1 }')" ""
like "systemctl status says what is merged" "$(systemctl show -p StatusText extmerge.service)" "/usr 7"
CHECK
		cat "$work/times" "$work/own"
	} >"$work/check"
	install_check "$work/check"
	boot_system "$1" boot
	take_boot "$1 with extmerge"
	ours=$(sed -n 's/^# TIME //p' "$place/out" | tr -d '\r')
}

boot_peer() { # SUITE
	new_payload
	put_extensions
	for unit in systemd-sysext systemd-confext; do
		mkdir -p "$payload/etc/systemd/system/sysinit.target.wants"
		ln -s /usr/lib/systemd/system/$unit.service "$payload/etc/systemd/system/sysinit.target.wants/$unit.service"
	done
	{
		echo 'units="systemd-confext.service systemd-sysext.service"'
		echo 'is "systemd-sysext has merged" "$(systemctl is-active $units | paste -sd" ") $(ls /usr/bin/lib /etc/conf.conf | wc -l)" "active active 2"'
		sed 's/^is "\([^"]*\)" \(.*\) \("[^"]*"\|[0-9a-z/]*\)$/echo "# the peer: \1: $([ \2 = \3 ] \&\& echo yes || echo no)"/; s/^use-hello/use-hello 2>\/dev\/null/' "$work/in-effect" |
			grep -vE '^is|^started'
		cat "$work/times"
	} >"$work/check"
	install_check "$work/check"
	boot_system "$1" boot
	take_boot "$1 with systemd-sysext"
	theirs=$(sed -n 's/^# TIME //p' "$place/out" | tr -d '\r')
}

# On the suite's own kernel, or on that of sid as a process, where the peer shows its time.
for where in ${EXTMERGE_BOOTS:-trixie:qemu sid:uml}; do
	suite=${where%:*} MACHINE=${where#*:}
	if ! get_system "$suite" boot "${packages[@]}"; then
		skip "a boot of $suite" "it cannot be had here: no network?"
		continue
	fi
	boot_extmerge "$suite"
	[ "$MACHINE" = uml ] || continue
	boot_peer "$suite"
	echo "# $suite: extmerge's units take $ours ms, systemd's $theirs ms"
done
finish
