#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A real service: haproxy of Debian, an extension that only it sees, with a confext of its own, reloaded again and again
# with another one while others ask it for pages (specs: service.4, service.5).
#
# RELOADS (1000) is how often; on a machine that is so slow that five minutes are over, less often. $EXTMERGE_IMAGES has the images of tests/images.sh.
# shellcheck source=tests/lib.sh
. "${TESTS_DIR:?}/lib.sh"
readers=${TESTS_BUILD_DIR:?}/readers

if [ -z "${LIB_INSIDE-}" ] && [ "$(id -u)" = 0 ]; then
	: "${EXTMERGE_IMAGES:=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/extmerge-images}"
	export EXTMERGE_IMAGES
	"${BASH:-bash}" "$TESTS_DIR/images.sh" "$EXTMERGE_IMAGES"
	status=$?
	[ "$status" = 0 ] || { [ "$status" = 77 ] && exit 77; echo "tests/images.sh failed"; exit 1; }
fi
begin processes
reloads=${RELOADS:-1000}

mount -t tmpfs -o mode=755 run /run
for place in /etc/extensions /var/lib/extensions /var/lib/confexts /usr/local/lib/confexts /usr/lib/confexts /etc/verity.d \
	/etc/extmerge.conf.d /{etc,var/lib}/extensions.d /{var/lib,usr/lib,usr/local/lib}/confexts.d; do
	[ ! -d "$place" ] || mount -t tmpfs -o mode=755 empty "$place"
done
mkdir -p /run/extensions.d/lb /run/confexts.d/{lb,other} "$T/conf"
cp "$EXTMERGE_IMAGES/haproxy.erofs" /run/extensions.d/lb/haproxy.raw

# Version N of the service's configuration: a confext of its own, with a file that is new and one that is always there.
conf() { # N
	make_conf_tree "$T/conf/$1" xm-lb "$1"
	mkdir -p "$T/conf/$1/etc/xm-lb"
	echo "$1" >"$T/conf/$1/etc/xm-lb/version"
	echo "$1" >"$T/conf/$1/etc/xm-lb/only-$1"
	cat >"$T/conf/$1/etc/xm-lb/haproxy.cfg" <<-END
		global
		    stats socket $T/admin mode 600 level admin expose-fd listeners
		defaults
		    mode http
		    timeout client 10s
		    timeout server 10s
		    timeout connect 10s
		frontend web
		    bind unix@$T/web mode 666
		    http-request return status 200 content-type text/plain string "version $1"
	END
	ln -sfn "$T/conf/$1" /run/confexts.d/lb/xm-lb
}
page() {
	curl -s --max-time 5 --unix-socket "$T/web" http://lb/ 2>/dev/null
}
# The new configuration is read when a worker of it answers. On a busy machine haproxy may be told while it is still busy with
# the last reload, and forget it: then it is told again.
until_version() { # N
	local i
	for ((i = 1; i < 500; i++)); do
		[ "$(page)" != "version $1" ] || return 0
		[ $((i % 50)) != 0 ] || [ "$1" = 0 ] || kill -USR2 "$lb"
		sleep 0.02
	done
	return 1
}
command -v curl >/dev/null || { skip "a real service is reloaded" "there is no curl"; finish; }

conf 0
make_conf_tree /run/confexts.d/other/xm-other xm-other
"$EXTMERGE" -q run --service=other -- sleep 3600 &
other=$!
"$EXTMERGE" -q run --service=lb -- haproxy -W -f /etc/xm-lb/haproxy.cfg >"$T/haproxy.log" 2>&1 &
lb=$!
if ! until_version 0; then
	if grep -q 'error while loading shared libraries' "$T/haproxy.log"; then
		skip "a real service is reloaded" "haproxy of $EXTMERGE_IMAGES does not run here"
		finish
	fi
	sed 's/^/# /' "$T/haproxy.log"
fi
is "the service is started from its own extension, with its own configuration" "$(page)" "version 0"
is "nobody else sees either" "$(ls /usr/sbin/haproxy /etc/xm-lb 2>/dev/null; nsenter -m -t "$other" ls /etc/xm-lb 2>/dev/null)" ""
before=$(nsenter -m -t "$other" sh -c 'cd /etc && find . -xdev -printf "%p %s %i %T@\n" | sort | cksum; cat /proc/self/mountinfo')
host=$(cat /proc/self/mountinfo)

"$readers" 1 "unix:$T/web" >"$T/requests" &
asking=$!
nsenter -m -t "$lb" "$readers" 1 /etc/xm-lb/version /etc/xm-lb/haproxy.cfg /usr/sbin/haproxy /etc/passwd >"$T/files" &
opening=$!
wrong=''
end=$((SECONDS + 300))
for ((i = 1; i <= reloads && SECONDS < end; i++)); do
	conf $i
	"$EXTMERGE" -q refresh --pid=$lb || wrong+="$i: exit status $? "
	seen=$(nsenter -m -t $lb cat /etc/xm-lb/version /etc/xm-lb/only-$i 2>&1 | paste -sd' ')
	[ "$seen" = "$i $i" ] || wrong+="$i: $seen "
	kill -USR2 $lb
	until_version $i || wrong+="$i: $(page) "
	rm -rf "$T/conf/$((i - 1))"
done
reloads=$((i - 1))
kill -TERM $asking $opening && wait $asking $opening
read -r requests failed <"$T/requests"
read -r opens missed <"$T/files"
echo "# $reloads reloads, $requests requests, $opens opens"
is "$reloads reloads with another configuration each time: each is seen, and read" "$wrong" ""
is "of all requests, none failed" "$failed" 0
ok "and those were many" [ "$requests" -gt $((reloads * 2)) ]
is "no file of its configuration, its program or the host was missing" "$missed" 0
is "another service's /etc and mounts are what they were" \
	"$(nsenter -m -t "$other" sh -c 'cd /etc && find . -xdev -printf "%p %s %i %T@\n" | sort | cksum; cat /proc/self/mountinfo')" "$before"
is "and so are the host's" "$(cat /proc/self/mountinfo)" "$host"
is "in its namespace, one tree for each hierarchy is left" "$(grep -c ' - overlay extmerge:.*@lb' /proc/$lb/mountinfo)" 2
like "an image that cannot be merged fails the reload and keeps the old ones" "$(
	echo damaged >/run/extensions.d/lb/haproxy.raw.new && mv /run/extensions.d/lb/haproxy.raw.new /run/extensions.d/lb/haproxy.raw
	"$EXTMERGE" --strict -q refresh --pid=$lb
	echo "$? $(page) $(nsenter -m -t $lb ls /usr/sbin/haproxy)"
)" "^3 version $reloads /usr/sbin/haproxy"
kill $lb $other
wait $lb $other 2>/dev/null
await loops_are "$T" 0
is "with the service its trees and loop devices are gone" "$(grep -lE 'extmerge:[^ ]*@(lb|other)' /proc/[0-9]*/mountinfo 2>/dev/null | wc -l) $(loops_below "$T")" "0 0"
finish
