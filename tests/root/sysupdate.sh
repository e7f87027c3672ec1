#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What systemd-sysupdate tells when an update has landed: by hand, and by the real one of Debian sid (specs: boot.9).
# shellcheck disable=SC2154 # rc, R, X: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin

completed='{"method":"io.systemd.SysUpdate.Notify.OnCompletedUpdate","parameters":{"component":null,"version":"2","resources":[]}}'
call() { # TEXT: $said is the answer, with # for the NUL at its end
	said=$(printf '%s\0' "$1" | "$EXTMERGE" --root="$R" sysupdate-notify 2>"$T/stderr" | tr '\0' '#')
	err=$(cat "$T/stderr")
}
make_tree "$X/tool" tool 1
call "$completed"
is "an update that has landed is merged" "$said $(cat "$R/usr/bin/tool")" '{"parameters":{}}# 1'
call "$completed"
is "one that has nothing for us is fine" "$said" '{"parameters":{}}#'
like "and does nothing" "$err" "Nothing has changed"
call "{\"oneway\":true,${completed#?}"
is "who wants no answer gets none" "$said" ""
mkdir -p "$R/etc" && printf '[Extmerge]\nTrust=never\n' >"$T/bad.conf"
mkdir -p "$R/run/extmerge.conf.d" && cp "$T/bad.conf" "$R/run/extmerge.conf.d/"
call "$completed"
is "a refresh that fails is told" "$said" '{"error":"io.extmerge.RefreshFailed","parameters":{"exitStatus":2}}#'
rm -r "$R/run/extmerge.conf.d"
call '{"method":"org.varlink.service.GetInfo"}'
is "there is no other method" "$said" '{"error":"org.varlink.service.MethodNotFound","parameters":{}}#'
for bad in '' '{}' 'GET / HTTP/1.0' "$completed$completed"; do
	call "$bad"
	is "what is no call has no answer: '${bad:0:14}'" "$said" ""
done
"$EXTMERGE" --root="$R" sysupdate-notify </dev/null >/dev/null 2>&1
is "nor has nothing" $? 2
head -c 1100000 /dev/zero | tr '\0' ' ' | "$EXTMERGE" --root="$R" sysupdate-notify >/dev/null 2>&1
is "nor what has no end" $? 2

# --- a socket; who calls is told by it ---
serve() { # by socket-activate, as the unit does
	rm -f "$T/socket"
	systemd-socket-activate --accept --inetd --listen="$T/socket" "$EXTMERGE" --root="$R" sysupdate-notify >"$T/log" 2>&1 &
	server=$!
	await test -S "$T/socket"
	chmod 666 "$T/socket"
}
over_socket() { # UID
	setpriv --reuid="$1" --clear-groups perl -MIO::Socket::UNIX -e '
		my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die $!;
		print $s "$ARGV[1]\0"; $s->flush; local $/ = "\0"; my $a = <$s>; chop $a; print $a' "$T/socket" "$completed"
}
if command -v systemd-socket-activate >/dev/null && command -v perl >/dev/null; then
	make_tree "$X/tool" tool 2
	serve
	is "root is heard" "$(over_socket 0) $(cat "$R/usr/bin/tool")" '{"parameters":{}} 2'
	make_tree "$X/other" other
	is "nobody else is" "$(over_socket 65534) $(layers usr)" '{"error":"org.varlink.service.PermissionDenied","parameters":{}} tool'
	rm -r "$X/other"
	kill $server
else
	skip "a socket" "there is no systemd-socket-activate, or no perl"
fi

# --- the real one ---
sid=$("$TESTS_DIR/sid.sh") || sid=''
sysupdate=$sid/usr/lib/systemd/systemd-sysupdate
if [ -n "$sid" ] && [ -x "$sysupdate" ] && command -v systemd-socket-activate >/dev/null; then
	mount -t tmpfs run /run
	mkdir -p /run/systemd/sysupdate/notify "$T/source" "$T/sysupdate.d"
	make_tree "$T/source/tool_4" tool 4
	rm -r "$X/tool"
	printf '%s\n' '[Transfer]' 'Verify=no' '[Source]' 'Type=directory' "Path=$T/source" 'MatchPattern=tool_@v' \
		'[Target]' 'Type=directory' "Path=$X" 'MatchPattern=tool_@v' >"$T/sysupdate.d/50-tool.transfer"
	serve
	ln -s "$T/socket" /run/systemd/sysupdate/notify/io.extmerge
	libraries=$sid/usr/lib/x86_64-linux-gnu
	"$sid/usr/lib64/ld-linux-x86-64.so.2" --library-path "$libraries:$libraries/systemd" "$sysupdate" --definitions="$T/sysupdate.d" update >"$T/out" 2>&1
	is "systemd-sysupdate: what it brings is merged when it ends" "$? $(cat "$R/usr/bin/tool")" "0 4" ||
		sed 's/^/# /' "$T/out" "$T/log"
	kill $server
else
	skip "systemd-sysupdate" "there is none of sid"
fi
em unmerge
finish
