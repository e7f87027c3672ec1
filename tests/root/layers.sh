#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What layers would do to the host and to each other (threats 33 to 38; specs/layers.md).
# shellcheck disable=SC2154 # out, err, rc, list: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin
mkdir -p "$R"/usr/{share/{host,list},lib64,local,lib/host} "$R/etc/host.d"
echo "host data" | tee "$R/usr/share/host/data" "$R/usr/share/list/1" >"$R/usr/lib/host/file"
ln -s share "$R/usr/linked"      # a symlink to a directory
ln -s list "$R/usr/share/deep"
ln -s host-tool "$R/usr/bin/alias" # and one to a file
make_good
tree() { make_tree "$X/$1" "$1"; }
is_set() { getfattr -n "$2" --only-values "$1" >/dev/null 2>&1; }

# --- the hierarchy itself ---
tree usr-link && mv "$X/usr-link/usr" "$X/usr-link/real" && ln -s real "$X/usr-link/usr"
tree usr-out && rm -r "$X/usr-out/usr" && ln -s /usr "$X/usr-out/usr"
tree opt-link && ln -s ../../../../tmp "$X/opt-link/opt"
tree opt-file && echo x >"$X/opt-file/opt"
tree opt-fifo && mkfifo "$X/opt-fifo/opt"
tree mounted && mkdir "$X/mounted/opt" && mount -t tmpfs none "$X/mounted/opt" && touch "$X/mounted/opt/file"
make_tree "$T/image" usr-image && mv "$T/image/usr" "$T/image/real" && ln -s real "$T/image/usr" && make_image erofs "$T/image" "$X/usr-image.raw"
mkdir "$X/nothing" && touch "$X/nothing/README"
mkdir -p "$X/only-etc/etc" "$X/hollow/"{usr,opt} && touch "$X/only-etc/etc/file"

# --- directories and files in each other's place ---
conflict() { # NAME PATH
	tree "$1" && mkdir -p "$X/$1/${2%/*}" && rm -rf "${X:?}/$1/$2"
}
conflict dir-file usr/lib/host && echo x >"$X/dir-file/usr/lib/host"
conflict dir-link usr/lib/host && ln -s /tmp "$X/dir-link/usr/lib/host"
conflict dir-pipe usr/share/host && mkfifo "$X/dir-pipe/usr/share/host"
conflict bin-link usr/bin && ln -s /tmp "$X/bin-link/usr/bin"
conflict over-link usr/linked && mkdir "$X/over-link/usr/linked"
conflict file-link usr/linked && echo x >"$X/file-link/usr/linked"
conflict file-dir usr/bin/host-tool && mkdir "$X/file-dir/usr/bin/host-tool"
conflict link-link usr/linked && ln -s lib "$X/link-link/usr/linked" # as usr/sbin -> bin would be
conflict same-link usr/linked && ln -s share "$X/same-link/usr/linked"
conflict deep-link usr/share/deep && ln -s host "$X/deep-link/usr/share/deep" # below, one link for another is content
tree a-first && tree b-second && mkdir -p "$X/a-first/usr/share" "$X/b-second/usr/share/thing" && echo x >"$X/a-first/usr/share/thing"

# --- what only overlayfs may have ---
tree whiteout && mkdir "$X/whiteout/usr/share" && mknod "$X/whiteout/usr/share/host" c 0 0
make_tree "$T/w" white-image && mknod "$T/w/usr/bin/host-tool" c 0 0 && make_image squashfs "$T/w" "$X/white-image.raw"
tree opaque && setfattr -n trusted.overlay.opaque -v y "$X/opaque/usr/bin"
tree opaque-root && setfattr -n trusted.overlay.opaque -v y "$X/opaque-root/usr"
tree redirect && setfattr -n trusted.overlay.redirect -v /share "$X/redirect/usr/bin"
tree metacopy && setfattr -n trusted.overlay.metacopy "$X/metacopy/usr/bin/metacopy"
tree escaped && setfattr -n trusted.overlay.overlay.opaque -v y "$X/escaped/usr/bin"
tree white-xattr && setfattr -n trusted.overlay.whiteout "$X/white-xattr/usr/bin/white-xattr"
images=()
for format in erofs squashfs ext4; do
	make_tree "$T/o-$format" o-$format && setfattr -n trusted.overlay.opaque -v y "$T/o-$format/usr/bin"
	make_image $format "$T/o-$format" "$X/o-$format.raw"
	# Whether the tool that makes images keeps such attributes.
	mkdir -p "$T/look" && mount -o ro,loop "$X/o-$format.raw" "$T/look" && {
		if is_set "$T/look/usr/bin" trusted.overlay.opaque; then
			images+=("o-$format")
		else
			skip "an opaque directory in $format" "this mkfs drops it"
		fi
		umount "$T/look"
	}
done
user=()
if tree user-white 2>/dev/null && setfattr -n user.overlay.whiteout "$X/user-white/usr/bin/user-white" 2>/dev/null; then
	tree many && for i in {1..40}; do setfattr -n "user.$i.$(printf 'x%.0s' {1..60})" "$X/many/usr/bin/many"; done
	user=(user-white many)
else
	skip "user.overlay attributes" "this tmpfs has none" && rm -r "$X/user-white"
fi

# --- os-release, twins, nesting ---
tree os-release && echo ID=evil >"$X/os-release/usr/lib/os-release"
make_conf_tree "$C/conf-release" conf-release && ln -s /tmp/x "$C/conf-release/etc/os-release"
make_conf_tree "$C/conf-good" conf-good
tree twin-a && cp "$X/twin-a/usr/lib/extension-release.d/extension-release.twin-"{a,b} && ln -s twin-a "$X/twin-b"
make_tree "$R/usr/local/inside" inside && ln -s /usr/local/inside "$X/inside"
mkdir -p "$X/outer/usr/lib/extension-release.d" && echo ID=_any >"$X/outer/usr/lib/extension-release.d/extension-release.outer"
make_tree "$X/outer/usr/nested" z-nested && ln -s outer/usr/nested "$X/z-nested"
mkdir -p "$X/wide/usr/lib/extension-release.d" && echo ID=_any >"$X/wide/usr/lib/extension-release.d/extension-release.wide"
make_tree "$X/wide/usr/narrow" a-narrow && ln -s wide/usr/narrow "$X/a-narrow" # the same, met the other way round
mkdir "$R/usr/local/host" && ln -s /usr/lib "$X/host-lib"

look --force # which overrides no safety
while IFS='|' read -r names word sentence; do
	for name in $names; do judged "$name" "$word" "$sentence"; done
done <<TABLE
usr-link usr-out usr-image|bad-hierarchy|its /usr is not a plain directory
opt-link opt-file opt-fifo mounted|bad-hierarchy|its /opt is not a plain directory
nothing only-etc hollow host-lib|empty|nothing for /usr or /opt
dir-file|type-conflict|/usr/lib/host is a file here, but a directory of the host
dir-link|type-conflict|/usr/lib/host is a symlink here, but a directory of the host
dir-pipe|type-conflict|/usr/share/host is a file here, but a directory of the host
bin-link|type-conflict|/usr/bin is a symlink here, but a directory of
over-link|type-conflict|/usr/linked is a directory here, but a symlink of the host
link-link|type-conflict|/usr/linked is a symlink here, but a directory of the host
file-link|type-conflict|/usr/linked is a file here, but a directory of the host
file-dir|type-conflict|/usr/bin/host-tool is a directory here, but a file of the host
b-second|type-conflict|/usr/share/thing is a directory here, but a file of a-first
a-first same-link deep-link|fits|
whiteout|whiteout|/usr/share/host is a whiteout
white-image|whiteout|/usr/bin/host-tool is a whiteout
opaque opaque-root ${images[*]}|overlay-xattr|trusted.overlay.opaque
redirect|overlay-xattr|/usr/bin carries .* trusted.overlay.redirect
metacopy|overlay-xattr|/usr/bin/metacopy carries .* trusted.overlay.metacopy
escaped|overlay-xattr|trusted.overlay.overlay.opaque
white-xattr|overlay-xattr|trusted.overlay.whiteout
${user[*]}|overlay-xattr|user.overlay.whiteout|more than 1024 bytes
os-release|os-release|/usr/lib/os-release must not be
conf-release|os-release|/etc/os-release must not be
twin-b|duplicate|its /usr is the /usr of twin-a
twin-a outer a-narrow conf-good|fits|
inside|nested|lies inside of the /usr of the host
z-nested|nested|lies inside of the /usr of outer
wide|nested|has inside of it the /usr of a-narrow
TABLE
refresh_beside "layers that would harm the host" --force
is "what is harmless is merged" "$(layers usr) / $(layers etc)" "twin-a same-link outer good deep-link a-narrow a-first / conf-good"
is "the host's directories are all there" "$(cat "$R"/usr/{share/host/data,share/list/1,lib/host/file} 2>&1 | sort -u)" "host data"
is "the host is still itself" "$(head -n 1 "$R/etc/os-release")" ID=debian
umount "$X/mounted/opt"
unmerge_clean "them"
rm -rf "${X:?}"/* "${C:?}"/* && make_tree "$X/good" good "still here"

# --- what is allowed, and said: hidden files, programs that run as root, device nodes ---
tree front && mkdir -p "$X/front/usr/share/host" && echo front >"$X/front/usr/share/host/data" && ln -sf front "$X/front/usr/bin/alias"
make_tree "$T/top" top && mkdir -p "$T/top/usr/share/host" && echo top | tee "$T/top/usr/bin/front" >"$T/top/usr/share/host/data"
make_image erofs "$T/top" "$X/top.raw"
cp "$(type -P id)" "$X/front/usr/bin/rooted" && chmod 4755 "$X/front/usr/bin/rooted"
mknod "$X/front/usr/bin/zero" c 1 5
make_conf_tree "$C/conf" conf && cp "$(type -P true)" "$C/conf/etc/program" && chmod 4755 "$C/conf/etc/program"
em plan
like "the plan says who hides what" "$out" 'top   ! hides files: front \(2\)'
like "and what of the host is hidden" "$out" 'front   ! hides files: 2 of the host'
em plan --json
is "so does its JSON" "$(jq -c '[.steps[].layers[] | select(.hides.host + .hides.extensions > 0) | [.name, .hides.host, .hides.extensions, .hides.whose]]' <<<"$out")" \
	'[["top",0,2,"front (2)"],["front",2,0,null]]'
refresh_beside "layers that hide files"
em status --json
is "and status" "$(jq -c '[.hierarchies[].layers[] | select(.name == "top").hides]' <<<"$out")" '[{"host":0,"extensions":2,"whose":"front (2)"}]'
em why /usr/share/host/data
like "why names them all, top first" "$out" '<- top .*hides  front .*different content.*hides  the host.s own: different content'
em why /usr/bin/front
like "why names the hidden file of an extension" "$out" '<- top .*hides  front'
flags() { awk -v p="$R/$1" '$5 == p { print $6 }' /proc/self/mountinfo | tail -n 1; }
is "a sysext is nodev" "$(flags usr | grep -oE 'nodev|nosuid|noexec|^ro' | paste -sd' ')" "ro nodev"
is "a confext is nodev, nosuid and noexec" "$(flags etc | grep -oE 'nodev|nosuid|noexec|^ro' | sort | paste -sd' ')" "nodev noexec nosuid ro"
is "a setuid program of a sysext works" "$(setpriv --reuid=65534 --clear-groups "$R/usr/bin/rooted" -u 2>&1)" 0
not_ok "a program of a confext does not run" "$R/etc/program"
not_ok "a device node does not open" head -c 1 "$R/usr/bin/zero"

# --- whether something may be executed (switch.16) ---
printf '#!/bin/sh\necho host\n' >"$T/script" && chmod 755 "$T/script"
em unmerge && mkdir -p "$R/sbin" "$R/usr/lib/systemd" && touch "$R/usr/lib/systemd/systemd" && cp "$T/script" "$R/etc/script" && em merge
not_ok "nor does one of the host's in /etc" "$R/etc/script"
noexec() { jq -c '[.hierarchies[] | select(.path == "/etc" or .path == "/usr").noexec]' <<<"$("$EXTMERGE" --root="$R" status --json 2>/dev/null)"; }
touch "$R/sbin/init"
em refresh
is "where the init is not systemd, the tree is replaced" "$rc $(noexec) $(flags etc | grep -c noexec)" "0 [false,false] 0"
is "so that the host's scripts run" "$("$R/etc/script")" host
ok "and programs of confexts" "$R/etc/program"
em refresh
like "the next refresh does nothing" "$err" "Nothing has changed"
ln -sf ../usr/lib/systemd/systemd "$R/sbin/init"
em refresh
is "where it is systemd, it is as before" "$rc $(noexec)" "0 [true,false]"
not_ok "and nothing runs" "$R/etc/script"
cp "$R/usr/lib/extmerge.conf" "$T/extmerge.conf" 2>/dev/null
printf '[confext]\nNoExec=no\n' >>"$T/extmerge.conf"
mkdir -p "$R/run/extmerge.conf.d" && cp "$T/extmerge.conf" "$R/run/extmerge.conf.d/50.conf"
em refresh
is "NoExec=no lets it run" "$rc $("$R/etc/script") $(noexec)" "0 host [false,false]"
printf '[Extmerge]\nNoExec=yes\n' >"$R/run/extmerge.conf.d/60.conf"
em refresh
like "of /usr nobody may say so" "$rc $err" "^2 .*60.conf:2: NoExec=yes would let nobody execute a program of /usr"
is "and all stays" "$(noexec)" "[false,false]"
printf '[Hierarchy /etc]\nNoExec=yes\n' >"$R/run/extmerge.conf.d/60.conf"
em refresh
is "of /etc one may" "$rc $(noexec)" "0 [true,false]"
rm -r "$R/run/extmerge.conf.d"
unmerge_clean "them"
finish
