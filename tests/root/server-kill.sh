#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The servers of merged trees that are written are killed, KILLS times (4; a long run has 200), while somebody reads from them and somebody
# writes: nobody hangs, no wrong byte is read, and after the next refresh all that was acknowledged is there (switch.15, overlay.12).
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
tools=${TESTS_BUILD_DIR:?}
[ -c /dev/fuse ] || { skip "servers that are killed" "there is no /dev/fuse"; finish; }
KILLS=${KILLS:-4}

# What is read: files of known bytes, of the host and of an extension, in both hierarchies. What is written: as tests/acked.c says.
files=$((KILLS < 20 ? 8000 : KILLS * 400)) # many more rounds than there are between two kills
make_tree "$X/one" one
make_conf_tree "$C/conf" conf
mkdir -p "$R/etc/w"/{made,moved,old,copied} "$R"/{usr,etc}/read "$X/one/usr/read" && touch "$R/etc/w/log" "$T/notes"
for ((i = 1; i <= files; i++)); do echo $i >"$R/etc/w/old/$i"; done
cp -r "$R/etc/w/old/." "$R/etc/w/copied"
for directory in "$R/usr/read" "$R/etc/read" "$X/one/usr/read"; do
	for i in {1..40}; do
		yes "${directory#"$R"} $i" | head -c $((i * 3000)) >"$directory/${directory//[^a-z]/_}$i"
	done
done
cat >"$T/reader.py" <<'END'
import errno, hashlib, os, signal, sys
known, reads, wrong = {}, 0, []
going = True
def stop(number, frame):
    global going
    going = False
def files():
    for top in sys.argv[2:]:
        for name in os.listdir(top):
            yield os.path.join(top, name)
def digest(path):
    with open(path, 'rb', buffering=0) as f:
        return hashlib.sha256(f.read()).digest()
def say():
    with open(sys.argv[1] + '.new', 'w') as f:
        print(reads, len(known), *wrong, file=f)
    os.rename(sys.argv[1] + '.new', sys.argv[1])
signal.signal(signal.SIGTERM, stop)
known = {path: digest(path) for path in files()}
while going:
    for path in known:
        try:
            reads += digest(path) == known[path]
            if digest(path) != known[path]:
                wrong.append(path)
        except OSError as e:
            if e.errno not in (errno.ENOTCONN, errno.ECONNABORTED):
                wrong.append('%s:%s' % (path, errno.errorcode[e.errno]))
    say()
END
servers() {
	em status --json=short
	jq -r '.hierarchies[].server // empty' <<<"$out"
}
reads() {
	awk '{ print $1 }' "$T/reads" 2>/dev/null || echo 0
}
has_read() { # MORE-THAN
	[ "$(reads)" -gt "$1" ]
}
has_written() { # BYTES-MORE-THAN
	[ "$(stat -c %s "$T/notes")" -gt "$1" ]
}

em merge --backend=fuse --mutable=yes
is "merged" "$rc $(servers | wc -l)" "0 3"

# The kernel must ask for a directory's attributes after a change in it, and a server that is dead does not say.
cat >"$T/change.py" <<'END'
import os, sys
old = os.open(sys.argv[1], os.O_PATH)
os.close(os.open('1', os.O_WRONLY, dir_fd=old))
for pid in sys.argv[2:]:
    os.kill(int(pid), 9)
END
# shellcheck disable=SC2046 # several
python3 "$T/change.py" "$R/etc/w/old" $(servers)
em refresh --backend=fuse --mutable=yes
is "servers that have just changed the root of their tree" "$rc $(grep error <<<"$err")" "0 "
is "are replaced" "$(servers | wc -l) $(cat "$R/etc/w/old/1")" "3 1"
setsid python3 "$T/reader.py" "$T/reads" "$R/usr/read" "$R/etc/read" &
reader=$!
wrong=
for ((kill = 0; kill < KILLS; kill++)); do
	before=$(reads)
	await has_read "${before:-0}" || wrong+="round $kill: nobody reads "
	pids=$(servers)
	last=$(tail -c 4 "$T/notes" | od -An -tu4 | tr -d ' ')
	timeout 60 "$tools/acked" change "$R/etc/w" "$T/notes" $((${last:-0} + 1)) &
	writer=$!
	await has_written $(($(stat -c %s "$T/notes") + 400)) || wrong+="round $kill: nobody writes "
	# shellcheck disable=SC2086 # several
	kill -KILL $pids
	wait "$writer" || wrong+="round $kill: the writer hangs "
	before=$(reads)
	em status --json=short
	dead=$(jq -c '[.hierarchies[].dead]' <<<"$out")
	[ "$dead" = "[true,true,true]" ] || wrong+="round $kill: status says $dead "
	em refresh --backend=fuse --mutable=yes
	[ "$rc $(servers | wc -l)" = "0 3" ] || wrong+="round $kill: $rc $err "
	await has_read "$before" || wrong+="round $kill: the reader hangs "
	said=$(timeout 60 "$tools/acked" check "$R/etc/w" "$T/notes") || wrong+="round $kill: $said "
done
is "the servers were killed $KILLS times, nobody hung, and what was acknowledged was there" "$wrong" ""
like "which was something" "$said" "^[1-9][0-9]+ rounds, 0 wrong"
kill -TERM "$reader"
ok "the reader ends" await ended "$reader"
wait "$reader"
like "it has read no wrong byte, and met no other error" "$(cat "$T/reads")" "^[1-9][0-9]* 120$"
em unmerge
is "unmerge leaves nothing" "$rc $(mounts_below "$R")" "0 0"
finish
