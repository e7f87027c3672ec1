#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The verified file under bad luck and bad manners: flipped bits, hostile readers, little memory, death.
. "${TESTS_DIR:?}/lib.sh"
begin
# shellcheck source=tests/root/verified.bash
. "${TESTS_DIR}/root/verified.bash"
hostile=${TESTS_BUILD_DIR}/hostile
make_contents
make_verity "$T/erofs"

# One bit anywhere: never a wrong byte; and where the bit is used, it is seen.
flips() { # N FILE FROM TO: "WRONG UNSEEN", how many of N flips gave a wrong page, and were not noticed
	local n=$1 file=$2 from=$3 to=$4 wrongs=0 unseen=0 at
	while ((n-- > 0)); do
		at=$((from + (RANDOM << 15 | RANDOM) % (to - from)))
		flip "$file" $at
		read -r right wrong missing < <(judge)
		flip "$file" $at
		[[ $right != *: ]] || wrong=0 missing=$pages # refused from the beginning
		[ "$wrong" = 0 ] || { wrongs=$((wrongs + 1)) && echo "# wrong with byte $at of $file" >&2; }
		[ "$missing" != 0 ] || unseen=$((unseen + 1))
	done
	echo "$wrongs $unseen"
}
is "700 bits of the data: all are seen" "$(flips 700 "$I/data" 0 "$size")" "0 0"
is "250 bits of the tree: all are seen" "$(flips 250 "$I/tree" 4096 "$(stat -c %s "$I/tree")")" "0 0"
# What is there of it is used but for the UUID, and the rest of the salt's and the algorithm's room.
like "100 bits of the superblock: never a wrong byte" "$(flips 100 "$I/tree" 0 512)" "^0 "

# --- readers ---

ok "hostile readers see nothing but the image" with -- timeout 300 "$hostile" /proc/self/fd/9 "$I/good" 6 3000
for loop in --loop --loop=cached; do
	ok "nor those of what is mounted from it, $loop" with $loop --mount="erofs:$T/m" -- \
		timeout 300 "$hostile" "$T/m/usr/random" "$T/content/usr/random" 6 1000
	umount "$T/m"
done
is "which is still whole afterwards" "$(with -- bash -c "'$hostile' /proc/self/fd/9 '$I/good' 4 500 >/dev/null
	'${TESTS_BUILD_DIR}/judge' /proc/self/fd/9 '$I/good'")" "$pages 0 0"

# --- limits: it works, or says why not ---

limited() { # KILOBYTES FILES
	(ulimit -v "$1" -n "$2"
	with -- "${TESTS_BUILD_DIR}/judge" /proc/self/fd/9 "$I/good" 2>&1)
}
tried='' bad=''
for kilobytes in 6000 12000 16000 20000 30000 80000; do
	for files in 6 10 14 20 40; do
		! sanitized || continue
		out=$(limited $kilobytes $files)
		case $out in
		"$pages 0 0") tried+=" works" ;;
		E[A-Z]*:* | *"error while loading"* | *"annot allocate"* | "") tried+=" refused" ;;
		*) bad+=" $kilobytes/$files: $out" ;;
		esac
	done
done
if sanitized; then
	skip "with little address space and few fds" "sanitizers need more"
else
	is "with little address space and few fds" "$bad" ""
	like "it works sometimes" "$tried" works
	like "and is refused sometimes" "$tried" refused
	ok "no server is left" no_servers
fi

# Little memory: all that is read must be thrown away again, by the server as well.
head -c 96M /dev/urandom >"$I/large"
make_verity "$I/large"
rm "$I/large"
group=/sys/fs/cgroup/memory/extmerge-test.$$ limit=memory.limit_in_bytes
[ -d /sys/fs/cgroup/memory ] || group=/sys/fs/cgroup/extmerge-test.$$ limit=memory.max
if ! sanitized && mkdir $group 2>/dev/null && echo 24M >$group/$limit 2>/dev/null; then
	is "in a group with less memory than the image" "$(echo $BASHPID >$group/cgroup.procs
		with -- timeout 300 bash -c "cat /proc/self/fd/9 >/dev/null
			'${TESTS_BUILD_DIR}/judge' /proc/self/fd/9 '$I/good'")" "$pages 0 0"
	ok "no server is left" no_servers
else
	skip "in a group with less memory than the image" "there is no memory cgroup here, or a sanitizer"
fi
[ ! -d $group ] || rmdir $group

# --- the server's death: an error at once, and nothing left (vfile.15) ---

for how in erofs "erofs --loop" "squashfs --loop=cached"; do
	format=${how% *} loop=${how#"${how%% *}"}
	make_verity "$T/$format"
	# shellcheck disable=SC2086 # an option or none
	with --mount="$format:$T/m" $loop -- ls "$T/m" >/dev/null
	kill -KILL "$(servers)"
	ok "$how: the server is gone" no_servers
	out=$(timeout 20 cat "$T/m/usr/random" 2>&1 >/dev/null)
	is "readers are told at once" "$? $(grep -c . <<<"$out")" "1 1"
	ok "and the mount can be taken away" timeout 20 umount "$T/m"
done
# A server that is stopped holds them; whoever has not begun to wait when it dies is told as well.
is "readers who wait are told too" "$(with -- timeout 60 bash -c "
	kill -STOP \$(pgrep -f '^@extmerge-fuse image --root=$hash')
	for i in 1 2 3; do { dd if=/proc/self/fd/9 bs=4096 skip=\$((i * 40)) count=1 >/dev/null 2>&1; echo \$?; } & done
	sleep 0.5
	kill -KILL \$(pgrep -f '^@extmerge-fuse image --root=$hash')
	wait" | paste -sd' ')" "1 1 1"
ok "no server is left" no_servers
ok "no loop device is left either" no_loops

# Killed at any moment, under readers: no wrong byte, and nobody waits.
make_verity "$T/erofs"
begun_or_ended() { grep -qxs begun "$T/hostile" || ended "$1"; }
hangs=0
for ((i = 0; i < 40; i++)); do
	: >"$T/hostile"
	with -- timeout 60 "$hostile" /proc/self/fd/9 "$I/good" 3 1000000 dying >"$T/hostile" 2>&1 &
	reader=$!
	await begun_or_ended $reader
	sleep 0.$((RANDOM % 90 + 10))
	kill -KILL "$(servers)"
	wait $reader || { status=$? hangs=$((hangs + 1)) && sed "s/^/# $status: /" "$T/hostile"; }
	await not_served
done
is "40 deaths under readers: no wrong byte, no hang" $hangs 0
ok "nothing is left of them" no_servers
# Who starts it may be killed at any moment, too: the server sees that nobody needs it.
for ((i = 0; i < 120; i++)); do
	printf -v moment 0.%03d $((RANDOM % 60 + 1))
	timeout -s KILL $moment "$attach" --server="$server" --after=$((i % 2 * 20)) --workshop "$I/data" "$I/tree" "$hash" sleep 1
done 2>/dev/null
ok "120 deaths of who starts it: no server is left" no_servers
finish
