#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What runs after a change (specs: hook.1 to hook.9): extmerge is root of a small root of its own, whose programs write
# down how they were called.
. "${TESTS_DIR:?}/lib.sh"
begin
. "${TESTS_DIR:?}/root/inside.bash"

# A program that notes its call; what is in /said is its text, and /status its exit status.
program() { # NAME
	mkdir -p "$R/said" "$R/status"
	printf '#!/busybox sh\n/busybox echo "$(/busybox basename $0) $*" >>/calls\n[ ! -e /slow/%s ] || /busybox sleep 1000\n/busybox cat /said/%s 2>/dev/null\nexit $(/busybox cat /status/%s 2>/dev/null || echo 0)\n' \
		"$1" "$1" "$1" >"$R/usr/bin/$1"
	chmod 755 "$R/usr/bin/$1"
}
make_programs() {
	local path
	mkdir -p "$R"/run/{udev,dbus}
	: >"$R/run/udev/control"
	: >"$R/run/dbus/system_bus_socket"
	for path in systemd-sysusers systemd-tmpfiles udevadm dbus-send busctl systemctl rc-service sv ldconfig; do
		program "$path"
	done
	mkdir -p "$R/usr/lib/systemd"
	for path in systemd-sysctl systemd-modules-load; do
		program "$path"
		mv "$R/usr/bin/$path" "$R/usr/lib/systemd/"
	done
}
# Runs extmerge as the root's own; $calls is what was called.
inside() { # VERB...
	: >"$R/calls"
	out=$(chroot "$R" /extmerge "$@" 2>"$T/stderr")
	rc=$?
	err=$(cat "$T/stderr")
	calls=$(sed 's/ $//' "$R/calls" | paste -sd'|')
	return $rc
}
put_file() { # EXTENSION PATH
	mkdir -p "$X/$1/${2%/*}" && echo "$1" >"$X/$1/$2"
}
make_running_root
make_programs
note_mounts

# --- what is touched decides (hook.1, hook.2) ---

make_tree "$X/plain" plain
inside merge
is "files that nobody has to be told of call nobody" "$rc $calls" "0 "
make_tree "$X/all" all
for path in sysusers.d/a.conf modules-load.d/b.conf sysctl.d/c.conf tmpfiles.d/d.conf 'tmpfiles.d/-x y.conf' udev/rules.d/60-e.rules; do
	put_file all "usr/lib/$path"
done
put_file all usr/share/dbus-1/system.d/f.conf
inside refresh
is "users, modules, sysctl, files, devices and the bus are told" "$rc $calls" \
	"0 systemd-sysusers a.conf|systemd-modules-load b.conf|systemd-sysctl c.conf|systemd-tmpfiles --create d.conf|udevadm control --reload|udevadm trigger --action=change|dbus-send --system --type=method_call --dest=org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus.ReloadConfig"
inside refresh
is "a refresh that changes nothing tells nobody" "$rc $calls" "0 "
make_tree "$X/later" later
inside refresh
is "nor one that brings only other files" "$rc $calls" "0 "
rm -r "$X/all"
inside refresh
is "what goes is told to who keeps it in mind" "$rc $calls" \
	"0 udevadm control --reload|udevadm trigger --action=change|dbus-send --system --type=method_call --dest=org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus.ReloadConfig"
inside -q unmerge
rm "$R/usr/bin/dbus-send"
make_tree "$X/bus" bus
put_file bus usr/share/dbus-1/system-services/f.service
inside refresh
is "busctl does for dbus-send" "$rc $calls" \
	"0 busctl --quiet call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig"
inside -q unmerge
rm "$R/run/dbus/system_bus_socket" "$R/usr/bin/busctl"
inside merge
is "where there is no bus nobody is told" "$rc $calls $(grep -c failed <<<"$err")" "0  0"
inside -q unmerge
rm -r "${X:?}"/*

# --- users where /etc is about to be read-only (hook.9) ---

cat >"$R/usr/bin/systemd-sysusers" <<'PROGRAM'
#!/busybox sh
/busybox echo "systemd-sysusers $*" >>/calls
case "$*" in *-) /busybox grep . >>/etc/passwd ;; esac
PROGRAM
make_tree "$X/user" user
put_file user usr/lib/sysusers.d/u.conf
inside merge
is "where /etc can be written users are made afterwards" "$rc $calls" "0 systemd-sysusers u.conf"
inside -q unmerge
make_conf_tree "$C/conf" conf
mkdir "$C/conf/etc/sysusers.d"
echo "of conf" >"$C/conf/etc/sysusers.d/c.conf"
inside merge --mutable=/etc:ephemeral
is "also where it is merged to be written" "$rc $calls" "0 systemd-sysusers c.conf u.conf"
inside -q unmerge
inside merge
is "where it cannot, before, and once" "$rc $calls" "0 systemd-sysusers -"
is "on the host's own files, which are seen then" "$(sort "$R/etc/passwd" | paste -sd' ')" "of conf user"
not_ok "although they are read-only" touch "$R/etc/passwd"
make_tree "$X/other" other
put_file other usr/lib/sysusers.d/o.conf
printf '#!/busybox sh\nexit 1\n' >"$T/failing" && chmod 755 "$T/failing"
mount --bind "$T/failing" "$R/usr/bin/systemd-sysusers"
inside refresh
like "later it is a hook that fails" "$rc $err" "^0 .*Hook 'users' failed"
umount "$R/usr/bin/systemd-sysusers"
inside -q unmerge
mkdir -p "$R/etc/sysusers.d" "$R/run/sysusers.d"
echo "of the host" >"$R/etc/sysusers.d/u.conf"
ln -s /dev/null "$R/run/sysusers.d/o.conf"
rm "$R/etc/passwd"
inside merge
is "what the host has in their place counts" "$rc $calls $(paste -sd' ' "$R/etc/passwd")" "0 systemd-sysusers u.conf o.conf - of conf"
inside -q unmerge
inside merge --no-hooks
is "nobody is asked with --no-hooks" "$rc $calls" "0 "
inside -q unmerge
rm -r "${X:?}"/* "$C/conf" "$R/etc/sysusers.d" "$R/run/sysusers.d" "$R/etc/passwd"
program systemd-sysusers

# --- services (hook.6) ---

make_unit() { # EXTENSION RELEASE-LINE...
	local name=$1
	shift
	make_tree "$X/$name" "$name" "$name" ID=_any "$@"
	put_file "$name" "usr/lib/systemd/system/$name.service"
}
# shellcheck disable=SC2016
restarting=(EXTENSION_RESTART_UNITS='"web.service  db.service $(reboot) -f.service /x.service"' 'EXTENSION_RELOAD_OR_RESTART_UNITS="web.service log.service"')
make_unit web "${restarting[@]}"
put_file web usr/lib/systemd/system/db.service
put_file web usr/lib/systemd/system/log.service
inside merge
is "without a service manager nobody is told" "$rc $calls" "0 "
inside -q unmerge
mkdir -p "$R/run/systemd/system"
inside merge
is "systemd is told of units, and restarts what is asked for" "$rc $calls" \
	"0 systemctl daemon-reload|systemctl --no-ask-password restart web.service db.service|systemctl --no-ask-password reload-or-restart log.service"
is "what is no unit's name goes to nobody, and is said" "$(grep -c "no name of a unit" <<<"$err")" 3
rm "$X/web/usr/lib/systemd/system/db.service"
inside refresh
is "a unit that is gone is stopped" "$calls" \
	"systemctl daemon-reload|systemctl --no-ask-password stop db.service|systemctl --no-ask-password restart web.service|systemctl --no-ask-password reload-or-restart log.service"
inside refresh --boot=early
is "what has not changed asks for nothing at boot" "$rc $calls" "0 "
# A unit may come from elsewhere: of a generator, a portable service, an instance of its own.
mkdir -p "$R"/run/systemd/{generator.late,system.attached}
touch "$R/run/systemd/generator.late/late.service" "$R/run/systemd/system.attached/portable.service" "$R/run/systemd/system/"{own@one,many@}.service
make_unit elsewhere 'EXTENSION_RESTART_UNITS="late.service portable.service own@one.service many@one.service own@two.service"'
inside refresh
is "a unit with a file anywhere is restarted, not stopped" "$calls" \
	"systemctl daemon-reload|systemctl --no-ask-password stop own@two.service|systemctl --no-ask-password restart late.service portable.service own@one.service many@one.service"
rm -r "$X/elsewhere" "$R"/run/systemd/{generator.late,system.attached,system/own@one.service,system/many@.service}
inside -q refresh
inside unmerge
is "unmerge stops all of them" "$calls" \
	"systemctl daemon-reload|systemctl --no-ask-password stop web.service db.service log.service"
inside merge --boot=early
is "at boot nobody is waited for, and the boot's target is looked at again" "$rc $(sed 's/|.*|/ .. /' <<<"$calls")" \
	"0 systemctl daemon-reload .. systemctl --no-ask-password --no-block start default.target"
inside unmerge --boot=early
is "and at its end units are left alone" "$rc $calls" "0 "
rm -r "$R/run/systemd"
mkdir "$R/run/openrc"
inside merge
is "OpenRC restarts and reloads services" "$rc $calls" \
	"0 rc-service --ifexists web restart|rc-service --ifexists db restart|rc-service --ifexists log reload"
inside -q unmerge
echo 1 >"$R/status/rc-service"
inside merge --json=short
is "what cannot be reloaded is restarted" "$(sed 's/.*log reload|//' <<<"$calls")" "rc-service --ifexists log restart"
is "each that fails is reported, once, and the merge stands" "$rc $(grep -c "Hook 'units' failed: /usr/bin/rc-service: exit status 1" <<<"$err") $(
	jq -c '[.hooks[] | select(.ok | not) | .name]' <<<"$out")" '0 3 ["units","units","units"]'
rm "$R/status/rc-service"
inside -q unmerge
mv "$R/run/openrc" "$R/run/runit"
inside merge
is "runit does too" "$calls" "sv -w 20 restart web|sv -w 20 restart db|sv -w 20 reload log"
inside -q unmerge
rm -r "$R/run/runit" "${X:?}"/*
mkdir -p "$R/run/systemd/system"
make_tree "$X/manager" manager manager ID=_any EXTENSION_RELOAD_MANAGER=1
inside merge
is "EXTENSION_RELOAD_MANAGER= reloads systemd" "$rc $calls" "0 systemctl daemon-reload"
inside unmerge
is "also when it goes" "$rc $calls" "0 systemctl daemon-reload"

# --- who does not want it (hook.3, hook.8) ---

inside merge --no-hooks
is "with --no-hooks nothing runs" "$rc $calls" "0 "
inside unmerge --no-hooks
is "neither does it when it goes" "$rc $calls" "0 "
printf '[sysext]\nHooks=no\n' >"$R/etc/extmerge.conf"
inside merge
is "nor with Hooks=no" "$rc $calls" "0 "
inside unmerge
is "which unmerge obeys as well" "$rc $calls" "0 "
printf '[confext]\nHooks=no\n' >"$R/etc/extmerge.conf"
inside merge
is "it is said for each class" "$rc $calls" "0 systemctl daemon-reload"
inside -q unmerge
rm "$R/etc/extmerge.conf"
: >"$R/calls"
em -q merge
em -q unmerge
is "for another root nothing runs" "$rc $(cat "$R/calls")" "0 "

# --- who has said so to the kernel (boot.1) ---

make_conf_tree "$C/conf" conf
merged() { # what a run at boot merges
	local hierarchy
	inside merge --boot=early
	for hierarchy in usr etc; do
		! grep -q " $R/$hierarchy .* - overlay extmerge:" /proc/self/mountinfo || printf '%s ' "$hierarchy"
	done
	inside -q unmerge
}
command_line quiet
is "at boot all is merged" "$(merged)" "usr etc "
command_line extmerge=0
is "but with extmerge=0" "$(merged)" ""
inside merge --boot=early
is "which is said, and no failure" "$rc $err" "0 Nothing is merged: the kernel's command line says so."
inside merge
is "and does not hold for who calls it by hand" "$rc $(cat "$R/usr/bin/manager")" "0 manager"
inside -q unmerge
command_line systemd.sysext=0
is "systemd.sysext=0 leaves confexts" "$(merged)" "etc "
command_line systemd.confext=no
is "systemd.confext=no leaves sysexts" "$(merged)" "usr "
command_line rd.extmerge=0
is "what is said for the initrd does not count" "$(merged)" "usr etc "
command_line rescue
inside merge --boot=early
is "nor is default.target started when the boot goes elsewhere" "$calls" "systemctl daemon-reload"
inside -q unmerge
command_line quiet
rm -r "$C/conf"

# --- programs that fail, talk, or call extmerge (hook.4) ---

echo 7 >"$R/status/systemctl"
printf 'some\033[31m\nwords\n' >"$R/said/systemctl"
inside merge
is "a hook that fails does not make the merge fail" "$rc $(cat "$R/usr/bin/manager")" "0 manager"
like "what it said is shown, without what a terminal obeys" "$err" "Hook 'units' failed: /usr/bin/systemctl: exit status 7: some.x1b\[31m words"
inside unmerge
rm "$R/status/systemctl" "$R/said/systemctl"
program systemctl
printf '#!/busybox sh\n/extmerge refresh --lock-wait=0 >>/calls 2>&1\n/busybox env >>/calls\nread x && echo "stdin: $x" >>/calls\nexit 0\n' >"$R/usr/bin/systemctl"
echo typed | inside merge
is "the lock is given up before" "$rc $(grep -c "^Nothing has changed" "$R/calls")" "0 1"
is "nothing of the caller's environment or input is handed on" "$(grep -vE '^(Nothing|PWD=|SHLVL=)' "$R/calls" | sort | paste -sd' ')" \
	"LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin"
rm -r "${X:?}"/*
inside -q refresh
program systemctl

# --- libraries (hook.5) ---

cat >"$R/usr/bin/ldconfig" <<'PROGRAM'
#!/busybox sh
/busybox echo "ldconfig $*" >>/calls
[ ! -e /status/ldconfig ] || exit 1
/busybox ls /usr/lib /usr/local/lib 2>/dev/null | /busybox grep '\.so' >"$3~"
/busybox mv "$3~" "$3"
PROGRAM
cache() { paste -sd' ' "$R/etc/ld.so.cache"; }
host_cache() { # what is on the host's own /etc, whatever is mounted over it
	mkdir -p "$T/below" && mount --bind "$R/etc" "$T/below" && cat "$T/below/ld.so.cache"; umount "$T/below"
}
put_library() { # EXTENSION FILE
	make_tree "$X/$1" "$1"
	put_file "$1" "usr/lib/$2"
}
put_library one libone.so.1
inside merge
is "where there is no cache none is made" "$rc $calls $(cat "$R/etc/ld.so.cache" 2>/dev/null)" "0  "
inside -q unmerge
echo "the host's" >"$R/etc/ld.so.cache"
before=$(stat -c '%i %Y %Z %s' "$R/etc/ld.so.cache")
inside merge
is "libraries make a new cache" "$rc $calls $(cache)" "0 ldconfig -X -C /run/extmerge/ld.so.cache libone.so.1"
is "the host's is what it was" "$(host_cache)" "the host's"
not_ok "nobody writes the new one" bash -c "echo x >>'$R/etc/ld.so.cache'"
put_library two libtwo.so.1
inside refresh
is "it is replaced" "$rc $(cache) $(grep -c 'ld.so.cache' /proc/self/mountinfo)" "0 libone.so.1 libtwo.so.1 1"
make_conf_tree "$C/conf" conf
inside refresh
is "it is seen in a merged /etc" "$rc $calls $(cache)" "0  libone.so.1 libtwo.so.1"
put_library three libthree.so.1
inside refresh
is "where it is replaced, too" "$rc $(cache)" "0 libone.so.1 libthree.so.1 libtwo.so.1"
rm -r "$C/conf"
inside refresh
is "and is the right one when the confext goes" "$rc $(cache)" "0 libone.so.1 libthree.so.1 libtwo.so.1"
: >"$R/status/ldconfig"
put_library four libfour.so.1
inside refresh
is "where ldconfig fails, the old cache stays" "$rc $(cache)" "0 libone.so.1 libthree.so.1 libtwo.so.1"
like "and it is said" "$err" "Hook 'libraries' failed"
rm "$R/status/ldconfig"
make_conf_tree "$C/conf" conf
inside refresh
rm -r "$X"/{one,two,three,four}
make_tree "$X/plain" plain
inside refresh
is "without libraries the host's is seen again" "$rc $calls $(cache)" "0  the host's"
inside unmerge
is "and nothing is left of it" "$rc $(cache) $(stat -c '%i %Y %Z %s' "$R/etc/ld.so.cache")" "0 the host's $before"
is "nor in /run" "$(ls "$R/run" | paste -sd" ")" "dbus extmerge.lock systemd udev"
is "nor mounted" "$(mounts_below "$R")" "$mounts_before"
put_library one libone.so.1
mount --bind "$R/etc/host.conf" "$R/etc/ld.so.cache"
inside merge
is "what somebody has mounted there stays" "$rc $(cache)" "0 host conf"
like "which is said" "$err" "somebody has mounted something"
inside unmerge
umount "$R/etc/ld.so.cache"
finish
