#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# extmerge run: for root and for an ordinary user, with directories and images, and what it refuses (specs: command.*).
# /usr is this machine's own; nothing of it is changed, as all is seen in namespaces that end with their command.
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin processes

# The programs where anybody can execute them; no certificate of this machine counts, nor its configuration.
mkdir "$T/bin" && cp "$EXTMERGE" "$(dirname "$EXTMERGE")/extmerge-fuse" "$T/bin/" 2>/dev/null
chmod -R a+rX "$T"
mount -t tmpfs -o mode=755 run /run
for place in /etc/verity.d /etc/extmerge.conf.d; do
	[ ! -d "$place" ] || mount -t tmpfs -o mode=755 empty "$place"
done
if [ -e /dev/fuse ]; then # many systems give it to all; this namespace does
	mknod -m 666 "$T/fuse" c 10 229 && chmod 666 "$T/fuse" && mount --bind "$T/fuse" /dev/fuse
fi

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin # what nobody may enter gives 126
as_root() { "$@"; }
as_user() { setpriv --reuid=4321 --regid=4322 --clear-groups "$@"; }
run() { # as_root|as_user ARGUMENT...
	out=$("$1" "$T/bin/extmerge" run "${@:2}" 2>"$T/stderr")
	rc=$?
	err=$(cat "$T/stderr")
	return $rc
}
if ! as_user "$T/bin/extmerge" --version >/dev/null 2>&1; then
	skip "extmerge run" "the program cannot be run by an ordinary user here"
	finish
fi
users=(as_root)
if as_user unshare -Um true 2>/dev/null; then
	users+=(as_user)
else
	skip "extmerge run as a user" "ordinary users may make no user namespace here"
fi

make_tree "$T/hello" hello 'printf "%s\n" hello; exit 7' ID=_any
chmod 755 "$T/hello/usr/bin/hello"
make_conf_tree "$T/conf" conf
make_tree "$T/other/hello" hello other
make_tree "$T/misfit" misfit misfit ID=nowhere
mkdir "$T/nobody" # with nothing in it, and no release file
before=$(cat /proc/self/mountinfo)

for user in "${users[@]}"; do
	# --- command.1, command.2, command.7 ---
	run "$user" -w "$T/hello" -- sh -c 'cat /usr/bin/hello; exit 5'
	is "$user: the command sees the extension, and its status is ours" "$rc $out" '5 printf "%s\n" hello; exit 7'
	run "$user" -w "$T/hello" -w "$T/conf" -- cat /etc/conf.conf /usr/bin/hello
	is "$user: a directory with etc/extension-release.d is a confext" "$rc $out" "0 conf
printf \"%s\\n\" hello; exit 7"
	is "$user: the rest of /usr is there as well" "$("$user" "$T/bin/extmerge" run -w "$T/hello" -- sh -c 'ls /usr/bin | wc -l')" \
		$(($(find /usr/bin/ -mindepth 1 -maxdepth 1 | wc -l) + 1))
	run "$user" -w "$T/hello" -- sh -c ': >/usr/bin/new'
	is "$user: what is merged is read-only" "$rc $([ -e /usr/bin/new ] && echo there)" "2 "
	run "$user" -w "$T/hello" -- no-such-command
	is "$user: 127 where there is no such command" $rc 127
	run "$user" -w "$T/hello" -- "$T"
	is "$user: 126 where it cannot be executed" $rc 126
	cd "$T" && run "$user" -w hello -- pwd
	is "$user: paths are from the working directory, which stays" "$rc $out" "0 $T"
	out=$(umask 077 && ulimit -Sn 512 && "$user" "$T/bin/extmerge" run -w "$T/hello" -- sh -c 'umask; ulimit -Sn')
	is "$user: umask and limit of fds are the caller's" "$(paste -sd' ' <<<"$out")" "0077 512"
	is "$user: user and group are what they were" "$("$user" "$T/bin/extmerge" run -w "$T/hello" -- id -u):$(
		"$user" "$T/bin/extmerge" run -w "$T/hello" -- id -g)" "$("$user" id -u):$("$user" id -g)"

	# --- command.3 ---
	run "$user" -w "$T/hello" -- "$T/bin/extmerge" run -w "$T/conf" -- cat /etc/conf.conf /usr/bin/hello
	is "$user: one in the other sees both" "$rc $(head -n 1 <<<"$out") $(tail -n 1 <<<"$out")" '0 conf printf "%s\n" hello; exit 7'
	run "$user" -w "$T/hello" -- "$T/bin/extmerge" status --json=short
	is "$user: status says what is merged" "$(jq -r '.hierarchies[].layers[]?.name' <<<"$out")" hello

	# --- command.4 ---
	run "$user" -w "$T/hello" -w "$T/misfit" -- touch "$T/ran"
	is "$user: one that does not fit, and nothing is run" "$rc $([ -e "$T/ran" ] && echo ran)" "3 "
	like "$user: with its verdict" "$err" "misfit skipped: wrong-id: ID=nowhere, host"
	run "$user" -w "$T/nobody" -- true
	like "$user: no release file" "$rc $err" "^3 .*no-release"
	run "$user" -w "$T/hello" -w "$T/other/hello" -- true
	like "$user: two of one name are refused" "$rc $err" "^2 .*Cannot merge both '$T/hello' and '$T/other/hello'"
	run "$user" -w "$T/absent" -- true
	like "$user: one that is not there is named" "$rc $err" "^1 .*Cannot open '$T/absent': No such file"
	run "$user" --trust=signed -w "$T/hello" -- true
	like "$user: policy that refuses all has a status of its own" "$rc $err" "^4 .*unsigned"
done
run as_root -- true
like "without --with= there is nothing to run for" "$rc $err" "^2 .*--with=IMAGE at least once"
run as_root --root="$R" -w "$T/hello" -- true
like "--root= is refused" "$rc $err" "^2 .*takes no --root="
run as_root -w "$T/hello"
is "and so is a call without a command" $rc 2
if [ ${#users[@]} -gt 1 ]; then
	out=$(as_user "$T/bin/extmerge" run -w "$T/hello" -- grep -cE '^Cap(Eff|Prm|Amb|Inh):.*[1-9a-f]' /proc/self/status)
	is "a user's command has no capability" "$out" 0
	# A limit of 0 in a namespace of the test's own, whose root has no capability left.
	out=$(unshare -U --map-root-user bash -c 'echo 0 >/proc/sys/user/max_user_namespaces &&
		exec setpriv --bounding-set=-all --inh-caps=-all "$1/bin/extmerge" run -w "$1/hello" -- true' - "$T" 2>&1)
	is "where there may be no user namespaces" $? 5
	like "that is said, with the setting" "$out" "Cannot make a namespace.*user.max_user_namespaces"
fi

# --- where there is no overlayfs, too ---
if [ ${#users[@]} -gt 1 ] && [ -e /dev/fuse ] && [ -x "$T/bin/extmerge-fuse" ]; then
	run as_user --backend=fuse -w "$T/hello" -w "$T/conf" -- sh -c 'cat /usr/bin/hello /etc/conf.conf; ls /usr/bin | wc -l'
	is "a user's union by FUSE" "$rc $(paste -sd'|' <<<"$out")" \
		"0 printf \"%s\\n\" hello; exit 7|conf|$(($(find /usr/bin/ -mindepth 1 -maxdepth 1 | wc -l) + 1))"
	run as_user --backend=fuse -w "$T/hello" -- "$T/bin/extmerge" status --json=short
	is "status knows it" "$(jq -r '.hierarchies[] | select(.path == "/usr") | .backend, .layers[].name' <<<"$out" | paste -sd' ')" "fuse hello"
else
	skip "a user's union by FUSE" "needs user namespaces, /dev/fuse and extmerge-fuse"
fi

# --- command.5, command.6: images ---
ours() { # how many drivers and servers run for images of this test
	pgrep -f "^squashfuse(_ll)? -f -o offset=[0-9]+ /proc/self/fd/3 /dev/fd/4|^@extmerge-fuse image .* -- hello$" | wc -l
}
if [ ${#users[@]} -gt 1 ] && command -v squashfuse_ll >/dev/null && command -v mksquashfs >/dev/null && [ -e /dev/fuse ] &&
	[ -x "$T/bin/extmerge-fuse" ]; then
	mkdir "$T/bare" "$T/signed" "$T/bad"
	mksquashfs "$T/hello" "$T/bare/hello.raw" -quiet -no-progress -noappend >/dev/null 2>&1
	chmod a+r "$T/bare/hello.raw"
	run as_user -w "$T/bare/hello.raw" -- sh -c 'cat /usr/bin/hello; pgrep -c squashfuse >&2'
	is "a user's squashfs is read by a driver" "$rc $out" '0 printf "%s\n" hello; exit 7'
	run as_user -w "$T/bare/hello.raw" -- sh -c 'grep -E "^Cap(Eff|Prm|Bnd):" "/proc/$(pgrep -f "^squashfuse(_ll)? -f" | tail -n 1)/status"'
	is "which has no capability" "$(awk '$2 !~ /^0+$/' <<<"$out")" ""
	head -c 200 "$T/bare/hello.raw" >"$T/bad/hello.raw" && chmod a+r "$T/bad/hello.raw"
	truncate -s 4096 "$T/bad/hello.raw"
	run as_user -w "$T/bad/hello.raw" -- true
	like "a damaged one is refused" "$rc $err" "^3 .*hello.raw skipped: (corrupt|no-release|unreadable)"
	mke2fs -q -t ext4 -d "$T/hello" "$T/bad/plain.raw" 2M >/dev/null 2>&1 && chmod a+r "$T/bad/plain.raw"
	run as_user -w "$T/bad/plain.raw" -- true
	like "there is no driver for ext4, which is said" "$rc $err" "^3 .*no-privilege.*there is no FUSE driver for ext4"
	if command -v mkfs.erofs >/dev/null && ! command -v erofsfuse >/dev/null; then
		mkfs.erofs "$T/bare/hello_2.raw" "$T/hello" >/dev/null 2>&1 && chmod a+r "$T/bare/hello_2.raw"
		run as_user -w "$T/bare/hello_2.raw" -- true
		like "a driver that is missing is named with its package" "$rc $err" "^3 .*no-privilege.*the package erofsfuse .Fedora: erofs-fuse.* is not installed"
	else
		skip "a driver that is missing is named" "there is no mkfs.erofs, or erofsfuse is installed"
	fi

	# Signed: by a verified file; one flipped byte of its file system is never shown.
	new_key maker && new_key stranger
	mkdir /run/verity.d && cp "$T/maker.crt" /run/verity.d/ && chmod 644 /run/verity.d/*
	make_packed "$T/signed/hello.raw" "$T/hello" maker --format=squashfs && chmod a+r "$T/signed/hello.raw"
	run as_user -w "$T/signed/hello.raw" -- sh -c 'cat /usr/bin/hello; pgrep -c -f "^@extmerge-fuse image .* -- hello$"'
	is "a signed image is served by a verified file" "$rc $out" '0 printf "%s\n" hello; exit 7
1'
	run as_user -w "$T/hello" -- true
	like "as there is a certificate, what is unsigned is refused" "$rc $err" "^4 .*unsigned"
	cp "$T/signed/hello.raw" "$T/bad/hello.raw"
	printf '\xff' | dd of="$T/bad/hello.raw" bs=1 seek=$((20480 + 100)) conv=notrunc status=none
	run as_user -w "$T/bad/hello.raw" -- true
	like "a flipped byte in it is seen" "$rc $err" "^[34] .*corrupt"
	none_of_ours() { [ "$(ours)" = 0 ]; }
	ok "drivers and servers end with the command" await none_of_ours
else
	skip "images for a user" "needs user namespaces, squashfuse_ll, mksquashfs and /dev/fuse"
fi
is "the mounts of who calls are what they were" "$(cat /proc/self/mountinfo)" "$before"
finish
