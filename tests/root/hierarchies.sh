#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Hierarchies beyond the three: who may have one, what is merged there, and how it goes away (specs: hierarchy.*).
# shellcheck disable=SC2154 # out, err, rc: what lib.sh sets
. "${TESTS_DIR:?}/lib.sh"
begin

# What is merged is read-only: the host's own files are written below it.
H=$T/host
mkdir "$H" && mount --bind "$R" "$H"

say() { # LINE...
	mkdir -p "$H/etc/extmerge.conf.d" && printf '%s\n' "$@" >"$H/etc/extmerge.conf.d/50.conf"
}

quiet() {
	rm -f "$H/etc/extmerge.conf.d/50.conf"
}

state_of() { # PATH
	em status --json=short
	jq -r --arg p "$1" '[.hierarchies[] | select(.path == $p) | .class, .state, (.layers | map(.name) | join("+"))] | join(" ")' <<<"$out"
}

make_tree "$X/tool" tool
make_conf_tree "$C/conf" conf
mkdir -p "$X/tool/nix/store" "$X/tool/fresh" "$C/conf/srv" "$R/nix/store" "$R/srv"
echo "tool in nix" >"$X/tool/nix/store/tool"
echo "fresh" >"$X/tool/fresh/file"
echo "conf in srv" >"$C/conf/srv/conf"
echo "host in nix" >"$R/nix/store/host"
echo "host in srv" >"$R/srv/host"
mkdir "$R/nix/var" && mount -t tmpfs extmerge-test "$R/nix/var" && echo mounted >"$R/nix/var/file"
mounts=$(mounts_below "$R")

# --- only what is configured ---
em refresh
is "without a configuration there are three" "$rc $(layers usr) $(layers etc) $(ls "$R/nix/store")" "0 tool conf host"
em unmerge
say '[Hierarchy /nix]' 'Class=sysext' '[Hierarchy /srv]' 'Class=confext' '[Hierarchy /fresh]' 'Class=sysext'
em plan
like "plan shows them" "$rc $out" '^10 .*/nix  merge
   1  tool
   0  the host.s own'
em merge
is "hierarchy.1: they are merged" "$rc $(cat "$R/nix/store/tool" "$R/nix/store/host" "$R/srv/conf" "$R/srv/host" | paste -sd,)" \
	"0 tool in nix,host in nix,conf in srv,host in srv"
is "by their class" "$(state_of /nix), $(state_of /srv)" "sysext merged tool, confext merged conf"
is "what the host has mounted there stays" "$(cat "$R/nix/var/file")" mounted
is "hierarchy.4: what the host lacks is made" "$(cat "$R/fresh/file")" fresh
like "confexts execute nothing there" "$(findmnt -n -o OPTIONS "$R/srv")" 'ro,.*nosuid.*nodev.*noexec'
em why /nix/store/tool
like "why knows them" "$rc $out" '^0 .*tool'
em refresh
like "there is nothing to do then" "$rc $err" '^0 .*Nothing has changed'

# --- what changes there is seen ---
echo "new" >"$X/tool/nix/store/new"
em refresh
is "record.3: a change in one of them is one" "$rc $(cat "$R/nix/store/new")" "0 new"
rm -r "$X/tool/usr/bin"
mv "$X/tool/opt" "$X/gone" 2>/dev/null
mkdir "$X/only" && cp -r "$X/tool/usr" "$X/only" && mkdir "$X/only/nix" && echo only >"$X/only/nix/only"
mv "$X/only/usr/lib/extension-release.d/extension-release."{tool,only}
em refresh
is "an extension may come for one" "$rc $(layers nix)" "0 tool only"

# --- hierarchy.5: what is not configured any more goes away ---
generation=$(em status --json=short; jq '.generation' <<<"$out")
say '[Hierarchy /srv]' 'Class=confext'
em plan
like "plan shows what goes" "$rc $out" '^10 .*/nix  unmerge'
em refresh
is "a refresh takes it away" "$rc $(ls "$R/nix/store") $(cat "$R/nix/var/file") $(test -e "$R/fresh"; echo $?)" "0 host mounted 1"
is "in one step of all" "$(em status --json=short; jq '.generation' <<<"$out")" $((generation + 1))
is "and leaves the others" "$(layers usr) $(state_of /srv)" "tool only confext merged conf"
quiet
is "hierarchy.5: status needs no configuration" "$(state_of /srv)" "confext merged conf"
other=$T/other
make_root "$other" && mkdir "$other/srv"
is "another root's is not ours" "$("$EXTMERGE" --root="$other" status --json=short | jq -r '.hierarchies | map(.path) | join(" ")')" "/etc /usr /opt"
em unmerge
is "unmerge needs none, either" "$rc $(mounts_below "$R") $(ls "$R/srv")" "0 $mounts host"

say '[Hierarchy /srv]' 'Class=confext'
em refresh
say '[Hierarchy /srv]' 'Class=sysext'
em refresh
like "the class does not change under it" "$rc $err $(cat "$R/srv/conf")" '^1 .*merged with extensions of another class.*conf in srv$'
em unmerge
em refresh
is "after an unmerge it does" "$rc $(mounts_below "$R/srv") $(ls "$R/srv")" "0 0 host"
em unmerge

# --- hierarchy.3: an image is the same with and without; what is made of it is not ---
mkdir "$T/aside" && mv "$X"/* "$T/aside"
make_tree "$T/disk" disk
mkdir "$T/disk/nix" && echo disk >"$T/disk/nix/disk"
if make_image erofs "$T/disk" "$X/disk.raw" 2>/dev/null; then
	quiet
	em refresh
	is "an image is merged" "$rc $(layers usr) $(ls "$R/nix")" "0 disk store
var"
	say '[Hierarchy /nix]' 'Class=sysext'
	em refresh
	is "also where it is wanted then" "$rc $(layers nix) $(cat "$R/nix/disk")" "0 disk disk"
	quiet
	em refresh
	is "and is not any more" "$rc $(layers usr) $(mounts_below "$R/nix")" "0 disk 1"
	em unmerge
else
	skip "images" "there is no mkfs.erofs"
fi
rm -f "$X/disk.raw"
mv "$T/aside"/* "$X"

# --- hierarchy.1: all that holds for the three holds for it; nothing takes it back ---
say '[Hierarchy /nix]' 'Class=sysext' 'Mutable=yes'
em refresh
echo written >"$R/nix/written"
is "it can be written" "$rc $(cat "$H/var/lib/extensions.mutable/nix/written") $(ls "$H/nix")" "0 written store
var"
printf '[Hierarchy /nix]\nClass=\n' >"$H/etc/extmerge.conf.d/60.conf"
em refresh
is "it is taken back" "$rc $(mounts_below "$R/nix") $(ls "$R/nix")" "0 1 store
var"
em config
like "which config shows" "$out" $'\n\\[Hierarchy /nix\\]\nClass=  # /etc/extmerge.conf.d/60.conf:2\n'
rm "$H/etc/extmerge.conf.d/60.conf"
em refresh
is "and given again" "$rc $(cat "$R/nix/written")" "0 written"
em unmerge

# --- mounts of others ---
say '[Hierarchy /nix]' 'Class=sysext'
em refresh
mount -t tmpfs cover "$R/nix"
is "what covers it is told" "$(state_of /nix)" "sysext covered "
em refresh
like "and is not switched" "$rc $err" "^1 .*Cannot switch /nix: tmpfs 'cover' is mounted on top"
umount "$R/nix"
quiet
em unmerge
is "it is gone" "$rc $(mounts_below "$R")" "0 $mounts"

# --- hierarchy.2: where a symlink leads counts ---
refused() { # PATH WHERE
	say "[Hierarchy $1]" 'Class=sysext'
	em plan
	like "$1 leads $2" "$rc$out $err" "^2 .*50.conf:2: $1 cannot be a hierarchy: it leads $2\$"
}
ln -s usr/lib "$H/lib"
refused /lib 'into /usr'
ln -s /run/x "$H/state" && mkdir -p "$H/run/x"
refused /state 'into /run'
ln -s / "$H/all"
refused /all 'to what is around /(proc|run|tmp)'
ln -s var "$H/data"
refused /data 'to /var'
ln -s nix "$H/link"
say '[Hierarchy /nix]' 'Class=sysext' '[Hierarchy /link]' 'Class=sysext'
em plan
like "one is enough" "$rc$out $err" '^2 .*50.conf:4: /link cannot be a hierarchy: it leads to /nix$'
echo file >"$H/flat"
say '[Hierarchy /flat]' 'Class=sysext'
em plan
like "a file is none" "$rc$out $err" '^1 .*Cannot look where /flat leads: Not a directory'
for name in / /proc /sys /dev /run /tmp /var /boot /efi /home /root /usr/local; do
	say "[Hierarchy $name]" 'Class=sysext'
	em refresh
	like "$name is refused" "$rc$out $err" "^2 .*: $name cannot be a hierarchy: it is|^2 .*: $name cannot be a hierarchy: [a-z]+ "
done
for i in $(seq 13); do printf '[Hierarchy /h%s]\nClass=sysext\n' "$i"; done >"$H/etc/extmerge.conf.d/50.conf"
em plan
is "there may be 16" "$rc" 10
printf '[Hierarchy /more]\nClass=sysext\n' >>"$H/etc/extmerge.conf.d/50.conf"
em plan
like "and no more" "$rc$out $err" '^2 .*:28: there are more than 16 hierarchies'
say '[Hierarchy /nix]' 'Order=a'
em plan
is "a key of others does not make one" "$rc $(grep -c /nix <<<"$out")" "10 0"
is "nothing of it is left" "$(mounts_below "$R")" "$mounts"
finish
