#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# How a union gives out data (union.17): by the server, or by the kernel from the layers' files.
# shellcheck disable=SC2154 # tools, union: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin_union
mkdir a b o u
head -c 3000000 /dev/urandom >b/data
for i in {1..300}; do echo "file $i" >"b/f$i"; done
echo above >a/f1

try_mount() { # OPTIONS
	umount -q u
	timeout 30 "$union" "$T/u" -o "$1"
}
server() {
	pgrep -f "^@extmerge-fuse union .* -- $T/u\$"
}
how() {
	getfattr -n trusted.extmerge.io --only-values u 2>/dev/null
}

# Whether what is open can be read while the server does not answer.
reads_without_server() { # FILE
	local rc

	exec 5<"$1"
	kill -STOP "$(server)"
	timeout 2 cat <&5 >/dev/null
	rc=$?
	exec 5<&-
	kill -CONT "$(server)"
	return $rc
}

# --- cached, which works everywhere ---

ok "cached: mounted" try_mount lowerdir=a:b,io=cached
is "cached: it says so" "$(how)" "cached"
ok "cached: the same data" cmp u/data b/data
is "cached: the uppermost" "$(cat u/f1)" "above"
is "the attribute is not listed" "$(getfattr -d -m - u 2>&1)" ""
is "and not for everybody" "$(setpriv --reuid 12345 --clear-groups getfattr -n trusted.extmerge.io u 2>&1 | grep -c 'No such attribute\|not supported')" "1"
fresh_file=u/f250
not_ok "cached: the server is asked for data" reads_without_server $fresh_file

like "another word is refused" "$(try_mount lowerdir=a:b,io=fast 2>&1)" "it is auto, passthrough or cached"

# --- without privilege over the machine, passthrough is refused by the kernel, though it is offered ---

if unshare -Um --map-root-user true 2>/dev/null; then
	in_namespace() { # OPTIONS COMMAND
		unshare -Um --map-root-user --propagation private bash -c \
			'mount -t tmpfs own "$1/u" && mkdir "$1/u/m" && cd "$1" && timeout 30 "$2" u/m -o "$3" && eval "$4"' - "$T" "$union" "$1" "$2" 2>&1
	}
	umount -q u
	reason=$(in_namespace lowerdir=a:b,io=cached 'cat u/m/f2')
	if [ "$reason" = "file 2" ]; then
		is "in a user namespace auto is cached" "$(in_namespace lowerdir=a:b 'cat u/m/f3 u/m/f1; cmp u/m/data b/data && echo same' | paste -sd' ')" "file 3 above same"
		like "and passthrough is refused" "$(in_namespace lowerdir=a:b,io=passthrough true)" "cannot serve by passthrough: Operation not"
	else
		skip "in a user namespace" "no union can be mounted there: ${reason##*: }"
	fi
else
	skip "in a user namespace" "there can be none here"
fi

# --- passthrough ---

if ! try_mount lowerdir=a:b,io=passthrough 2>why; then
	like "without passthrough, why is said" "$(cat why)" "passthrough"
	ok "and auto does without" try_mount lowerdir=a:b
	is "which it says" "$(how)" "cached"
	umount u
	skip "passthrough" "the kernel has it not, or libfuse"
	finish
fi
is "passthrough: it says so" "$(how)" "passthrough"
ok "passthrough: auto is that" try_mount lowerdir=a:b
is "and says so, too" "$(how)" "passthrough"
ok "passthrough: the kernel reads" reads_without_server u/data
ok "passthrough: the same data" cmp u/data b/data
is "passthrough: the uppermost" "$(cat u/f1)" "above"
is "open several times" "$(exec 5<u/f2 6<u/f2; cat u/f2; cat <&5; exec 5<&-; cat u/f2; cat <&6)" $'file 2\nfile 2\nfile 2\nfile 2'
ok "mapped" "$tools/bench/touch" map u/data
is "all files, four readers" "$(for i in 1 2 3 4; do cat u/f* | md5sum & done; wait)" "$(for i in 1 2 3 4; do cat a/f1 b/f1?* b/f[2-9]* | md5sum; done)"
fds=$(find "/proc/$(server)/fd" -mindepth 1 | wc -l)
ok "the server has no more fds than a bound ($fds)" [ "$fds" -le 300 ]

# The mount is not kept by what the server has handed over.
pid=$(server)
umount u
ok "the server ends with the mount" await ended $pid

# A file without its data is refused when it is opened (union.8).
mkdir c && echo meta >c/file && setfattr -n trusted.overlay.metacopy c/file
try_mount lowerdir=c:a
like "metacopy is refused" "$(cat u/file 2>&1)" "Operation not permitted"
umount u

# Layers that are stacked already: one is passed through, of two the kernel takes none.
if mount -t overlay none o -o ro,lowerdir=a:b 2>/dev/null; then
	ok "a layer on overlayfs: mounted" try_mount lowerdir=o:c
	is "a layer on overlayfs: passthrough" "$(how)" "passthrough"
	ok "a layer on overlayfs: the kernel reads" reads_without_server u/data
	mkdir oo
	mount -t overlay none oo -o ro,lowerdir=o:c
	ok "a layer on overlayfs on overlayfs: mounted" try_mount lowerdir=oo:c
	ok "the server reads" cmp u/data b/data
	is "though it is open already" "$(exec 5<u/f2; cat u/f2 <&5; cat u/f3; cat u/f2; exec 5<&-; cat u/f2)" $'file 2\nfile 3\nfile 2\nfile 2'
	like "a file that a layer refuses is refused" "$(cat u/file 2>&1)" "Operation not permitted"
	umount u oo o
else
	skip "layers on overlayfs" "overlayfs cannot be mounted here"
fi

# The same tree in both ways, entry by entry.
new=$T/wild
mkdir "$new"
for i in 0 1 2 3; do mkdir "$new/$i"; done
"$tools/wild" 11 4 "$new" || exit 1
lower=$new/0:$new/1:$new/2:$new/3
if mount -t overlay none o -o "ro,redirect_dir=nofollow,metacopy=off,lowerdir=$lower" 2>/dev/null; then
	for io in passthrough cached; do
		try_mount "lowerdir=$lower,io=$io"
		ok "$io: the same tree as overlayfs" timeout 200 "$tools/alike" o u
		ok "$io: and again" timeout 200 "$tools/alike" o u
	done
else
	skip "the same tree as overlayfs" "overlayfs cannot be mounted here"
fi
finish
