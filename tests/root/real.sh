#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Real extensions, made from Debian packages by tests/images.sh, over the machine's own tree: they are
# merged together, their programs run, one is replaced in use, and nothing of the machine changes.
#
# $EXTMERGE_IMAGES is the directory that keeps the images from one run to the next.
# shellcheck source=tests/lib.sh
. "${TESTS_DIR:?}/lib.sh"

if [ -z "${LIB_INSIDE-}" ] && [ "$(id -u)" = 0 ]; then
	: "${EXTMERGE_IMAGES:=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/extmerge-images}"
	export EXTMERGE_IMAGES
	"${BASH:-bash}" "$TESTS_DIR/images.sh" "$EXTMERGE_IMAGES"
	status=$?
	[ "$status" = 0 ] || { [ "$status" = 77 ] && exit 77; echo "tests/images.sh failed"; exit 1; }
fi
begin private

# The root is the machine's tree: its /usr, /opt and /etc, read-only; its own /var and /run are not in it.
M=$T/machine
mkdir -p "$M"/{usr,opt,etc,dev,proc,run,tmp,var/lib/extensions,var/lib/confexts}
for directory in bin sbin lib lib32 lib64 libx32; do
	[ ! -L "/$directory" ] || cp -P "/$directory" "$M/$directory"
done
for directory in usr opt etc; do
	mount --rbind "/$directory" "$M/$directory"
	mount --make-rprivate "$M/$directory"
	mount -o remount,bind,ro "$M/$directory"
done
mount --rbind /dev "$M/dev"
mount -t proc proc "$M/proc"

# What the machine has: every name with its type, size and times, and its mounts.
machine_print() {
	find /usr /opt /etc -xdev -printf '%p %y %s %m %T@ %C@\n' 2>/dev/null | sort | cksum
	cut -d' ' -f3- /proc/1/mountinfo | sort | cksum
}

# The images lie on a disk, as they would: erofs is mounted straight from there.
images=$DISK/images
mkdir -p "$images"
put() { # NAME FORMAT
	cp --reflink=auto "$EXTMERGE_IMAGES/$1.$2" "$images/$1.raw.new" && mv "$images/$1.raw.new" "$images/$1.raw"
}
mount --bind "$images" "$M/var/lib/extensions"
conf=$DISK/confexts
mkdir -p "$conf"
mount --bind "$conf" "$M/var/lib/confexts"

em() {
	out=$("$EXTMERGE" --root="$M" "$@" 2>"$T/stderr")
	rc=$?
	err=$(cat "$T/stderr")
	return $rc
}

inside=(chroot "$M" /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/tmp LC_ALL=C)

# The layers that have the file, uppermost first.
owners() { # PATH
	"$EXTMERGE" --root="$M" why --json=short "$1" | jq -r '[.layers[].name] | join(" ")'
}

before=$(machine_print)
put debug-tools squashfs
put docker squashfs
put k8s-node erofs
put net-cli erofs
put haproxy squashfs
cp "$EXTMERGE_IMAGES/haproxy-conf.erofs" "$conf/haproxy-conf.raw"

em plan --json=short
is "plan: a refresh would change something" $rc 10
plan=$out
is "all six extensions fit" "$(jq -r '[.extensions[] | select(.reason.code == null)] | length' <<<"$plan")" 6
em plan
like "plan says that k8s-node hides eleven files of docker" "$out" $'k8s-node [^\n]*docker \\(11\\)'

em merge
is "they are merged together" $rc 0
em status --json=short
is "in the order of their names, over the machine's own /usr" \
	"$(jq -r '.hierarchies[] | select(.path == "/usr") | [.layers[].name] | join(" ")' <<<"$out")" \
	"net-cli k8s-node haproxy docker debug-tools"
is "and the confext over /etc" \
	"$(jq -r '.hierarchies[] | select(.path == "/etc") | [.layers[].name] | join(" ")' <<<"$out")" haproxy-conf
em status
like "status says the same" "$out" $'k8s-node [^\n]*docker \\(11\\)'
is "why says whose runc it is" "$(owners /usr/sbin/runc)" "k8s-node docker"
for file in usr/bin/strace:debug-tools usr/sbin/dockerd:docker usr/bin/kubectl:k8s-node \
	usr/bin/htop:net-cli usr/sbin/haproxy:haproxy etc/haproxy/haproxy.cfg:haproxy-conf; do
	like "/${file%:*} is of ${file#*:}" "$(owners "/${file%:*}")" "^${file#*:}"
done

while read -r text program; do
	# shellcheck disable=SC2086
	like "$program runs" "$("${inside[@]}" $program 2>&1)" "$text"
done <<'END'
strace strace -V
GNU.gdb gdb --batch --version
ltrace ltrace --version
tcpdump tcpdump --version
Docker docker --version
containerd containerd --version
runc runc --version
Client kubectl version --client
conntrack conntrack --version
socat socat -V
htop htop --version
iperf iperf3 --version
mtr mtr --version
tmux tmux -V
HAProxy haproxy -v
Keepalived keepalived --version
END
like "the confext is what haproxy reads" "$("${inside[@]}" cat /etc/haproxy/haproxy.cfg)" "daemon"
is "the machine's own files are there as well" "$("${inside[@]}" readlink -f /etc/os-release)" "$(readlink -f /etc/os-release)"

# A program of an extension goes on running while that extension is replaced.
"${inside[@]}" strace -qq -o /dev/null sleep 100 &
strace_pid=$!
exec 8<"$M/usr/bin/gdb"
await runs $strace_pid strace
like "strace of the extension runs" "$(readlink "/proc/$strace_pid/exe")" '/usr/bin/strace$'

# Meanwhile somebody looks for a file of an unchanged extension and one of the machine, all the time.
: >"$T/looking"
(
	missing=0 n=0
	while [ -e "$T/looking" ]; do
		[ -e "$M/usr/sbin/dockerd" ] && [ -e "$M/usr/bin/env" ] || missing=$((missing + 1))
		n=$((n + 1))
	done
	echo "$missing" >"$T/missing"
	echo "$n" >"$T/looks"
) &
looker=$!
put debug-tools erofs
em refresh
is "an extension in use is replaced" $rc 0
like "it is said that it was updated" "$out$err" "debug-tools"
put net-cli squashfs
em refresh
is "and another" $rc 0
rm "$T/looking"
wait "$looker"
is "nothing was missing in between" "$(cat "$T/missing")" 0
ok "by more than a few looks" test "$(cat "$T/looks")" -gt 20
ok "the program of the old image still runs" kill -0 "$strace_pid"
is "the old image can be read by who has it open" "$(head -c 4 <&8 | tail -c 3)" ELF
like "the new one runs too" "$("${inside[@]}" strace -V 2>&1)" strace
em status --json=short
like "it is the new format" "$(jq -r '.hierarchies[0,1] | .layers[]? | select(.name == "debug-tools") | .format' <<<"$out")" erofs
em refresh
like "then there is nothing to do" "$err" "Nothing has changed"

em unmerge
is "unmerge while a program of theirs runs" $rc 0
not_ok "their files are gone" test -e "$M/usr/sbin/dockerd"
not_ok "and those of the confext" test -e "$M/etc/haproxy/haproxy.cfg"
# It blocks what would end it, but ends with what it traces.
# shellcheck disable=SC2046 # one word for each
kill $(<"/proc/$strace_pid/task/$strace_pid/children")
wait "$strace_pid" 2>/dev/null
exec 8<&-
is "no loop device is left" "$(loops_below "$DISK")" 0
is "the machine is as it was" "$(machine_print)" "$before"
finish
