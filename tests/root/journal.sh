#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a unit's run leaves in the journal, and tells the service manager (specs: log.1, log.3, log.4).
. "${TESTS_DIR:?}/lib.sh"
begin
. "${TESTS_DIR:?}/root/inside.bash"
command -v python3 >/dev/null || { skip "the journal" "there is no python3"; finish; }
make_running_root
mkdir -p "$R/run/systemd/journal"

# Hears datagrams at two sockets, each written to a file with a mark between them; the last is one of ours.
cat >"$T/hear.py" <<'PROGRAM'
import select, socket, sys
sockets = []
for path in sys.argv[1:3]:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    sockets.append(s)
print("ready", flush=True)
while True:
    for s in select.select(sockets, [], [])[0]:
        data = s.recv(65536)
        if data == b"end":
            sys.exit(0)
        print(data.decode(errors="replace").rstrip("\n"), "--", sep="\n", flush=True)
PROGRAM
journal=$R/run/systemd/journal/socket notify=$R/run/notify
as_unit() { # VERB...
	rm -f "$journal" "$notify"
	: >"$T/heard"
	python3 "$T/hear.py" "$journal" "$notify" >"$T/heard" &
	local hearer=$!
	until grep -qs ready "$T/heard"; do sleep 0.05; done
	: >"$T/stream"
	NOTIFY_SOCKET=/run/notify JOURNAL_STREAM=$(stat -c '%d:%i' "$T/stream") chroot "$R" /extmerge "$@" 2>"$T/stream"
	rc=$?
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"end", sys.argv[1])' "$journal"
	wait $hearer
	heard=$(sed 1d "$T/heard")
}
# An entry that has all of these lines.
ok_entry() { # NAME LINE...
	local name=$1 entry line found
	shift
	while IFS= read -r -d $'\x01' entry; do
		found=yes
		for line; do grep -qxF -- "$line" <<<"$entry" || found=''; done
		[ -z "$found" ] || { result ok "$name"; return; }
	done < <(sed 's/^--$/\x01/' <<<"$heard")
	result "not ok" "$name"
	sed 's/^/#   /' <<<"$heard"
}
make_tree "$X/tool_1.2" tool
make_tree "$X/odd" odd odd ID=other
make_tree "$X/all" all
mkdir -p "$X/all/usr/lib/sysusers.d"
echo >"$X/all/usr/lib/sysusers.d/all.conf"
printf '#!/busybox sh\necho no such luck\nexit 9\n' >"$R/usr/bin/systemd-sysusers"
chmod 755 "$R/usr/bin/systemd-sysusers"
as_unit merge
is "nothing goes to stderr, which is the journal" "$rc $(cat "$T/stream")" "0 "
ok_entry "an extension was merged" MESSAGE_ID=a8a3b2fecef34e56840f504f33065fda EXTMERGE_NAME=tool EXTMERGE_VERSION=1.2 \
	EXTMERGE_CLASS=sysext EXTMERGE_TRUST=unprotected EXTMERGE_GENERATION=1 EXTMERGE_PATH=/var/lib/extensions/tool_1.2 \
	"MESSAGE=Merged tool 1.2 (sysext, unprotected)" PRIORITY=6 SYSLOG_IDENTIFIER=extmerge
ok_entry "one was skipped" MESSAGE_ID=6a0f1b09403a4c5690ec6a8e09e2ed3f EXTMERGE_NAME=odd EXTMERGE_CODE=wrong-id PRIORITY=4
ok_entry "a hook failed" MESSAGE_ID=8d9c3c936f8e4344b9e7d16845d78c67 EXTMERGE_HOOK=users \
	EXTMERGE_PROGRAM=/usr/bin/systemd-sysusers "EXTMERGE_REASON=exit status 9: no such luck"
ok_entry "the service manager is told how it is" "STATUS=Layers: /usr 2; 1 extension skipped"
as_unit refresh
is "a refresh without changes leaves one line" "$rc $(grep -c SYSLOG_IDENTIFIER= <<<"$heard")" "0 1"
ok_entry "which says so" "MESSAGE=Nothing has changed."
ok_entry "and the same status" "STATUS=Layers: /usr 2; 1 extension skipped"
rm -r "$X/tool_1.2" "$X/all"
mkdir -p "$R/etc/verity.d"
openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out "$R/etc/verity.d/x.crt" -subj /CN=x -days 2 2>/dev/null
make_tree "$X/unsigned" unsigned
as_unit refresh
ok_entry "an extension went" MESSAGE_ID=7325289eba90405ebae3d8a1708b6696 EXTMERGE_NAME=tool EXTMERGE_VERSION=1.2
ok_entry "one was refused" MESSAGE_ID=fb909c8b84dd4a1b93a2e25f2dc97eb3 EXTMERGE_NAME=unsigned EXTMERGE_CODE=unsigned
ok_entry "nothing is merged now" "STATUS=Nothing is merged"
as_unit nonsense
ok_entry "errors go there, too" "MESSAGE=Unknown verb 'nonsense'" PRIORITY=3
finish
