#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Hooks of a run that was killed before they had run: the next one runs them (specs: hook.10). The hooks kill it themselves.
# shellcheck disable=SC2154 # what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin processes
. "${TESTS_DIR:?}/root/inside.bash"

# A program that notes its call; and kills extmerge, or waits for ever, if it is told to.
program() { # NAME
	printf '#!/busybox sh\n/busybox echo "%s $*" >>/calls\n[ ! -e /kill/%s ] || /busybox kill -9 $PPID\n[ ! -e /slow/%s ] || exec /busybox sleep 1000\n' \
		"$1" "$1" "$1" >"$R/usr/bin/$1"
	chmod 755 "$R/usr/bin/$1"
}
inside() { # VERB...
	: >"$R/calls"
	out=$(chroot "$R" /extmerge "$@" 2>/dev/null)
	rc=$?
	calls=$(sed 's/ $//' "$R/calls" | paste -sd'|')
	return $rc
}
notes() {
	ls "$R/run/extmerge/due" 2>/dev/null | wc -l
}
make_running_root
mkdir -p "$R"/{kill,slow,run/udev,run/systemd/system}
: >"$R/run/udev/control"
for name in systemd-sysusers systemd-tmpfiles udevadm systemctl; do program $name; done
make_all() { # NAME
	make_tree "$X/$1" "$1" "$1" ID=_any "EXTENSION_RESTART_UNITS=$1.service"
	mkdir -p "$X/$1"/usr/lib/{sysusers.d,tmpfiles.d,udev/rules.d,systemd/system}
	: >"$X/$1/usr/lib/sysusers.d/$1.conf"
	: >"$X/$1/usr/lib/tmpfiles.d/$1.conf"
	: >"$X/$1/usr/lib/udev/rules.d/60-$1.rules"
	: >"$X/$1/usr/lib/systemd/system/$1.service"
}
all_of() { # NAME
	echo "systemd-sysusers $1.conf|systemd-tmpfiles --create $1.conf|udevadm control --reload|udevadm trigger --action=change|systemctl daemon-reload|systemctl --no-ask-password restart $1.service"
}

make_all web
: >"$R/kill/systemd-sysusers"
inside merge
is "a run is killed by its first hook" "$rc $calls $(cat "$R/usr/bin/web")" "137 systemd-sysusers web.conf web"
rm "$R/kill/systemd-sysusers"
inside refresh --no-hooks
is "--no-hooks leaves them" "$rc $calls $(notes)" "0  1"
inside refresh --boot=early
is "so does an early boot" "$rc $calls $(notes)" "0  1"
inside refresh --json=short
is "the next run, which has nothing else to do, runs all of them" "$rc $calls" "0 $(all_of web)"
is "and says so" "$(jq -c '[.changed, .hooks[0].name]' <<<"$out")" '[false,"users"]'
is "then nothing is left" "$(ls "$R/run/extmerge" 2>/dev/null)" ""
inside refresh
is "and they are not run again" "$rc $calls" "0 "

# What is due comes together with what the next run itself asks for; killed in the middle, all of it is due again.
make_all log
: >"$R/kill/systemd-sysusers"
inside -q refresh
rm "$R/kill/systemd-sysusers"
rm -r "$X/web"
: >"$R/kill/udevadm"
inside -q refresh
is "the next run is killed by its third hook" "$rc $(notes)" "137 1"
rm "$R/kill/udevadm"
inside -q refresh
is "the one after it runs the hooks of both" "$rc $calls" \
	"0 $(all_of log | sed 's/|systemctl --no/|systemctl --no-ask-password stop web.service&/')"
: >"$R/kill/udevadm"
inside -q unmerge
rm "$R/kill/udevadm"
is "an unmerge is killed, too" "$rc $calls" "137 udevadm control --reload"
inside unmerge
is "the next one has nothing to take away, and tells them" "$rc $calls" \
	"0 udevadm control --reload|udevadm trigger --action=change|systemctl daemon-reload|systemctl --no-ask-password stop log.service"

# Who is still at it is left alone.
: >"$R/slow/udevadm"
: >"$R/calls"
chroot "$R" /extmerge -q merge &
first=$!
await grep -q udevadm "$R/calls"
inside refresh
is "the hooks of a run that lives are its own" "$rc $calls $(notes)" "0  1"
rm "$R/slow/udevadm"
kill -9 $first
wait $first 2>/dev/null
inside -q refresh
is "until it is killed" "$rc $calls" "0 $(all_of log)"

# A run that changes nothing leaves nothing.
make_all db
mount -t tmpfs cover "$R/usr"
mkdir "$R/usr/bin" && cp /bin/true "$R/usr/bin/"
inside -q refresh
umount "$R/usr"
is "a run that fails leaves no hooks" "$rc $(notes)" "1 0"
inside -q refresh
is "they are those of the run that does not" "$rc $calls" "0 $(all_of db)"
make_all idle
: >"$R/kill/systemd-sysusers"
inside -q refresh
rm "$R/kill/systemd-sysusers"
make_all late
mount -t tmpfs cover "$R/usr"
mkdir "$R/usr/bin" && cp /bin/true "$R/usr/bin/"
inside -q refresh
umount "$R/usr"
is "but what another has left stays" "$rc $(notes)" "1 1"
inside -q refresh
like "for the one that does not fail, and nothing else" "$rc $calls" "^0 systemd-sysusers late.conf idle.conf\|.* restart late.service idle.service$"

# Notes that nobody of us has written.
mkdir -p "$R/run/extmerge/due"
printf 'triggers users nonsense\nusers ../x.conf\nusers -x\nusers a b\nusers good.conf\nrestart $(x).service\nrestart ok.service\nnonsense\n\ntmpfiles half' \
	>"$R/run/extmerge/due/999999 1"
inside -q refresh
is "of a note only what makes sense is taken" "$rc $calls" \
	"0 systemd-sysusers good.conf|systemctl daemon-reload|systemctl --no-ask-password stop ok.service"
mkdir -p "$R/run/extmerge/due"
cp /bin/true "$R/run/extmerge/due/999999 1"
inside -q refresh
is "of one that is no text nothing" "$rc $calls" "0 "
mkdir -p "$R/run/extmerge/due"
echo "triggers udev" >"$R/run/extmerge/due/999999 1"
chmod 777 "$R/run/extmerge/due"
inside -q refresh
is "where others may write nothing is read" "$rc $calls" "0 "
rm -r "$R/run/extmerge"
mount -t tmpfs -o ro full "$R/run"
mkdir -p "$R/run/systemd" 2>/dev/null
inside -q unmerge
is "without a /run that can be written all is as before" "$rc $(ls "$R/usr/bin/log" 2>/dev/null)" "0 "
finish
